"""Times in the language and the time zone of the reader's browser, which formats them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import reflex as rx
from reflex.vars import FunctionStringVar

_FORMAT: Any = FunctionStringVar.create(
    "((iso, options) => iso && new Date(iso).toLocaleString(undefined, options))"
)
_DATE = {"dateStyle": "long", "timeStyle": "short"}
_TIME = {"timeStyle": "medium"}


def iso(epoch_seconds: float) -> str:
    """The time as `local_time` takes it: ISO 8601, in UTC."""
    return datetime.fromtimestamp(epoch_seconds, UTC).isoformat(timespec="seconds")


def local_time(at: rx.Var[str] | str, *, has_date: bool = True) -> rx.Component:
    """A time in the reader's words; without `has_date`, the time of day to the second."""
    text = _FORMAT.call(at, _DATE if has_date else _TIME).to(str)
    return rx.el.time(text, date_time=at)
