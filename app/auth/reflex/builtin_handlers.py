"""Reflex's own handlers whose effect depends on their payload.

`setvar` calls a setter of its State, and is treated as a call of that setter.
`handle_frontend_exception` writes to the log. The handlers that write client storage are in
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

LONGEST_REPORT = 2000  # characters of a browser's exception that are logged

_REPORT = f"{FrontendEventExceptionState.get_full_name()}.handle_frontend_exception"


class Call(NamedTuple):
    """The handler that an event finally runs, and its payload."""

    name: str
    handler: RegisteredEventHandler
    payload: dict[str, Any]

    @property
    def problem(self) -> str | None:
        """Why the payload does not fit the handler, in a few words; None if it does."""
        return parameters_of(self.handler.handler.fn).problem(self.payload)


def call_of(event: Event) -> Call | str | None:
    """Return what an event runs. A text says that the event names a missing setter; None, that the
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
    # `setvar` passes its value by position, whatever the setter's parameter is called.
    parameter, *_ = [*parameters_of(setter.handler.fn).types, "value"]
    return Call(name, setter, {parameter: event.payload["value"]})


def _is_plain(fn: Callable[..., Any]) -> bool:
    """Whether a setter runs when called. `setvar` awaits no coroutine and iterates no generator."""
    return not (
        inspect.iscoroutinefunction(fn)
        or inspect.isasyncgenfunction(fn)
        or inspect.isgeneratorfunction(fn)
    )


def is_report(event: Event) -> bool:
    """Whether an event reports an exception in the browser, which Reflex logs."""
    return event.name == _REPORT


def shorten(event: Event) -> None:
    """Truncate the texts of a report."""
    for name, value in event.payload.items():
        event.payload[name] = value[:LONGEST_REPORT]
