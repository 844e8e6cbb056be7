"""The settings of a local tenant, and the conditions under which it refuses to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from .loopback_server import is_loopback


class TenantRefused(ValueError):
    """The local tenant refuses to run. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """Lifetimes are in seconds; `app_urls` are those of the app, whose callbacks are registered:
    `callback_path` below each.

    `external_audience` is the identifier of the second API. With `multi_resource_refresh` a refresh
    token of `local-app` obtains access tokens for both APIs. For `rotation_overlap` seconds after
    its first use (Auth0's term) a refresh token may be used again. Without `id_token_on_refresh`,
    only a login brings an ID token. With `mfa_at_refresh`, a user with a second step who has not
    done it gets `mfa_required` for a refresh token, as at Auth0. DPoP proofs are accepted; with
    `dpop_required`, each token request needs one, and with `dpop_nonces`, each proof a nonce.
    `seed_file` has further users, roles, applications, APIs and organizations
    (`seed_format.SEED`). `management_rate_limit` is how many requests a second the Management API
    answers.

    With `tls` the issuer is an `https` URL. With `backchannel_logout`, `local-app` hears of the end
    of its sessions at `/auth/backchannel-logout` below the app's URLs. Without `require_pkce`, a
    client with a secret may leave PKCE out, as at Auth0. With `response_issuer`, authorization
    responses have `iss` (RFC 9207), which Auth0's do not. A browser's login ends when it has not
    been used for `session_idle_lifetime`, and after `session_lifetime` at the latest.

    Raises:
        TenantRefused: `host` is not a loopback address, or `port` not a port.
    """

    host: str = "127.0.0.1"
    port: int = 4400
    data_file: Path = Path(".data/local_tenant.sqlite3")
    app_urls: tuple[str, ...] = ("http://localhost:3000", "http://localhost:8000")
    callback_path: str = "/auth/callback"
    access_token_lifetime: int = 86_400
    code_lifetime: int = 60
    refresh_token_lifetime: int = 30 * 86_400
    external_audience: str = "http://127.0.0.1:4401/api/"
    multi_resource_refresh: bool = True
    rotation_overlap: int = 0
    id_token_on_refresh: bool = True
    mfa_at_refresh: bool = False
    seed_file: Path | None = None
    management_rate_limit: int = 1000
    tls: bool = False
    backchannel_logout: bool = False
    require_pkce: bool = True
    response_issuer: bool = False
    session_idle_lifetime: int = 3 * 86_400
    session_lifetime: int = 7 * 86_400
    dpop_required: bool = False
    dpop_nonces: bool = False

    def __post_init__(self) -> None:
        if not is_loopback(self.host):
            raise TenantRefused(
                f"The local tenant is for development and listens on a loopback address only; "
                f"{self.host} is not one. For other machines use a real provider: set "
                "AUTH0_DOMAIN and the other variables of .env.example."
            )
        if not 0 < self.port < 65536:
            raise TenantRefused(f"{self.port} is not a port number (1 to 65535).")

    @property
    def issuer(self) -> str:
        """The issuer identifier; it ends in a slash, as Auth0's do."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}/"

    @property
    def app_origins(self) -> tuple[str, ...]:
        """The origins of `app_urls`, which may have a path."""
        parts = (urlsplit(url) for url in self.app_urls)
        return tuple(f"{each.scheme}://{each.netloc}" for each in parts)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names that a browser on this machine may use for it."""
        return (self.host, f"[{self.host}]", "127.0.0.1", "localhost")

    @property
    def management_audience(self) -> str:
        """The audience of the Management API."""
        return f"{self.issuer}api/v2/"

    @property
    def userinfo_audience(self) -> str:
        """The audience that every access token with `openid` has."""
        return f"{self.issuer}userinfo"


def refuse_production(environ: Mapping[str, str]) -> None:
    """Stop a production run.

    Raises:
        TenantRefused: `REFLEX_ENV_MODE` is `prod`.
    """
    if environ.get("REFLEX_ENV_MODE") == "prod":
        raise TenantRefused(
            "The local tenant is for development only and this is a production run. Use a real "
            "provider: set AUTH0_DOMAIN and the other variables of .env.example."
        )
