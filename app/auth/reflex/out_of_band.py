"""Changes of a tab's states that no event of its own makes: `app.modify_state`, by which Reflex
also tells all tabs that are linked to a shared state."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import reflex as rx
from reflex.state import BaseState

from .bound_to import BoundTo, bound_to
from .connections import Connections
from .socket import connection_of, root_of
from .state import AuthState, sub_of


def bind_out_of_band(app: rx.App, connections: Connections) -> None:
    """Bind what they send to whoever the tab's states are of, and not to whoever caused it."""
    modify_state = app.modify_state

    @asynccontextmanager
    async def modify(*args: Any, **kwargs: Any) -> AsyncIterator[BaseState]:
        before = bound_to.get()
        try:
            async with modify_state(*args, **kwargs) as state:
                bound_to.set(await _owner_of(state, connections))
                yield state
        finally:
            bound_to.set(before)

    app.modify_state = modify  # type: ignore[method-assign]


async def _owner_of(state: BaseState, connections: Connections) -> BoundTo:
    sid = connection_of(state).session_id
    auth_state = await root_of(state).get_state(AuthState)  # in Redis, not loaded by itself
    return BoundTo(sid, connections.reference_of(sid), sub_of(auth_state))
