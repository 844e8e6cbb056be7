"""Environment variables as checked values. Every missing or bad variable is reported at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from .errors import ConfigError
from .lifetimes import Lifetimes
from .signing_key import import_signing_key
from .urls import base_url_problem, base_urls_problems, logout_url_problem, url_problem

MINIMUM_SECRET_LENGTH = 32  # characters
_PAGE_PATH = re.compile(r"(/[A-Za-z0-9_~.-]+)+")
NEUTRAL_NAMES = {
    "AUTH0_DOMAIN": "OIDC_ISSUER",
    "AUTH0_ISSUER": "OIDC_ISSUER",
    "AUTH0_SECRET": "APP_SECRET",
    "AUTH0_CLIENT_ID": "OIDC_CLIENT_ID",
    "AUTH0_CLIENT_SECRET": "OIDC_CLIENT_SECRET",
    "AUTH0_AUDIENCE": "OIDC_AUDIENCE",
    "AUTH0_SCOPE": "OIDC_SCOPE",
    "AUTH0_MULTI_RESOURCE_REFRESH": "OIDC_MULTI_RESOURCE_REFRESH",
    "AUTH0_ROTATION_OVERLAP": "OIDC_ROTATION_OVERLAP",
    "AUTH0_CLAIMS_MAX_AGE": "OIDC_CLAIMS_MAX_AGE",
    "AUTH0_TOKEN_ENDPOINT_AUTH_METHOD": "OIDC_TOKEN_ENDPOINT_AUTH_METHOD",
    "AUTH0_CLIENT_ASSERTION_SIGNING_KEY": "OIDC_CLIENT_ASSERTION_SIGNING_KEY",
    "AUTH0_PUSHED_AUTHORIZATION_REQUESTS": "OIDC_PUSHED_AUTHORIZATION_REQUESTS",
    "AUTH0_ID_TOKEN_SIGNED_RESPONSE_ALG": "OIDC_ID_TOKEN_SIGNED_RESPONSE_ALG",
    "AUTH0_TRUSTED_AUDIENCES": "OIDC_TRUSTED_AUDIENCES",
    "AUTH0_TITLE": "OIDC_TITLE",
    "AUTH0_DPOP": "OIDC_DPOP",
    "AUTH0_CLIENT_CERTIFICATE": "OIDC_CLIENT_CERTIFICATE",
    "AUTH0_CLIENT_CERTIFICATE_KEY": "OIDC_CLIENT_CERTIFICATE_KEY",
}
"""The names of the same variables for another provider than Auth0."""

_OF_PROVIDER = (NEUTRAL_NAMES.keys() | set(NEUTRAL_NAMES.values())) - {"AUTH0_SECRET", "APP_SECRET"}
_SWITCHES = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}


class EnvironReader:
    """Reads one variable with each call and collects what is wrong; `check` reports all of it.

    An empty variable counts as not set. A value with a problem is returned as far as it can be
    read, so that the other variables are checked, too. An `AUTH0_` variable may have its neutral
    name, by which problems then call it; both at once are a problem.
    """

    def __init__(self, environ: Mapping[str, str], *, provider: str = "") -> None:
        """With a `provider`, its variables have its name in front, and the others do not count."""
        self._prefix = f"{provider.upper().replace('-', '_')}_" if provider else ""
        self._values = {name: text for name, value in environ.items() if (text := value.strip())}
        if self._prefix:
            self._values = {**self._without_providers(), **self._of_provider()}
        self._problems: list[str] = []
        self._has_neutral_names = any(name.startswith("OIDC_") for name in self._values)
        for name, neutral in NEUTRAL_NAMES.items():
            if neutral in self._values:
                if name in self._values:
                    self._problems.append(f"{name} and {neutral} are both set; keep one of them.")
                self._values[name] = self._values[neutral]

    def _without_providers(self) -> dict[str, str]:
        return {name: text for name, text in self._values.items() if name not in _OF_PROVIDER}

    def _of_provider(self) -> dict[str, str]:
        found = {name: self._values.get(f"{self._prefix}{name}") for name in _OF_PROVIDER}
        return {name: text for name, text in found.items() if text is not None}

    def check(self) -> None:
        """Raise `ConfigError` with every problem found so far, if there is one."""
        if self._problems:
            raise ConfigError(self._problems)

    def has_any(self, names: Collection[str]) -> bool:
        """Whether one of these variables is set."""
        return not self._values.keys().isdisjoint(names)

    def fall_back(self, values: Mapping[str, str]) -> None:
        """Take these values for variables that are not set."""
        self._values = {**values, **self._values}

    def require(self, names: Mapping[str, str]) -> None:
        """Each of these variables must be set; the mapping says with what."""
        self._problems += [
            f"{self._spelled(name)} is not set: {what}."
            for name, what in names.items()
            if not self.text(name)
        ]

    def text(self, name: str) -> str | None:
        """The value as it is written; None if there is none."""
        return self._values.get(name)

    def one_of(self, name: str, values: tuple[str, ...]) -> str | None:
        """One of these values, or None."""
        text = self.text(name)
        if text is not None and text not in values:
            self._problems.append(
                f"{self._spelled(name)}={text} is not one of {', '.join(values)}."
            )
        return text

    def switch(self, name: str) -> bool:
        """On or off; off if it is not set."""
        text = self.text(name)
        if text is not None and text.lower() not in _SWITCHES:
            self._problems.append(f"{self._spelled(name)}={text} is neither 1 (on) nor 0 (off).")
        return _SWITCHES.get((text or "").lower(), False)

    def whole_number(self, name: str, what: str, *, default: int = 0) -> int:
        """A whole number. `what` says in a problem what it counts."""
        text = self.text(name) or str(default)
        if not text.isdecimal():
            self._problems.append(f"{self._spelled(name)}={text} is not a {what}, such as 2.")
            return 0
        return int(text)

    def texts(self, name: str) -> tuple[str, ...]:
        """The parts of a comma-separated list."""
        parts = (part.strip() for part in (self.text(name) or "").split(","))
        return tuple(part for part in parts if part)

    def logout_urls(self, name: str) -> tuple[str, ...]:
        """A comma-separated list of absolute URLs, without those that have a problem."""
        problems = {url: logout_url_problem(url) for url in self.texts(name)}
        self._problems += [
            f"{name}={url} {problem}" for url, problem in problems.items() if problem
        ]
        return tuple(url for url, problem in problems.items() if not problem)

    def lifetimes(self, idle_name: str, absolute_name: str) -> Lifetimes:
        """Lifetimes of sessions, from two variables in seconds; the defaults if there is a problem.
        With a shorter `absolute` alone, `idle` is not longer either."""
        default = Lifetimes()
        absolute = self._seconds(absolute_name, default.absolute)
        idle = self._seconds(idle_name, min(default.idle, absolute))
        if idle > absolute:
            self._problems.append(
                f"{idle_name}={idle:.0f} exceeds {absolute_name}={absolute:.0f}: a session would "
                "never be idle for that long."
            )
            return default
        return replace(default, idle=idle, absolute=absolute)

    def _seconds(self, name: str, default: float) -> float:
        text = self.text(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal()) or not 60 <= int(text[:12]) <= 1e10:
            self._problems.append(f"{name}={text} is not a number of seconds, 60 or more.")
            return default
        return float(text)

    def base_url(self, name: str, default: str) -> str:
        """The http(s) URL of an app, which may have a path, without a trailing slash."""
        text = self.text(name)
        if text is None:
            return default
        if problem := base_url_problem(text):
            self._problems.append(f"{name}={text} {problem}")
        return text.rstrip("/")

    def base_urls(self, default: str) -> tuple[str, tuple[str, ...]]:
        """The base URL, and further ones: `APP_BASE_URL`, or `APP_BASE_URLS` for several."""
        urls = tuple(url.rstrip("/") for url in self.texts("APP_BASE_URLS"))
        if not urls:
            return self.base_url("APP_BASE_URL", default), ()
        if self.text("APP_BASE_URL") is not None:
            self._problems.append("APP_BASE_URL and APP_BASE_URLS are both set; keep one of them.")
        api_url = (self.text("APP_API_URL") or urls[0]).rstrip("/")
        problems = base_urls_problems(urls[0], api_url, urls[1:])
        if len(urls) == 1 and (problem := base_url_problem(urls[0])):
            problems = [f"{urls[0]} {problem}"]
        self._problems += [f"APP_BASE_URLS: {problem}" for problem in problems]
        return urls[0], () if problems else urls[1:]

    def unset_origins(self) -> frozenset[str]:
        """Which of the origins are not set."""
        names = {"APP_BASE_URL": ("APP_BASE_URL", "APP_BASE_URLS"), "APP_API_URL": ("APP_API_URL",)}
        return frozenset(name for name, written in names.items() if not self.has_any(written))

    def page_path(self, name: str, path: str) -> str:
        """A page's path, which is given in the code and not as a variable."""
        if not _PAGE_PATH.fullmatch(path) or path == "/auth" or path.startswith("/auth/"):
            self._problems.append(
                f'{name}="{path}" is not the path of a page of the app, such as /error.'
            )
        return path

    def domain(self, name: str) -> str:
        """A domain or a URL, as a URL without a trailing slash; empty if it is not set."""
        text = self.text(name)
        if text is None:
            return ""
        url = text if "://" in text else f"https://{text}"
        return self._checked_url(name, url).rstrip("/")

    def issuer(self, name: str) -> str | None:
        """An issuer identifier; a trailing slash is part of it."""
        text = self.text(name)
        return self._checked_url(name, text) if text else None

    def redis_url(self, name: str) -> str | None:
        """A Redis URL. The problem does not quote it: it may hold a password."""
        text = self.text(name)
        if text and not text.startswith(("redis://", "rediss://", "unix://")):
            self._problems.append(
                f"{name} starts with neither redis:// nor rediss:// nor unix://; "
                "write it as in redis://:password@redis.internal:6379/0."
            )
        return text

    def scope(self, name: str, default: str) -> str:
        """Space-separated scopes, `openid` among them."""
        scope = self.text(name) or default
        if "openid" not in scope.split():
            self._problems.append(
                f'{self._spelled(name)} "{scope}" lacks "openid"; without it there is no login.'
            )
        return " ".join(scope.split())

    def secrets(self, name: str) -> tuple[str, ...]:
        """Comma-separated secrets, none of them short."""
        text = self.text(name)
        secrets = tuple(part.strip() for part in text.split(",")) if text else ()
        if any(len(secret) < MINIMUM_SECRET_LENGTH for secret in secrets):
            self._problems.append(
                f"{self._spelled(name)} is too short: each secret has at least "
                f"{MINIMUM_SECRET_LENGTH} characters. Make one with: openssl rand -hex 32"
            )
        return secrets

    def signing_key(self, name: str) -> str:
        """A private key as PEM or JWK. The problem does not quote it."""
        text = self.text(name) or ""
        try:
            import_signing_key(text)
        except ConfigError as error:
            self._problems += error.problems
        return text

    def _checked_url(self, name: str, url: str) -> str:
        problem = url_problem(url)
        if problem:
            self._problems.append(f"{self._spelled(name)}={self.text(name)} {problem}")
        return url

    def _spelled(self, name: str) -> str:
        """The name of a variable for this user."""
        neutral = NEUTRAL_NAMES.get(name, name)
        name = neutral if self._has_neutral_names or neutral in self._values else name
        return f"{self._prefix}{name}" if name in _OF_PROVIDER else name
