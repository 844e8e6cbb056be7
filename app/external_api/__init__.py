"""DEVELOPMENT ONLY: "your own API", a small resource server that checks access tokens (RFC 9068).

Runs as a process of its own (`python -m app.external_api`), on a loopback address, and shares no
code with the auth layer, whose tokens it judges.
"""

from .asgi import create_api
from .settings import ApiRefused, ApiSettings

__all__ = ["ApiRefused", "ApiSettings", "create_api"]
