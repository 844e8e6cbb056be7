"""The middleware before every handler: it checks the session, and whether the event may run."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from secrets import token_hex
from typing import Any

import reflex as rx
from reflex.event import Event
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.event.context import EventContext

from ..errors import StoreUnavailable
from ..http.connections import Connection, Connections
from ..session import Session, SessionStore, StoredSession
from ..texts import AuthTexts
from ..user import PublicClaims
from .access_control import AccessControl
from .access_rules import is_of_app
from .carry_over import CarryOver
from .client_storage import HYDRATES, ClientStorage, ShownBefore
from .delta_filter import values_with_checks
from .events import start_event, tree_of
from .replay import Replay
from .state import AuthState, text_for
from .subscription import subscribed_events

logger = logging.getLogger(__name__)

ACKNOWLEDGE = f"{AuthState.get_full_name()}.acknowledge"


class SessionMiddleware(Middleware):
    """Runs under the lock of the state tree, before every handler.

    An event runs only while its connection is bound to the login that its tree belongs to. If the
    session has ended or has another user, the connection is closed. Thus a session event that was
    lost keeps no user signed in.
    """

    def __init__(
        self,
        store: SessionStore,
        access: AccessControl,
        connections: Connections,
        client_storage: ClientStorage,
        carry_over: CarryOver,
        replay: Replay,
        texts: AuthTexts,
        public_claims: PublicClaims,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._access = access
        self._connections = connections
        self._client_storage = client_storage
        self._carry_over = carry_over
        self._replay = replay
        self._texts = texts
        self._public_claims = public_claims
        self._clock = clock
        self._touch_interval = store.lifetimes.touch_interval
        self._unfinished = UnfinishedEvents()

    def preprocess(  # type: ignore[override]  # Reflex awaits only what is to be awaited
        self, app: rx.App, state: BaseState, event: Event
    ) -> Awaitable[StateUpdate | None] | None:
        """Let an ordinary event pass without a coroutine, which would be most of this layer's cost;
        decide about any other event."""
        connection = self._connections.of_tree(EventContext.get().token)
        if connection is not None and self._is_ordinary(connection, event):
            return None
        return self._decide(app, state, event, connection)

    def _is_ordinary(self, connection: Connection, event: Event) -> bool:
        """Whether the event needs a session only, and a current one is cached."""
        session_id_hash = connection.session_id_hash
        is_open = connection.is_bound and not (connection.is_closed or connection.awaits_page)
        if session_id_hash is None or not is_open:
            return False
        stored = self._store.cached(session_id_hash)
        return (
            stored is not None
            and stored.session.state_key == connection.state_key
            and stored.session.claims_version == connection.claims_version
            and self._clock() - stored.last_seen_at < self._touch_interval
            and self._access.lets_any_user_pass(event)
        )

    async def _decide(
        self, app: rx.App, state: BaseState, event: Event, connection: Connection | None
    ) -> StateUpdate | None:
        if connection is None or connection.is_closed:
            return await self._without_connection(state, event, connection)
        if event.name == ACKNOWLEDGE:
            connection.awaits_page = False
            await self._unfinished.tell(connection.client_token, self._not_done(state))
        elif connection.awaits_page and is_of_page(event):
            self._unfinished.note(connection.client_token, event)
            return StateUpdate()
        stored, error = None, ""
        if connection.state_key is not None:
            try:
                stored = await self._session(state, event, connection)
            except StoreUnavailable as failure:
                # The user sees nothing of a session that cannot be checked, but it does not end.
                logger.warning("%s: %s", failure.code, failure)
                error = text_for(state, self._texts, "session_unknown")
            else:
                if stored is None:
                    self._unfinished.note(connection.client_token, event)
                    await connection.close()
                    return StateUpdate()
        session = stored.session if stored else None
        shown = await self._client_storage.filter(event, session, connection.state_key)
        is_shown = connection.is_bound and not error and _shows(connection, session)
        if event.name in HYDRATES or not is_shown:
            await self._bind(app, state, event, connection, stored, error, shown)
        if session is not None:
            await self._replay.resume(app, state, event, connection, session)
        refusal = await self._access.refusal(
            state, event, session, connection, is_unknown=bool(error)
        )
        # After the decision: to see whether arguments fit, classes of the app are made of them.
        if refusal is None and self._access.drops(event, connection):
            return StateUpdate()
        return refusal

    async def _without_connection(
        self, state: BaseState, event: Event, connection: Connection | None
    ) -> StateUpdate | None:
        """Decide about an event whose tab or login has ended: only a public handler may run."""
        tree = EventContext.get().token
        token = self._connections.client_token_of_closed(tree)
        client_token = connection.client_token if connection else token
        if client_token is not None:
            self._unfinished.note(client_token, event)
            return StateUpdate()
        if EventContext.get().parent_txid is None:
            return StateUpdate()  # only what an earlier event started may go on
        return await self._access.refusal(state, event, None, None, is_unknown=True)

    async def extend(self, state: BaseState) -> tuple[int, int]:
        """Let the session of this tab count as used now, and return its `expires_at` and `ends_at`;
        zeros if it has ended. Raises `StoreUnavailable`."""
        connection = self._connections.of_tree(tree_of(state))
        session_id_hash = connection.session_id_hash if connection else None
        if session_id_hash is None:
            return 0, 0
        await self._store.touch(session_id_hash)
        return self.times(await self._store.load(session_id_hash))

    def times(self, stored: StoredSession | None) -> tuple[int, int]:
        """Return `expires_at` and `ends_at` of a session, in whole epoch seconds; zeros if there is
        none."""
        if stored is None:
            return 0, 0
        lifetimes = self._store.lifetimes
        return int(stored.expires_at(lifetimes)), int(stored.ends_at(lifetimes))

    async def _session(
        self, state: BaseState, event: Event, connection: Connection
    ) -> StoredSession | None:
        """Return the session of the connection's login, or None if it has ended."""
        session_id_hash = connection.session_id_hash
        stored = await self._store.load(session_id_hash) if session_id_hash else None
        if (
            session_id_hash is None
            or stored is None
            or stored.session.state_key != connection.state_key
        ):
            return None
        if self._clock() - stored.last_seen_at < self._touch_interval:
            return stored
        await self._store.touch(session_id_hash)
        stored = replace(stored, last_seen_at=self._clock())
        if event.name not in HYDRATES:
            await self._show_times(state, stored)
        return stored

    async def _show_times(self, state: BaseState, stored: StoredSession) -> None:
        """Update when the session ends. At once, as in `_bind`."""
        expires_at, ends_at = self.times(stored)
        auth_state = await state.get_state(AuthState)
        if changed := _assign(auth_state, expires_at=expires_at, ends_at=ends_at):
            await EventContext.get().emit_delta({AuthState.get_full_name(): changed})

    async def _bind(
        self,
        app: rx.App,
        state: BaseState,
        event: Event,
        connection: Connection,
        stored: StoredSession | None,
        error: str,
        shown: ShownBefore,
    ) -> None:
        """Update AuthState, and start the subscribers if the user has changed."""
        session = stored.session if stored else None
        expires_at, ends_at = self.times(stored)
        auth_state = await state.get_state(AuthState)
        is_hydrating = event.name in HYDRATES
        user = self._public_claims.of(session.user) if session else None
        has_changed = user != auth_state.get_value("user")
        decisions = await self._access.decide_pages(session) if session else {}
        changed = _assign(
            auth_state,
            is_loading=False,
            is_authenticated=session is not None,
            user=user,
            provider=session.provider if session else "",
            page_access={key: auth_state._shown_as(key, each) for key, each in decisions.items()},
            error=error,
            expires_at=expires_at,
            ends_at=ends_at,
            tree_id=auth_state.tree_id or token_hex(8),
        )
        has_other_claims = not _shows(connection, session)
        connection.claims_version = session.claims_version if session else 0
        has_signed_out = False
        if is_hydrating and not connection.is_bound:
            # A new tree has no user either, so `has_changed` does not show a logout.
            has_signed_out = session is None and shown is ShownBefore.USER
            if shown in (ShownBefore.USER, ShownBefore.VISITOR) and is_in_place(event):
                await self._await_page(connection)
        connection.is_bound = not error
        if is_hydrating:
            if session is not None:
                await self._carry_over.into(app, auth_state, connection)
            await self._unfinished.tell(connection.client_token, self._not_done(state))
        elif changed or has_other_claims:
            # At once: a refused handler sends no delta, and a background handler may send it late.
            delta = {AuthState.get_full_name(): changed} if changed else {}
            if has_other_claims:  # what the user may see may be more now, or less
                delta.update(await values_with_checks(self._access.rules, state))
            await EventContext.get().emit_delta(delta)
        if has_changed or has_signed_out or (is_hydrating and session is not None):
            for each in subscribed_events():
                await start_event(app, connection.tree, each)

    def _not_done(self, state: BaseState) -> str:
        return text_for(state, self._texts, "not_done")

    async def _await_page(self, connection: Connection) -> None:
        """Run no event of the page until it has this login's state.

        A page queues events while it is disconnected; they were meant for the previous login. It
        handles events in order, so the answer to this one arrives after the queued ones.
        """
        connection.awaits_page = True
        acknowledge: Any = AuthState.acknowledge
        await EventContext.get().emit_event(*Event.from_event_type(acknowledge))


def _shows(connection: Connection, session: Session | None) -> bool:
    """Whether `AuthState` was written with the current claims of the session."""
    return session is None or session.claims_version == connection.claims_version


def is_in_place(event: Event) -> bool:
    """Whether a hydrate comes from a page that was open before. A page that loads sends `hashes` of
    its state."""
    return not event.payload.get("hashes")


def is_of_page(event: Event) -> bool:
    """Whether a page sent an event of the app. An event that another one started has a parent, and
    subscribers are started by this layer."""
    return (
        EventContext.get().parent_txid is None
        and is_of_app(event.name)
        and event.name not in {each.name for each in subscribed_events()}
        and event.name not in {each.name for each in subscribed_events(to_tokens=True)}
    )


class UnfinishedEvents:
    """Events that a page sent after their login had ended, by client token. They do not run for the
    next login; a toast says so."""

    KEPT = 30.0  # seconds
    MOST = 1000

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._noted: dict[str, float] = {}

    def note(self, client_token: str, event: Event) -> None:
        """Note that an event did not run, if a page sent it."""
        if is_of_page(event):
            self._noted.pop(client_token, None)
            if len(self._noted) >= self.MOST:
                del self._noted[next(iter(self._noted))]
            self._noted[client_token] = self._clock()

    async def tell(self, client_token: str, text: str) -> None:
        """Show a toast with this text if an event of the page did not run."""
        noted_at = self._noted.pop(client_token, None)
        if noted_at is not None and self._clock() - noted_at < self.KEPT:
            await EventContext.get().emit_event(*Event.from_event_type(rx.toast.warning(text)))


def _assign(auth_state: AuthState, **values: Any) -> dict[str, Any]:
    """Assign the values that differ, and return them as a delta."""
    changed = {}
    for name, value in values.items():
        if auth_state.get_value(name) != value:
            setattr(auth_state, name, value)
            changed[f"{name}{FIELD_MARKER}"] = value
    return changed
