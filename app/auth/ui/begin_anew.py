"""When the user of a tab goes or changes: nothing of the one before stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reflex.state import BaseState
from reflex_base.constants import ROUTER_DATA, ROUTER_VARS
from reflex_base.registry import RegistrationContext

from .state import UserScopedState

_OF_THE_CONNECTION = frozenset((*ROUTER_VARS, ROUTER_DATA))  # Reflex does not reset them either


async def begin_anew(root: BaseState, is_guarded: Callable[[type[BaseState]], bool]) -> None:
    """Every State that is not for everybody returns to its defaults, and the next delta has all
    that whoever is there now may see.

    Where states are in Redis, an event loads only those that it needs; here the others are, too.
    """
    for state_class in list(RegistrationContext.get().base_states.values()):
        if issubclass(state_class, UserScopedState) or is_guarded(state_class):
            state: BaseState = await root.get_state(state_class)
            if not _is_at_its_defaults(state):
                state.reset()  # type: ignore[no-untyped-call]
    _send_all(root)


def _is_at_its_defaults(state: BaseState) -> bool:
    """Then a reset would change nothing, and have Reflex write the state of a new tab to where it
    keeps states, one by one."""
    own, values = type(state), vars(state)
    return all(
        _is_same(values[name], field.default_value())
        for name, field in own.get_fields().items()
        if field._owner is own and name in values and name not in _OF_THE_CONNECTION
    )


def _is_same(value: Any, default: Any) -> bool:
    try:
        return type(value) is type(default) and bool(value == default)
    except Exception:  # what cannot be compared is not known to be the same
        return False


def _send_all(state: BaseState) -> None:
    state.dirty_vars.update(state.base_vars)
    state.dirty_vars.update(state.computed_vars)
    state._mark_ancestors_dirty()
    for substate in state.substates.values():
        _send_all(substate)
