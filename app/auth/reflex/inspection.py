"""Between the interceptor, which tells of requests, and the panels that list them."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable

import reflex as rx
from reflex.event import Event

from ..http.connections import Connections
from ..interceptor.events import Observer, RequestEvent
from .events import start_event, tree_of
from .inspector import RequestInspector
from .recent_requests import RecentRequests, Row


class Inspection:
    """Keeps what was requested for each user, and wakes the panels in that user's open tabs."""

    def __init__(self, connections: Connections, *, clock: Callable[[], float]) -> None:
        self._connections = connections
        self._recent = RecentRequests(clock)
        self._app: rx.App | None = None
        self._woken: dict[str, asyncio.Task[None]] = {}

    def install(self, app: rx.App) -> None:
        """Let the panels of this app read from here."""
        self._app = app
        RequestInspector._recent = self._requests_of

    def observer(self, state: rx.State) -> Observer:
        """An observer for the requests that this tab makes."""
        return functools.partial(self._note, self._owner(state), tree_of(state))

    def _note(self, owner: str, tab: str, event: RequestEvent) -> None:
        self._recent.add(owner, event)
        # One that has not begun will see this request too.
        if owner not in self._woken:
            self._woken[owner] = asyncio.create_task(self._wake(owner, tab))

    async def _wake(self, owner: str, tab: str) -> None:
        if self._app is None:
            return
        del self._woken[owner]
        for token in {tab, *self._connections.trees_of(owner)}:
            for event in Event.from_event_type(RequestInspector.event_handlers["look"]):
                await start_event(self._app, token, event)

    def _requests_of(self, state: rx.State) -> list[Row]:
        return self._recent.of(self._owner(state))

    def _owner(self, state: rx.State) -> str:
        """The session; where nobody is signed in, the tab."""
        connection = self._connections.of_tree(tree_of(state))
        session_id_hash = connection.session_id_hash if connection else None
        return session_id_hash or f"tab {tree_of(state)}"
