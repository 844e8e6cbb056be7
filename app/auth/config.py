"""The configuration: what the environment says, checked as a whole and then frozen."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from .errors import ConfigError

DEFAULT_SCOPE = "openid profile email offline_access"
DEFAULT_APP_BASE_URL = "http://localhost:3000"
MINIMUM_SECRET_LENGTH = 32

_REQUIRED = ("AUTH0_DOMAIN", "AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET", "AUTH0_SECRET")
_HOW_TO_FILL = {
    "AUTH0_DOMAIN": "the tenant's domain, such as example.eu.auth0.com",
    "AUTH0_CLIENT_ID": "the application's Client ID",
    "AUTH0_CLIENT_SECRET": "the application's Client Secret",
    "AUTH0_SECRET": "32 random bytes that seal what is stored: openssl rand -hex 32",
}
_SWITCHES = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}


@dataclass(frozen=True, slots=True)
class AuthorizationParams:
    """What every login asks for: the API's identifier and space-separated scopes.

    `{domain}` in the audience stands for the provider's URL, so that
    `{domain}/api/v2/` names the Management API of whatever tenant is configured.
    """

    audience: str | None = None
    scope: str = DEFAULT_SCOPE


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """Everything the auth layer has to be told. URLs carry no trailing slash, `issuer` does.

    `secrets` seal what is stored, newest first; an empty tuple means that the caller supplies one
    before the service starts (the local tenant's is generated on first use).
    `is_multi_resource` says that the provider gives tokens for further audiences for a refresh
    token (Auth0 calls these multi-resource refresh tokens). `rotation_overlap`: for so many seconds
    after its first use it takes a refresh token once more (Auth0's word, too).
    """

    domain: str
    client_id: str
    client_secret: str = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    authorization_params: AuthorizationParams = AuthorizationParams()
    app_base_url: str = DEFAULT_APP_BASE_URL
    app_api_url: str = DEFAULT_APP_BASE_URL
    redis_url: str | None = field(default=None, repr=False)
    is_local_tenant: bool = False
    is_multi_resource: bool = False
    rotation_overlap: float = 0.0

    @property
    def issuer(self) -> str:
        """The issuer identifier, exactly as discovery and ID tokens must spell it."""
        return self.domain if urlsplit(self.domain).path else f"{self.domain}/"

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends the browser back to (RFC 6749 section 3.1.2)."""
        return f"{self.app_api_url}/auth/callback"

    @property
    def origins(self) -> frozenset[str]:
        """The origins that are this app; no other may use its routes or its websocket."""
        return frozenset(origin_of(url) for url in (self.app_base_url, self.app_api_url))

    @property
    def is_https(self) -> bool:
        """Whether cookies can be Secure and carry the `__Host-` prefix."""
        return self.app_api_url.startswith("https://")

    @classmethod
    def from_environ(
        cls,
        environ: Mapping[str, str],
        *,
        authorization_params: AuthorizationParams | None = None,
    ) -> AuthConfig:
        """Read the environment; `authorization_params` are the defaults behind its two variables.

        With none of the four required `AUTH0_*` set, the result points at the local tenant.

        Raises:
            ConfigError: something is missing or wrong; `problems` names every one of them.
        """
        return _Reader(environ).config(authorization_params or AuthorizationParams())


def local_tenant_port(environ: Mapping[str, str]) -> int:
    """The port of the local tenant: `LOCAL_TENANT_PORT`, or 4400."""
    text = environ.get("LOCAL_TENANT_PORT", "").strip() or "4400"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ConfigError(f"LOCAL_TENANT_PORT={text} is not a port number (1 to 65535).")
    return int(text)


def origin_of(url: str) -> str:
    """The origin of an absolute URL (RFC 6454): scheme, host and a port that is not the default."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    default = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address literal is this machine (RFC 8252 section 7.3)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


class _Reader:
    """Collects problems while reading, so that all of them are reported at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {name: value.strip() for name, value in environ.items()}
        self._problems: list[str] = []

    def config(self, defaults: AuthorizationParams) -> AuthConfig:
        app_base_url = self._url("APP_BASE_URL", DEFAULT_APP_BASE_URL)
        credentials = self._credentials() if self._is_any_set() else self._local_tenant()
        audience = self._get("AUTH0_AUDIENCE") or defaults.audience
        if audience:
            audience = audience.replace("{domain}", str(credentials["domain"]))
        values = {
            "authorization_params": AuthorizationParams(audience, self._scope(defaults.scope)),
            "app_base_url": app_base_url,
            "app_api_url": self._url("APP_API_URL", app_base_url),
            "redis_url": self._redis_url(),
            "rotation_overlap": self._seconds("AUTH0_ROTATION_OVERLAP"),
            "is_multi_resource": self._switch(
                "AUTH0_MULTI_RESOURCE_REFRESH", default=bool(credentials.get("is_local_tenant"))
            ),
        }
        if self._problems:
            raise ConfigError(self._problems)
        return AuthConfig(**credentials, **values)  # type: ignore[arg-type]

    def _get(self, name: str) -> str | None:
        return self._environ.get(name) or None

    def _switch(self, name: str, *, default: bool) -> bool:
        text = self._get(name)
        if text is None:
            return default
        if text.lower() not in _SWITCHES:
            self._problems.append(f"{name}={text} is neither 1 (on) nor 0 (off).")
        return _SWITCHES.get(text.lower(), default)

    def _seconds(self, name: str) -> float:
        text = self._get(name) or "0"
        if not text.isdecimal():
            self._problems.append(f"{name}={text} is not a number of seconds, such as 10.")
            return 0.0
        return float(text)

    def _redis_url(self) -> str | None:
        """The value is not quoted in the problem: it may hold a password."""
        text = self._get("REDIS_URL")
        if text and not text.startswith(("redis://", "rediss://", "unix://")):
            self._problems.append(
                "REDIS_URL starts with neither redis:// nor rediss:// nor unix://; "
                "write it as in redis://:password@redis.internal:6379/0."
            )
        return text

    def _is_any_set(self) -> bool:
        return any(self._get(name) for name in _REQUIRED)

    def _local_tenant(self) -> dict[str, object]:
        return {
            "domain": f"http://127.0.0.1:{local_tenant_port(self._environ)}",
            "client_id": "local-app",
            "client_secret": "local-secret",
            "secrets": self._secrets(),
            "is_local_tenant": True,
        }

    def _credentials(self) -> dict[str, object]:
        self._problems += [
            f"{name} is not set: {_HOW_TO_FILL[name]}." for name in _REQUIRED if not self._get(name)
        ]
        return {
            "domain": self._domain(),
            "client_id": self._get("AUTH0_CLIENT_ID"),
            "client_secret": self._get("AUTH0_CLIENT_SECRET"),
            "secrets": self._secrets(),
        }

    def _secrets(self) -> tuple[str, ...]:
        text = self._get("AUTH0_SECRET")
        secrets = tuple(part.strip() for part in text.split(",")) if text else ()
        if any(len(secret) < MINIMUM_SECRET_LENGTH for secret in secrets):
            self._problems.append(
                f"AUTH0_SECRET is too short: each secret has at least {MINIMUM_SECRET_LENGTH} "
                "characters. Make one with: openssl rand -hex 32"
            )
        return secrets

    def _scope(self, default: str) -> str:
        scope = self._get("AUTH0_SCOPE") or default
        if "openid" not in scope.split():
            self._problems.append(
                f'AUTH0_SCOPE "{scope}" lacks "openid"; without it there is no login.'
            )
        return " ".join(scope.split())

    def _domain(self) -> str | None:
        text = self._get("AUTH0_DOMAIN")
        if text is None:
            return None
        return self._url("AUTH0_DOMAIN", text if "://" in text else f"https://{text}", path=True)

    def _url(self, name: str, default: str, *, path: bool = False) -> str:
        text = default if path else self._get(name) or default
        problem = _problem_with_url(text, path=path)
        if problem:
            self._problems.append(f"{name}={self._get(name) or text} {problem}")
        return text.rstrip("/")


def _problem_with_url(text: str, *, path: bool) -> str | None:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return "is not a URL."
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "is not a domain or an http(s) URL."
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return (
            "uses http:// on a host that is not this machine; tokens would travel unprotected. "
            "Use https://."
        )
    return _problem_with_parts(parts, path=path)


def _problem_with_parts(parts: SplitResult, *, path: bool) -> str | None:
    if parts.username is not None or parts.query or parts.fragment or "\\" in parts.geturl():
        return "may have no user name, query, fragment or backslash."
    if parts.path not in ("", "/") and not path:
        return "may have no path; write the origin alone, such as https://app.example.com."
    return None
