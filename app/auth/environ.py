"""The environment, read as a whole: every missing or bad variable is named at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .config import (
    DEFAULT_APP_BASE_URL,
    MINIMUM_SECRET_LENGTH,
    AuthConfig,
    AuthorizationParams,
    ClientAuthenticationConfig,
)
from .errors import ConfigError
from .signing_key import SIGNATURE_ALGORITHMS, import_signing_key
from .urls import url_problem

AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
NO_AUDIENCE = "none"  # for a provider that knows no such parameter, whatever the app's default is
WITHOUT_SECRET = ("private_key_jwt", "none")

_REQUIRED = ("AUTH0_DOMAIN", "AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET", "AUTH0_SECRET")
_HOW_TO_FILL = {
    "AUTH0_DOMAIN": "the tenant's domain, such as example.eu.auth0.com",
    "AUTH0_CLIENT_ID": "the application's Client ID",
    "AUTH0_CLIENT_SECRET": "the application's Client Secret",
    "AUTH0_SECRET": "32 random bytes that seal what is stored: openssl rand -hex 32",
}
_SWITCHES = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}


def local_tenant_port(environ: Mapping[str, str]) -> int:
    """The port of the local tenant: `LOCAL_TENANT_PORT`, or 4400."""
    text = environ.get("LOCAL_TENANT_PORT", "").strip() or "4400"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ConfigError(f"LOCAL_TENANT_PORT={text} is not a port number (1 to 65535).")
    return int(text)


class Reader:
    """Collects problems while reading, so that all of them are reported at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {name: value.strip() for name, value in environ.items()}
        self._problems: list[str] = []

    def config(self, defaults: AuthorizationParams) -> AuthConfig:
        """The configuration; raises `ConfigError` with every problem."""
        app_base_url = self._url("APP_BASE_URL", DEFAULT_APP_BASE_URL)
        credentials = self._credentials() if self._is_any_set() else self._local_tenant()
        audience = self._get("AUTH0_AUDIENCE") or defaults.audience
        if audience == NO_AUDIENCE:
            audience = None
        if audience:
            audience = audience.replace("{domain}", str(credentials["domain"]))
        values: dict[str, Any] = {
            "authorization_params": replace(
                defaults, audience=audience, scope=self._scope(defaults.scope)
            ),
            "app_base_url": app_base_url,
            "app_api_url": self._url("APP_API_URL", app_base_url),
            "redis_url": self._redis_url(),
            "rotation_overlap": self._seconds("AUTH0_ROTATION_OVERLAP"),
            "is_multi_resource": self._switch(
                "AUTH0_MULTI_RESOURCE_REFRESH", default=bool(credentials.get("is_local_tenant"))
            ),
            "pushes_requests": self._switch("AUTH0_PUSHED_AUTHORIZATION_REQUESTS", default=False),
            "issuer_identifier": self._issuer(),
            "id_token_signed_response_alg": self._one_of(
                "AUTH0_ID_TOKEN_SIGNED_RESPONSE_ALG", SIGNATURE_ALGORITHMS
            ),
            "trusted_audiences": self._list("AUTH0_TRUSTED_AUDIENCES"),
            "trusted_proxies": self._number("APP_TRUSTED_PROXIES"),
            "client_authentication": self._client_authentication(),
        }
        if self._problems:
            raise ConfigError(self._problems)
        return AuthConfig(**credentials, **values)

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

    def _number(self, name: str) -> int:
        text = self._get(name) or "0"
        if not text.isdecimal():
            self._problems.append(f"{name}={text} is not a number, such as 1.")
            return 0
        return int(text)

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

    def _local_tenant(self) -> dict[str, Any]:
        return {
            "domain": f"http://127.0.0.1:{local_tenant_port(self._environ)}",
            "client_id": "local-app",
            "client_secret": "local-secret",
            "secrets": self._secrets(),
            "is_local_tenant": True,
        }

    def _credentials(self) -> dict[str, Any]:
        needs_secret = self._get("AUTH0_TOKEN_ENDPOINT_AUTH_METHOD") not in WITHOUT_SECRET
        self._problems += [
            f"{name} is not set: {_HOW_TO_FILL[name]}."
            for name in _REQUIRED
            if not self._get(name) and (needs_secret or name != "AUTH0_CLIENT_SECRET")
        ]
        return {
            "domain": self._domain(),
            "client_id": self._get("AUTH0_CLIENT_ID"),
            "client_secret": self._get("AUTH0_CLIENT_SECRET") or "",
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
        problem = url_problem(text, path=path)
        if problem:
            self._problems.append(f"{name}={self._get(name) or text} {problem}")
        return text.rstrip("/")

    def _issuer(self) -> str | None:
        """Kept letter by letter: a slash at its end is part of it."""
        text = self._get("AUTH0_ISSUER")
        problem = url_problem(text, path=True) if text else None
        if problem:
            self._problems.append(f"AUTH0_ISSUER={text} {problem}")
        return text

    def _client_authentication(self) -> ClientAuthenticationConfig:
        method = self._one_of("AUTH0_TOKEN_ENDPOINT_AUTH_METHOD", AUTH_METHODS)
        key = self._get("AUTH0_CLIENT_ASSERTION_SIGNING_KEY")
        if method == "private_key_jwt":
            self._check_signing_key(key)
        return ClientAuthenticationConfig(method, key)

    def _check_signing_key(self, text: str | None) -> None:
        """The value is not quoted in the problem: it is a private key."""
        try:
            import_signing_key(text or "")
        except ConfigError as error:
            self._problems += error.problems

    def _one_of(self, name: str, values: tuple[str, ...]) -> str | None:
        text = self._get(name)
        if text is not None and text not in values:
            self._problems.append(f"{name}={text} is not one of {', '.join(values)}.")
        return text

    def _list(self, name: str) -> tuple[str, ...]:
        parts = (part.strip() for part in (self._get(name) or "").split(","))
        return tuple(part for part in parts if part)
