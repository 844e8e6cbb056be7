"""The quotas for requests and events, which keep one client from exhausting the service."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from throttled.exceptions import DataError
from throttled.rate_limiter import Quota
from throttled.rate_limiter.quota_parser import parse

from .errors import ConfigError


@dataclass(frozen=True, slots=True)
class Limits:
    """Quotas such as `120/minute` or `50/second burst 500`. The burst is how many may come at once;
    it defaults to the first number. A client is an IPv4 address or an IPv6 /64 network.

    `login`, `callback` and `backchannel_logout` limit the requests of a client to these routes, and
    `connection` its websockets. `login_of_all` limits the logins of all clients, and so how many
    can be half open. `event` limits the events of a session or, without one, of a tab;
    `event_of_client` those of all sessions and tabs of a client.
    """

    login: str = "120/minute"
    callback: str = "120/minute"
    backchannel_logout: str = "600/minute"
    login_of_all: str = "3000/minute"
    connection: str = "600/minute"
    event: str = "100/second burst 1000"
    event_of_client: str = "1000/second burst 10000"

    def __post_init__(self) -> None:
        """Raises `ConfigError`, which names every invalid quota."""
        problems = [
            problem
            for field in dataclasses.fields(self)
            if (problem := _problem(field.name, getattr(self, field.name)))
        ]
        if problems:
            raise ConfigError(problems)

    @classmethod
    def parse(cls, text: str) -> Limits | None:
        """Parse a text such as `login=20/minute, event=100/second burst 1000` (the variable
        `APP_LIMITS`). Other limits keep their defaults. The text `off` gives None: no limits.

        Raises:
            ConfigError: a name is unknown, or a quota is invalid.
        """
        if text.strip().lower() == "off":
            return None
        pairs = [part.partition("=") for part in text.split(",") if part.strip()]
        given = {name.strip(): value.strip() for name, _, value in pairs}
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := given.keys() - known:
            raise ConfigError(
                f"APP_LIMITS: there is no limit {', '.join(sorted(unknown))}; "
                f"there are {', '.join(sorted(known))}."
            )
        try:
            return cls(**given)
        except ConfigError as error:
            raise ConfigError([f"APP_LIMITS: {problem}" for problem in error.problems]) from None


def quota(text: str) -> Quota:
    """Parse a single quota."""
    # `parse` accepts several quotas; a limit has one.
    (only,) = parse(text)
    return only


def _problem(name: str, text: str) -> str | None:
    try:
        quota(text)
    except (DataError, ValueError):
        return f"{name}={text!r} is no quota such as '120/minute' or '50/second burst 500'."
    return None
