"""The API's settings, and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..local_tenant.loopback_server import is_loopback

SCOPE = "read:messages"


class ApiRefused(ValueError):
    """The API does not run with these settings; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """`issuer` is the provider whose tokens are accepted, `audience` this API's identifier. With
    `dpop_required`, they have to be bound to a key (RFC 9449); with `dpop_nonces`, each proof needs
    a nonce.

    Raises:
        ApiRefused: `host` is not a loopback address, or `port` not a port.
    """

    host: str = "127.0.0.1"
    port: int = 4401
    issuer: str = "http://127.0.0.1:4400/"
    audience: str = "http://127.0.0.1:4401/api/"
    dpop_required: bool = False
    dpop_nonces: bool = False

    def __post_init__(self) -> None:
        if not is_loopback(self.host):
            raise ApiRefused(
                "The external API is for development and listens on a loopback address only; "
                f"{self.host} is not one."
            )
        if not 0 < self.port < 65536:
            raise ApiRefused(f"{self.port} is not a port number (1 to 65535).")


def refuse_production(environ: Mapping[str, str]) -> None:
    """Refuse to run in production.

    Raises:
        ApiRefused: `REFLEX_ENV_MODE` is `prod`.
    """
    if environ.get("REFLEX_ENV_MODE") == "prod":
        raise ApiRefused(
            "The external API is for development only and this is a production run. "
            "Set EXTERNAL_API_URL and EXTERNAL_API_AUDIENCE to a real one."
        )
