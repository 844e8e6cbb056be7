"""When the user of a tab goes or changes: nothing of the one before stays."""

from __future__ import annotations

from collections.abc import Callable

from reflex.istate.manager import get_state_manager
from reflex.istate.manager.redis import StateManagerRedis
from reflex.state import BaseState
from reflex_base.registry import RegistrationContext

from .state import UserScopedState

IsGuarded = Callable[[type[BaseState]], bool]


async def begin_anew(root: BaseState, is_guarded: IsGuarded) -> None:
    """Every State that is not for everybody returns to its defaults, and the next delta has all
    that whoever is there now may see.

    All of them, whatever they hold: values that compare as equal to a default may still carry
    something of somebody, and so may a cached computed variable.
    """
    if isinstance(get_state_manager(), StateManagerRedis):
        await _load_all(root, is_guarded)
    _reset(root, is_guarded)


async def _load_all(root: BaseState, is_guarded: IsGuarded) -> None:
    """In Redis, an event loads only the States that it needs."""
    for state_class in list(RegistrationContext.get().base_states.values()):
        if _is_of_a_user(state_class, is_guarded):
            await root.get_state(state_class)


def _reset(state: BaseState, is_guarded: IsGuarded) -> None:
    if _is_of_a_user(type(state), is_guarded):
        state.reset()  # type: ignore[no-untyped-call]
    state.dirty_vars.update(state.base_vars)
    state.dirty_vars.update(state.computed_vars)
    state._mark_ancestors_dirty()
    for substate in state.substates.values():
        _reset(substate, is_guarded)


def _is_of_a_user(state_class: type[BaseState], is_guarded: IsGuarded) -> bool:
    return issubclass(state_class, UserScopedState) or is_guarded(state_class)
