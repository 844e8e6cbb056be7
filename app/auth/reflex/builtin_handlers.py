"""Reflex's own handlers that act on what their payload names.

`setvar` calls a setter of its State, and is looked at as a call of that setter.
`handle_frontend_exception` writes to the log. Those that write client storage are in
`client_storage`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from reflex.event import Event
from reflex.state import FrontendEventExceptionState
from reflex_base.registry import RegisteredEventHandler, RegistrationContext

from .access_rules import is_setvar, setter_of
from .payloads import parameters_of

LONGEST_REPORT = 2000  # characters of an exception in a browser, for the log

_REPORT = f"{FrontendEventExceptionState.get_full_name()}.handle_frontend_exception"


class Call(NamedTuple):
    """The handler that an event runs in the end, and with what."""

    name: str
    handler: RegisteredEventHandler
    payload: dict[str, Any]

    @property
    def problem(self) -> str | None:
        """Why the payload does not fit the handler, in a few words; None if it does."""
        return parameters_of(self.handler.handler.fn).problem(self.payload)


def call_of(event: Event) -> Call | str | None:
    """What an event runs; a sentence where it names a setter that there is not, None where the
    event has no handler."""
    handlers = RegistrationContext.get().event_handlers
    handler = handlers.get(event.name)
    if handler is None:
        return None
    call = Call(event.name, handler, event.payload)
    if not is_setvar(handler) or call.problem:
        return call
    name = setter_of(handler, event.payload["var_name"])
    setter = handlers[name] if name else None
    if name is None or setter is None or not _is_plain(setter.handler.fn):
        return "there is no such setter"
    parameter, *_ = [*parameters_of(setter.handler.fn).types, "value"]
    return Call(name, setter, {parameter: event.payload["value"]})


def _is_plain(fn: Callable[..., Any]) -> bool:
    """`setvar` only calls its setter: one that has to be awaited would never run."""
    return not (
        inspect.iscoroutinefunction(fn)
        or inspect.isasyncgenfunction(fn)
        or inspect.isgeneratorfunction(fn)
    )


def is_report(event: Event) -> bool:
    """Whether it reports an exception in the browser, which Reflex logs."""
    return event.name == _REPORT


def shorten(event: Event) -> None:
    """Cut the texts of a report."""
    for name, value in event.payload.items():
        event.payload[name] = value[:LONGEST_REPORT]
