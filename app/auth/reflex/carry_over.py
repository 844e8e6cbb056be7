"""States whose values are carried over into a login: a cart, a draft."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import reflex as rx
from reflex.istate.manager.token import BaseStateToken
from reflex.state import BaseState
from reflex_base.registry import RegistrationContext

from ..http.connections import Connection
from ..http.state_trees import NOBODY, StateTrees
from .state import AuthState

_MARK = "_auth_carry_over"

Target = TypeVar("Target", bound=type[BaseState])


def mark_carry_over(state: Target) -> Target:
    """Mark a State as carried over, and return it."""
    setattr(state, _MARK, True)
    return state


class CarryOver:
    """Moves values out of the tree that a tab showed before its user signed in."""

    def __init__(self, state_trees: StateTrees) -> None:
        self._state_trees = state_trees

    async def into(self, app: rx.App, auth_state: AuthState, connection: Connection) -> None:
        """Move the values, once for each login in each tab. The source is reset."""
        if auth_state._has_carried_over:
            return
        auth_state._has_carried_over = True
        source = self._state_trees.tree_of(connection.client_token, NOBODY)
        for state in RegistrationContext.get().base_states.values():
            if vars(state).get(_MARK):
                values = await _taken(app, source, state)
                target = await auth_state.get_state(state)
                for name, value in values.items():
                    setattr(target, name, value)


async def _taken(app: rx.App, tree: str, state: type[BaseState]) -> dict[str, Any]:
    """Return the values of a State that differ from the defaults, and reset it."""
    declared = vars(state).get("__annotations__", {})
    async with app.state_manager.modify_state(BaseStateToken(ident=tree, cls=state)) as root:
        source = await root.get_state(state)
        fields = {name: f for name, f in state.get_fields().items() if name in declared}
        values = {name: source.get_value(name) for name in fields}
        # Copied, so that the two trees share no mutable values.
        changed = {
            name: copy.deepcopy(value)
            for name, value in values.items()
            if value != fields[name].default_value()
        }
        if changed:
            source.reset()  # type: ignore[no-untyped-call]
    return changed
