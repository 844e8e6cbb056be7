"""One entry of the record."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What it is about."""

    LOGIN_STARTED = "login_started"
    LOGIN_COMPLETED = "login_completed"
    LOGOUT = "logout"
    TOKEN_REFRESH = "token_refresh"  # noqa: S105
    SESSION_EXPIRED = "session_expired"
    SESSION_REVOKED = "session_revoked"
    ACCESS = "access"
    INTERCEPTOR = "interceptor"
    LIMIT = "limit"


class Outcome(StrEnum):
    """How it went: `denied` is a decision, `failure` is something that did not work."""

    SUCCESS = "success"
    DENIED = "denied"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Holds no token, code, cookie or query, and no text of a provider's.

    `reason` is a stable code, `time` epoch seconds. `sub` is the user's, `session` a name for the
    session (`session_name`): the same in every entry about it, and of no other use. `target` is the
    page, the handler, the audience, or the request (method and URL). `error_id` is what
    the user was shown and the log line begins with. `milliseconds` is how long it took, or 0.
    """

    kind: Kind
    outcome: Outcome
    reason: str
    time: float
    sub: str | None = None
    session: str | None = None
    target: str | None = None
    error_id: str | None = None
    milliseconds: float = 0.0


AuditHook = Callable[[AuditEvent], Awaitable[None] | None]
"""Is told; what it returns or raises changes nothing. A synchronous one should be quick."""


def session_name(ref: str) -> str:
    """A name for a session in the record. The store's key, which `ref` is, stays out of it."""
    return hashlib.sha256(f"audit\0{ref}".encode()).hexdigest()[:16]
