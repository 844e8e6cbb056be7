"""When the user of a tab goes or changes: nothing of the one before stays."""

from __future__ import annotations

from collections.abc import Iterator

from reflex.istate.manager import get_state_manager
from reflex.istate.manager.disk import StateManagerDisk
from reflex.istate.manager.redis import StateManagerRedis
from reflex.istate.manager.token import BaseStateToken
from reflex.state import BaseState
from reflex_base.registry import RegistrationContext

from .access_marks import AccessRules
from .socket import connection_of_root
from .state import UserScopedState

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
    if isinstance(manager, StateManagerDisk):
        _remove_files(manager, connection_of_root(root).client_token, rules)
    _reset(root, rules, even_blank=isinstance(manager, StateManagerRedis))


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
    """Of the user before, at once: Reflex writes the files of a tab later, one by one. Were it to
    end between two of them, their data would be found beside the name of the next user.

    (In Redis a tab's States are written together.)
    """
    for state_class in _not_for_everybody(rules):
        token = BaseStateToken(ident=client_token, cls=state_class)
        manager.token_path(token).unlink(missing_ok=True)


def _reset(state: BaseState, rules: AccessRules, *, even_blank: bool) -> None:
    """`even_blank`: also what was never touched, so that it is written in the place of something
    that may be kept and could not be read. Else Reflex would write defaults for every new tab."""
    state_class = type(state)
    if _is_of_a_user(state_class, rules):
        if even_blank or not all(map(_is_blank, _tree(state))):
            _empty(state)
    elif even_blank or not _is_blank(state):
        for name in _guarded_variables(state_class, rules):
            setattr(state, name, state_class.get_fields()[name].default_value())
    for computed in state_class.computed_vars.values():
        computed.mark_dirty(state)
    state.dirty_vars.update(state.base_vars)
    state.dirty_vars.update(state.computed_vars)
    state._mark_ancestors_dirty()
    for substate in state.substates.values():
        _reset(substate, rules, even_blank=even_blank)


def _is_blank(state: BaseState) -> bool:
    """Whether it is as it was made: Reflex gives a State its values when they are first asked for,
    and all of them when it is written."""
    return not vars(state)


def _empty(state: BaseState) -> None:
    """A State and those below it. Reflex resets what is declared; names that are not (`self.__x`,
    and any name in production) are just as much the user's."""
    state.reset()  # type: ignore[no-untyped-call]
    for each in _tree(state):
        for name in vars(each).keys() - each.get_fields().keys():
            del vars(each)[name]


def _tree(state: BaseState) -> Iterator[BaseState]:
    yield state
    for substate in state.substates.values():
        yield from _tree(substate)


def _not_for_everybody(rules: AccessRules) -> list[type[BaseState]]:
    """The States of a user, and those that keep some variables for some."""
    return [
        state_class
        for state_class in RegistrationContext.get().base_states.values()
        if _is_of_a_user(state_class, rules) or any(_guarded_variables(state_class, rules))
    ]


def _is_of_a_user(state_class: type[BaseState], rules: AccessRules) -> bool:
    is_guarded = not rules.of_state(state_class).is_public
    return is_guarded or issubclass(state_class, UserScopedState)


def _guarded_variables(state_class: type[BaseState], rules: AccessRules) -> Iterator[str]:
    """Single variables that a State which is for everybody keeps for some."""
    if rules.of_state(state_class).is_public:
        for name in state_class.base_vars:
            if not rules.of_variable(state_class, name).is_public:
                yield name
