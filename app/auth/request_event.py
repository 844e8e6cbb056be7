"""What the interceptor tells about a request: where it went, and whether a token went along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestEvent:
    """One hop of a request. Holds no token, no header's value and no query.

    `entry` is the entry of the allowed list that matched. `reason` is a stable code that says why a
    token was `attached` or not: `attached`, `anonymous`, `skipped`, `own_authorization`,
    `diverted`, `not_on_list`, `odd_url`, or the code of the error because of which nothing was
    sent. `status` is the answer's, or None with the name of the `error`. `milliseconds` last from
    the decision to the answer's headers, `retries` says how often it was sent again, and `hop` is
    its place in a chain of redirects, from 0.
    """

    method: str
    url: str
    entry: str | None
    attached: bool
    reason: str
    audience: str | None = None
    scope: str | None = None
    status: int | None = None
    error: str | None = None
    milliseconds: float = 0.0
    retries: int = 0
    hop: int = 0


Observer = Callable[[RequestEvent], None]
"""Is told of a request when its answer has begun, or when there will be none."""
