"""How often: the quotas that keep one client from being everybody's trouble."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from throttled.exceptions import DataError
from throttled.rate_limiter import Quota
from throttled.rate_limiter.quota_parser import parse

from .errors import ConfigError


@dataclass(frozen=True, slots=True)
class Limits:
    """Quotas such as `120/minute` or `50/second burst 500` (how many at once; else as many as the
    number says). A client is an address, or the /64 network of an IPv6 one.

    `login`, `callback` and `backchannel_logout` are requests of one client to these routes, and
    `connection` its websockets. `login_of_all` bounds how many logins can be half open, whoever
    begins them. `event` are the events of one session, or of one tab where nobody is signed in, and
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
        """Raises `ConfigError` that names every quota which is none."""
        problems = [
            problem
            for field in dataclasses.fields(self)
            if (problem := _problem(field.name, getattr(self, field.name)))
        ]
        if problems:
            raise ConfigError(problems)

    @classmethod
    def parse(cls, text: str) -> Limits | None:
        """Limits from a text such as `login=20/minute, event=100/second burst 1000` (the variable
        `APP_LIMITS`), which leaves the others as they are; None, which is no limits, from `off`.

        Raises:
            ConfigError: a name is unknown, or a quota is none.
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
    """The quota that a text describes."""
    (only,) = parse(text)
    return only


def _problem(name: str, text: str) -> str | None:
    try:
        quota(text)
    except (DataError, ValueError):
        return f"{name}={text!r} is no quota such as '120/minute' or '50/second burst 500'."
    return None
