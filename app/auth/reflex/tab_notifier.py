"""Applies session events to the open tabs of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import reflex as rx
from reflex.event import Event
from reflex.istate.manager.redis import StateManagerRedis
from reflex.istate.manager.token import BaseStateToken
from reflex_base.registry import RegistrationContext

from ..flows.background import Background
from ..flows.session_events import SessionEvent, SessionEventKind
from ..http.connections import Connection, Connections, close_all
from ..http.prefetching import Prefetching
from ..session import SessionStore
from .events import start_event
from .reflex_seam import new_state_tree
from .state import AuthState
from .subscription import subscribed_events

FOLLOW_AFTER = (0.0, 1.0, 5.0)  # seconds between looking for the tabs of a browser that logged in


class TabNotifier:
    """Closes connections whose login has ended. The browser reconnects by itself and shows the tree
    of its current login. Until an app is installed, there are no tabs."""

    def __init__(
        self, connections: Connections, prefetching: Prefetching, store: SessionStore
    ) -> None:
        self._connections = connections
        self._prefetching = prefetching
        self._store = store
        self._background = Background()
        self.app: rx.App | None = None

    async def handle(self, event: SessionEvent) -> None:
        """Apply a session event to the tabs that it concerns."""
        subject = event.subject
        match event.kind:
            case SessionEventKind.ENDED:
                self._end(subject)
            case SessionEventKind.REPLACED:
                self._connections.note_replaced(subject)
                self._end(subject)
            case SessionEventKind.RENEWED:
                self._connections.note_replaced(subject)
                # The trees stay: the new session has the same `state_key`.
                self._background.start(close_all(self._connections.of_session(subject)))
            case SessionEventKind.SIGNED_IN:
                self._background.start(self._follow(*subject.split(".", 1)))
            case SessionEventKind.CHANGED:
                await self._run_subscribers(self._connections.trees_of(subject))
            case SessionEventKind.CLAIMS_CHANGED:
                await self._update(self._connections.trees_of(subject))
            case SessionEventKind.TOKENS_RENEWED:
                await self._run_subscribers(self._connections.trees_of(subject), to_tokens=True)

    async def look_again(self) -> None:
        """Check the session of every tab, after events may have been missed. Raises
        `StoreUnavailable`."""
        for connection in self._connections.signed_in():
            session_id_hash = connection.session_id_hash
            stored = await self._store.load(session_id_hash) if session_id_hash else None
            if connection.state_key is not None and stored is None:
                self._end(str(session_id_hash))
        trees = [each.tree for each in self._connections.signed_in() if each.state_key is not None]
        await self._update(trees)
        await self._run_subscribers(trees)

    async def stop(self) -> None:
        """Cancel the connections that are still being closed."""
        await self._background.stop()

    def _end(self, session_id_hash: str) -> None:
        connections = self._connections.of_session(session_id_hash)
        trees = {each.tree for each in connections if each.tree}
        # The session middleware may have noticed first, and closed a connection.
        trees.update(self._connections.trees_closed_of(session_id_hash))
        self._background.start(self._close_and_drop(connections, trees))

    async def _close_and_drop(
        self, connections: Sequence[Connection], trees: Collection[str]
    ) -> None:
        await close_all(connections)
        for tree in trees:
            shown_by = self._connections.of_tree(tree)
            if self.app is not None and (shown_by is None or shown_by.is_closed):
                await drop_tree(self.app, tree)

    async def _follow(self, browser: str, session_id_hash: str) -> None:
        """Close the tabs of a browser that do not have its new session: more than once, since one
        of them may be back before the browser has the new cookie."""
        for pause in FOLLOW_AFTER:
            await asyncio.sleep(pause)
            if await self._store.load(session_id_hash) is None:
                return  # logged out again
            await close_all(self._connections.others_of(browser, session_id_hash))

    async def _update(self, trees: Sequence[str]) -> None:
        """Let the session middleware write `AuthState`, which it does before any event."""
        refresh: Any = AuthState.refresh
        if self.app is not None:
            for tree in trees:
                for event in Event.from_event_type(refresh):
                    await start_event(self.app, tree, event)

    async def _run_subscribers(self, trees: Sequence[str], *, to_tokens: bool = False) -> None:
        if self.app is not None:
            for tree in trees:
                # It may have been loaded before the change.
                if (connection := self._connections.of_tree(tree)) is not None and not to_tokens:
                    self._prefetching.drop(connection)
                for event in subscribed_events(to_tokens=to_tokens):
                    await start_event(self.app, tree, event)


async def drop_tree(app: rx.App, tree: str) -> None:
    """Delete a state tree that no connection shows any more, from memory, disk or Redis. A handler
    that still runs may write to it again; Reflex then expires it in its own time."""
    with app.set_contexts():
        manager = app.state_manager
        if isinstance(manager, StateManagerRedis):
            states = RegistrationContext.get().base_states.values()
            await manager.redis.delete(
                *(str(BaseStateToken(ident=tree, cls=state)) for state in states)
            )
        else:
            await manager.set_state(BaseStateToken(ident=tree, cls=rx.State), new_state_tree())
