"""When the user of a tab goes or changes: nothing of the one before stays."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from types import MemberDescriptorType

from reflex.istate.manager import get_state_manager
from reflex.istate.manager.disk import StateManagerDisk
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.redis import StateManagerRedis
from reflex.istate.manager.token import BaseStateToken
from reflex.state import BaseState
from reflex_base.registry import RegistrationContext

from .access_rules import AccessRules, backend_variables, is_reflexs
from .socket import connection_of_root
from .state import UserScopedState

logger = logging.getLogger(__name__)

_LINKS = "_reflex_internal_links"  # of the root: the name of each shared state, and of what to


async def begin_anew(root: BaseState, rules: AccessRules) -> None:
    """Every State and every variable that is not for everybody returns to its default, and the next
    delta has all that whoever is there now may see.

    Whatever they hold: values that compare as equal to a default may still carry something of
    somebody, and so may a cached computed variable.
    """
    await _leave_shared_states(root)
    manager = get_state_manager()
    if isinstance(manager, StateManagerRedis):
        await _load_all(root, rules)
    # Reflex would write a file of defaults for every State of every new tab. Elsewhere, something
    # may be kept that could not be read, and has to be written over.
    skips_blank = isinstance(manager, StateManagerDisk | StateManagerMemory)
    _reset(root, rules, skips_blank=skips_blank)
    if isinstance(manager, StateManagerDisk):
        _remove_files(manager, connection_of_root(root).client_token, rules)


async def _leave_shared_states(root: BaseState) -> None:
    """What a tab shares with others stays as it is for them; the tab has its own copy again."""
    if not root.__dict__.get(_LINKS):
        return
    # Not above: it is a State, which every tab of every app would have then.
    from reflex.istate.shared import SharedStateBaseInternal

    shared = await root.get_state(SharedStateBaseInternal)
    client_token = connection_of_root(root).client_token
    for linked in shared._held_locks_linked_states():
        linked._linked_from.discard(client_token)
    setattr(root, _LINKS, {})
    if shared._exit_stack is not None:
        await shared._exit_stack.aclose()  # puts the copies back, and lets go of the others


async def _load_all(root: BaseState, rules: AccessRules) -> None:
    """In Redis, an event loads only the States that it needs."""
    for state_class in _not_for_everybody(rules):
        await root.get_state(state_class)


def _remove_files(manager: StateManagerDisk, client_token: str, rules: AccessRules) -> None:
    """Of the user before, without waiting for Reflex, which writes the files of a tab later, one by
    one: were it to end between two of them, their data would be found beside the name of the next
    user. One that is being written at this moment comes back until then.

    (In Redis a tab's States are written together.)
    """
    kept: OSError | None = None
    for state_class in _not_for_everybody(rules):
        token = BaseStateToken(ident=client_token, cls=state_class)
        try:
            manager.token_path(token).unlink(missing_ok=True)
        except OSError as error:
            kept = error
    if kept is not None:
        logger.error("What a user left in a file cannot be removed: %s", kept)


def _reset(state: BaseState, rules: AccessRules, *, skips_blank: bool) -> None:
    state_class = type(state)
    if _is_of_a_user(state_class, rules):
        if not (skips_blank and all(map(_is_blank, _tree(state)))):
            _empty(state)
    elif not (skips_blank and _is_blank(state)):
        for name in _guarded_variables(state_class, rules):
            setattr(state, name, state_class.get_fields()[name].default_value())
        if state_class.computed_vars:
            state._was_touched = True  # or what was computed would stay where it is kept
    for computed in state_class.computed_vars.values():
        computed.mark_dirty(state)
    state.dirty_vars.update(state.base_vars)
    state.dirty_vars.update(state.computed_vars)
    state._mark_ancestors_dirty()
    for substate in state.substates.values():
        _reset(substate, rules, skips_blank=skips_blank)


def _is_blank(state: BaseState) -> bool:
    """Whether it is as it was made: Reflex gives a State its values when they are first asked for,
    and all of them when it is written."""
    return not vars(state) and not any(hasattr(state, name) for name in _slots(type(state)))


def _empty(state: BaseState) -> None:
    """A State and those below it. Reflex resets what is declared; names that are not (`self.__x`,
    and any name in production) are just as much the user's, and so are slots."""
    state.reset()  # type: ignore[no-untyped-call]
    for each in _tree(state):
        for name in vars(each).keys() - each.get_fields().keys():
            del vars(each)[name]
        for name in _slots(type(each)):
            if hasattr(each, name):
                delattr(each, name)


@functools.cache
def _slots(state_class: type[BaseState]) -> tuple[str, ...]:
    """Those that a State has besides Reflex's own (`__slots__`)."""
    classes = [cls for cls in state_class.__mro__ if not is_reflexs(cls)]
    return tuple(
        name
        for cls in classes
        for name, member in vars(cls).items()
        if isinstance(member, MemberDescriptorType)
    )


def _tree(state: BaseState) -> Iterator[BaseState]:
    yield state
    for substate in state.substates.values():
        yield from _tree(substate)


def _not_for_everybody(rules: AccessRules) -> list[type[BaseState]]:
    """The States of a user, those that keep some variables for some, and those that may have
    computed something of either."""
    return [
        state_class
        for state_class in RegistrationContext.get().base_states.values()
        if _is_of_a_user(state_class, rules)
        or state_class.computed_vars
        or any(_guarded_variables(state_class, rules))
    ]


def _is_of_a_user(state_class: type[BaseState], rules: AccessRules) -> bool:
    is_guarded = not rules.of_state(state_class).is_public
    return is_guarded or issubclass(state_class, UserScopedState)


def _guarded_variables(state_class: type[BaseState], rules: AccessRules) -> Iterator[str]:
    """Single variables that a State which is for everybody keeps for some."""
    if rules.of_state(state_class).is_public:
        for name in (*state_class.base_vars, *backend_variables(state_class)):
            if not rules.of_variable(state_class, name).is_public:
                yield name
