"""The open tabs of this process, and what they are told when something happens to a session."""

from __future__ import annotations

import reflex as rx
from reflex.event import Event

from ..flows.session_events import News
from .connections import Connections
from .state import AuthState
from .subscription import subscribed_events
from .top_level_event import start_event


class OpenTabs:
    """Until an app is installed there are none."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.app: rx.App | None = None

    async def handle(self, news: News, ref: str) -> None:
        """Let the tabs of this session notice."""
        if self.app is None:
            return
        if news is News.REPLACED:
            await self._connections.reconnect(ref)
            return
        is_change = news is News.CHANGED
        for token in self._connections.tabs_of(ref):
            await self._start(self.app, token, is_change=is_change)

    async def look_again(self) -> None:
        """Let every tab notice whatever has happened to its session meanwhile."""
        if self.app is not None:
            for token in self._connections.all_tabs():
                await self._start(self.app, token, is_change=False)

    async def _start(self, app: rx.App, token: str, *, is_change: bool) -> None:
        """A change makes the subscribers run anew; otherwise any event does, since the binding,
        which runs before it, looks at the session."""
        refresh = Event.from_event_type(AuthState.event_handlers["refresh"])
        for event in subscribed_events() if is_change else refresh:
            await start_event(app, token, event)
