"""Binding every event to the session: what AuthState says is true now, not at page load."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import reflex as rx
from reflex.event import Event
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.event.processor.base_state_processor import chain_updates

from ..errors import StoreUnavailable
from ..session import SessionStore, StoredSession
from .access_gate import AccessGate
from .bound_to import BoundTo, bound_to
from .socket import connection_of, reference_of
from .state import AuthState, UserScopedState
from .subscription import subscribed_events
from .top_level_event import start_event

logger = logging.getLogger(__name__)

STORE_IS_AWAY = "Your session cannot be checked right now. You are still logged in; try again."
TOUCH_INTERVAL = 60.0  # seconds between two notes of "last seen", so that reads stay reads
_HYDRATES = frozenset({"hydrate", "hydrate_and_load"})


class SessionBinding(Middleware):
    """Runs under the tab's lock before every handler: compares, assigns, resets, announces."""

    def __init__(
        self, store: SessionStore, gate: AccessGate, *, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._gate = gate
        self._clock = clock

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        """Bind AuthState; then stop the event unless its handler may run for whoever is there."""
        auth_state = await state.get_state(AuthState)
        ref = reference_of(app, state)
        try:
            stored = await self._session(ref)
            error = ""
        except StoreUnavailable as failure:
            # Nothing of a session that cannot be checked is shown; it is not ended either.
            logger.warning("%s: %s", failure.code, failure)
            stored, error = None, STORE_IS_AWAY
        bound = BoundTo(ref, stored.session.sub if stored else None)
        bound_to.set(bound)
        user = stored.session.claims() if stored else None
        is_hydrating = _is_hydrate(event)
        has_changed = user != auth_state.user
        if has_changed:
            await _reset_user_scoped(state)
            _begin_anew(state._get_root_state(), self._gate.is_guarded)
        _assign(auth_state, user, error)
        if (has_changed or auth_state.is_loading) and not is_hydrating:
            await _tell_browser(state)
        if has_changed or (is_hydrating and user is not None):
            await _announce(app, state)
        session = stored.session if stored else None
        refusal = await self._gate.refusal(state, event, session, ref=ref, is_unknown=bool(error))
        if refusal is not None:
            await _tell_browser(state)  # a handler that does not run sends nothing
        bound_to.set(replace(bound, outlives_user=self._gate.outlives_its_user(event.name)))
        return refusal

    async def _session(self, ref: str | None) -> StoredSession | None:
        if ref is None:
            return None
        stored = await self._store.load(ref)
        if stored and self._clock() - stored.last_seen_at >= TOUCH_INTERVAL:
            await self._store.touch(ref)
        return stored


def _is_hydrate(event: Event) -> bool:
    """A page load or reconnect: the browser gets the whole state, and subscribers start anew."""
    prefix, _, name = event.name.rpartition(".")
    return name in _HYDRATES and prefix == rx.State.get_full_name()


def _assign(auth_state: AuthState, user: dict[str, Any] | None, error: str) -> None:
    """Assign what differs, so that an ordinary event sends nothing about the user."""
    values = {
        "user": user,
        "is_authenticated": user is not None,
        "error": error,
        "is_loading": False,
    }
    for name, value in values.items():
        if getattr(auth_state, name) != value:
            setattr(auth_state, name, value)


async def _reset_user_scoped(state: BaseState) -> None:
    scoped = await state.get_state(UserScopedState)
    scoped.reset()  # type: ignore[no-untyped-call]


def _begin_anew(state: BaseState, is_guarded: Callable[[type[BaseState]], bool]) -> None:
    """Nothing that is not for everybody stays of the one before, and the next delta has all that
    whoever is there now may see."""
    if is_guarded(type(state)):
        state.reset()  # type: ignore[no-untyped-call]
    state.dirty_vars.update(state.base_vars)
    state.dirty_vars.update(state.computed_vars)
    state._mark_ancestors_dirty()
    for substate in state.substates.values():
        _begin_anew(substate, is_guarded)


async def _tell_browser(state: BaseState) -> None:
    """Send the change now: a background handler's own delta may be far away or never come."""
    await chain_updates(None, handler_name="auth binding", root_state=state._get_root_state())


async def _announce(app: rx.App, state: BaseState) -> None:
    for event in subscribed_events():
        await start_event(app, connection_of(state).client_token, event)
