"""Whom the event that runs now is bound to; for what it sends, which may come late."""

from __future__ import annotations

from contextvars import ContextVar
from typing import NamedTuple


class BoundTo(NamedTuple):
    """The session (`ref`) and the user of an event, as its binding found them; None for nobody.

    `sid` is the connection that it came by, whose session stays the same as long as it is open.
    `outlives_user`: it is a public background handler, which goes on for whoever comes next.
    """

    sid: str
    ref: str | None
    sub: str | None
    outlives_user: bool = False


bound_to: ContextVar[BoundTo | None] = ContextVar("auth_bound_to", default=None)
"""None outside of events."""
