"""A tab without a browser: event handlers called as the app calls them, for a user of the test."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import reflex as rx
from reflex.event import Event
from reflex_base.registry import RegistrationContext

from ..access.policy import Decision
from ..http.connections import Connection
from ..http.uploads import discard
from ..reflex.reflex_seam import new_state_tree
from ..reflex.state import AuthState
from ..service import AuthService
from ..session import Session, StoredSession, hash_session_id
from .sessions import add_session, new_session_of

State = TypeVar("State", bound=rx.State)


class AccessDenied(AssertionError):
    """The rule of a handler denied the call. `denial` says why (`login_required`,
    `step_up_required`, `forbidden`), `check` names the check that was not met."""

    def __init__(self, name: str, decision: Decision) -> None:
        check = f" ({decision.check})" if decision.check else ""
        super().__init__(f"{name} was denied: {decision.denial}{check}")
        self.denial = decision.denial
        self.check = decision.check


class Tab:
    """A tab of the app, with a state tree of its own. `signed_in` and `visitor` open one."""

    def __init__(self, auth: AuthService, session_id: str | None) -> None:
        self._store = auth.store
        self._wiring = auth._wiring  # the same parts that decide in the app
        self.tree = str(uuid.uuid4())
        self._root = new_state_tree()
        session = self._root.rx_router_session
        self._root.rx_router_session = replace(session, client_token=self.tree)
        self._session_id_hash = hash_session_id(session_id) if session_id else None

    async def get_state(self, state: type[State]) -> State:
        """Return the tab's instance of a State."""
        return await self._root.get_state(state)

    async def call(self, handler: Any, *arguments: Any) -> list[Any]:
        """Call an event handler (`Orders.rename`), and return what it yielded or returned, without
        None. A background handler runs to its end.

        As in the app, its rule decides first, and its arguments are checked.

        Raises:
            AccessDenied: the user may not call it.
            TypeError: the arguments do not fit the handler.
            StoreUnavailable: the session cannot be read.
        """
        (event,) = Event.from_event_type(handler(*arguments))
        if problem := self._wiring.access.problem(event):
            raise TypeError(f"{event.name} cannot be called with these arguments: {problem}.")
        session = await self._session()
        decision = await self._wiring.access.decide(self._root, event, session)
        if decision.denial is not None:
            raise AccessDenied(event.name, decision)
        registered = RegistrationContext.get().event_handlers[event.name]
        state = await self._root.get_state(registered.states[0])
        return await _results(registered.handler.fn(state, *arguments))

    async def log_out(self) -> None:
        """End the session, as the user would from another device."""
        if self._session_id_hash is not None:
            await self._store.delete(self._session_id_hash)
        await self.refresh()

    async def refresh(self) -> None:
        """Update `AuthState`, as the next event would in the app."""
        stored = await self._stored()
        session = stored.session if stored else None
        auth_state = await self.get_state(AuthState)
        auth_state.expires_at, auth_state.ends_at = self._wiring.middleware.times(stored)
        auth_state.is_loading = False
        auth_state.is_authenticated = session is not None
        public_claims = self._wiring.request_sessions.public_claims
        auth_state.user = public_claims.of(session.user) if session else None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Tab]:
        """Connect the tab, so that the layer knows whose it is."""
        session = await self._session()
        connection = Connection(
            self.tree, discard, session_id_hash=self._session_id_hash, client="127.0.0.1"
        )
        connection.state_key = session.state_key if session else None
        connection.sub = session.sub if session else None
        self._wiring.connections.add(connection)
        self._wiring.connections.bind(connection, self.tree)
        await self.refresh()
        try:
            yield self
        finally:
            self._wiring.connections.remove(connection)

    async def _stored(self) -> StoredSession | None:
        key = self._session_id_hash
        return await self._store.load(key) if key is not None else None

    async def _session(self) -> Session | None:
        stored = await self._stored()
        return stored.session if stored else None


@asynccontextmanager
async def signed_in(
    auth: AuthService, *, user: Mapping[str, Any], **session: Any
) -> AsyncIterator[Tab]:
    """Open a tab in which this user is signed in. The session is in the store of `auth`, on which
    `install` must have been called. The other parameters are those of `new_session`."""
    session_id = await add_session(auth.store, new_session_of(auth, user, **session))
    async with Tab(auth, session_id).opened() as tab:
        yield tab
    await auth.store.delete(hash_session_id(session_id))


@asynccontextmanager
async def visitor(auth: AuthService) -> AsyncIterator[Tab]:
    """Open a tab in which no user is signed in."""
    async with Tab(auth, None).opened() as tab:
        yield tab


async def _results(result: Any) -> list[Any]:
    if inspect.isawaitable(result):
        result = await result
    if inspect.isasyncgen(result):
        found = [each async for each in result]
    elif inspect.isgenerator(result):
        found = list(result)
    else:
        found = [result]
    return [each for each in found if each is not None]
