"""Reflex's own handlers that act on what their payload names: held to the rule of what is named.

`setvar` calls a setter of its State, and is looked at as a call of that setter.
`hydrate_and_load` and `update_vars_internal` write client storage (cookies, local and session
storage) into any State: only the variables that the user may see are written.
`handle_frontend_exception` writes to the log.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import reflex as rx
from reflex.event import Event
from reflex.istate.storage import ClientStorageBase
from reflex.state import BaseState, FrontendEventExceptionState, UpdateVarsInternalState
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.registry import RegisteredEventHandler, RegistrationContext

from ..access.policy import decide_for
from ..session import Session
from .access_rules import AccessRules, is_setvar, setter_of
from .payloads import parameters_of

LONGEST_REPORT = 2000  # characters of an exception in a browser, for the log

_WRITES_CLIENT_STORAGE = frozenset(
    {
        f"{rx.State.get_full_name()}.hydrate_and_load",
        f"{UpdateVarsInternalState.get_full_name()}.update_vars_internal",
    }
)
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


async def keep_permitted_storage(
    event: Event, rules: AccessRules, session: Session | None, clock: Callable[[], float]
) -> None:
    """Take out of an event that writes client storage what its sender may not see or what is no
    such variable."""
    values = event.payload.get("vars") if event.name in _WRITES_CLIENT_STORAGE else None
    if not values:
        return
    permitted = {}
    for full_name, value in values.items():
        state, name = _client_storage(full_name)
        if state is not None and isinstance(value, str | None):
            decision = await decide_for(rules.of_variable(state, name), session, clock)
            if decision.denial is None:
                permitted[full_name] = value
    event.payload["vars"] = permitted


def _client_storage(full_name: str) -> tuple[type[BaseState] | None, str]:
    """The State and the plain name of a variable; None if it is not kept in the browser."""
    state_name, _, name = full_name.rpartition(".")
    name = name.removesuffix(FIELD_MARKER)
    state = RegistrationContext.get().base_states.get(state_name)
    field = state.get_fields().get(name) if state else None
    return (state if field and isinstance(field.default, ClientStorageBase) else None), name
