"""DEVELOPMENT ONLY: "your own API", a small resource server that checks access tokens (RFC 9068).

It runs as a process of its own (`python -m app.external_api`) on a loopback address. It shares no
code with the auth layer, which sends it the tokens.
"""

from .asgi import create_api
from .settings import ApiRefused, ApiSettings

__all__ = ["ApiRefused", "ApiSettings", "create_api"]
