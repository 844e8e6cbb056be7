"""Binding every event to the session: what AuthState says is true now, not at page load."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import reflex as rx
from reflex.event import Event
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.event.processor.base_state_processor import chain_updates

from ..errors import StoreUnavailable
from ..session import Session, SessionStore, StoredSession
from .access_gate import AccessGate, is_background
from .begin_anew import begin_anew
from .bound_to import BoundTo, bound_to
from .connections import Connections
from .socket import connection_of_root
from .state import AuthState
from .subscription import subscribed_events
from .top_level_event import start_event

logger = logging.getLogger(__name__)

STORE_IS_AWAY = "Your session cannot be checked right now. You are still logged in; try again."
TOUCH_INTERVAL = 60.0  # seconds between two notes of "last seen", so that reads stay reads
_HYDRATES = frozenset(
    f"{rx.State.get_full_name()}.{name}" for name in ("hydrate", "hydrate_and_load")
)
"""A page load or reconnect: the browser gets the whole state, and subscribers start anew."""
_AUTH_STATE = AuthState.get_name()


class SessionBinding(Middleware):
    """Runs under the tab's lock before every handler: compares, assigns, resets, announces."""

    def __init__(
        self,
        store: SessionStore,
        gate: AccessGate,
        connections: Connections,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._connections = connections
        self._gate = gate
        self._clock = clock

    def preprocess(  # type: ignore[override]  # Reflex awaits only what is to be awaited
        self, app: rx.App, state: BaseState, event: Event
    ) -> Awaitable[StateUpdate | None] | None:
        """Bind AuthState; then stop the event unless its handler may run for whoever is there."""
        root = state._get_root_state()
        sid = connection_of_root(root).session_id
        ref = self._connections.reference_of(sid)
        if self._gate.drops(event, ref):
            return _nothing()
        stored = self._store.cached(ref) if ref is not None else None
        if stored is not None and self._lets_pass(root, event, stored):
            bound_to.set(BoundTo(sid, ref, stored.session.sub))
            return None
        return self._bind_and_decide(app, root, event, sid, ref)

    def _lets_pass(self, root: BaseState, event: Event, stored: StoredSession) -> bool:
        """Whether there is nothing to do, as at nearly every event; found out without waiting.

        There is at a page load: its handler is public.
        """
        return (
            self._gate.lets_any_user_pass(event.name)
            and _says(root.substates.get(_AUTH_STATE), stored.session, "")
            and self._clock() - stored.last_seen_at < TOUCH_INTERVAL
        )

    async def _bind_and_decide(
        self, app: rx.App, root: BaseState, event: Event, sid: str, ref: str | None
    ) -> StateUpdate | None:
        session, error = None, ""
        if ref is not None:
            try:
                session = await self._session(ref)
            except StoreUnavailable as failure:
                # Nothing of a session that cannot be checked is shown; it is not ended either.
                logger.warning("%s: %s", failure.code, failure)
                error = STORE_IS_AWAY
        bound_to.set(BoundTo(sid, ref, session.sub if session else None))
        if event.name in _HYDRATES or not _says(root.substates.get(_AUTH_STATE), session, error):
            await self._bind(app, root, event, session, error)
        await self._gate.keep_permitted_storage(event, session)
        rule = self._gate.rule_of(event)
        if rule is None or rule.is_public:
            if is_background(event.name):
                sub = session.sub if session else None
                bound_to.set(BoundTo(sid, ref, sub, outlives_user=True))
            return None
        if session is not None and self._gate.lets_any_user_pass(event.name):
            return None
        refusal = await self._gate.refusal(
            rule, root, event, session, ref=ref, is_unknown=bool(error)
        )
        if refusal is not None:
            await _tell_browser(root)  # a handler that does not run sends nothing
        return refusal

    async def _bind(
        self, app: rx.App, root: BaseState, event: Event, session: Session | None, error: str
    ) -> None:
        auth_state = await root.get_state(AuthState)
        is_hydrating = event.name in _HYDRATES
        was_loading = auth_state.is_loading
        user = session.user if session else None
        has_changed = user != auth_state.get_value("user")
        if has_changed or was_loading:  # of a tab whose user is not known, anything may be left
            await begin_anew(root, self._gate.rules)
        if has_changed:
            auth_state.user = session.claims() if session else None
            await auth_state._enter_as_another(session)
        is_there = session is not None
        _assign(auth_state, is_authenticated=is_there, error=error, is_loading=False)
        if (has_changed or was_loading) and not is_hydrating:
            await _tell_browser(root)
        if has_changed or (is_hydrating and is_there):
            await _announce(app, connection_of_root(root).client_token)

    async def _session(self, ref: str) -> Session | None:
        stored = await self._store.load(ref)
        if stored and self._clock() - stored.last_seen_at >= TOUCH_INTERVAL:
            await self._store.touch(ref)
        return stored.session if stored else None


async def _nothing() -> StateUpdate:
    """In the place of a handler that does not run."""
    return StateUpdate()


def _says(auth_state: BaseState | None, session: Session | None, error: str) -> bool:
    """Whether AuthState says so already, as at nearly every event.

    Read from where Reflex keeps what was ever read or written: its attributes would be most of what
    this layer costs an event.
    """
    if auth_state is None:
        return False
    says = auth_state.__dict__
    try:
        return bool(
            says["is_loading"] is False
            and says["is_authenticated"] is (session is not None)
            and says["user"] == (session.user if session else None)
            and says["error"] == error
        )
    except KeyError:
        return False


def _assign(auth_state: AuthState, **values: bool | str) -> None:
    """Assign what differs, so that an ordinary event sends nothing about the user."""
    for name, value in values.items():
        if getattr(auth_state, name) != value:
            setattr(auth_state, name, value)


async def _tell_browser(root: BaseState) -> None:
    """Send the change now: a background handler's own delta may be far away or never come."""
    await chain_updates(None, handler_name="auth binding", root_state=root)


async def _announce(app: rx.App, client_token: str) -> None:
    for event in subscribed_events():
        await start_event(app, client_token, event)
