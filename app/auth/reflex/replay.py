"""Runs what a visitor clicked, once the user who logged in for it is back in the tab."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any

import reflex as rx
from reflex.event import Event
from reflex.state import BaseState, OnLoadInternalState
from reflex_base.event.context import EventContext
from reflex_base.registry import RegistrationContext

from ..audit import AuditTrail, Kind, Outcome
from ..errors import StoreUnavailable
from ..flows.kept_events import KEPT_FOR, KeptEvent, KeptEvents
from ..http.connections import Connection
from ..http.rate_limiting import RequestLimits
from ..session import Session
from .client_storage import HYDRATES
from .events import start_event
from .payloads import takes_files
from .state import AuthState

logger = logging.getLogger(__name__)

_MARK = "_auth_replays"
_ACKNOWLEDGED = f"{AuthState.get_full_name()}.acknowledge"
_LOADED = frozenset(
    f"{state.get_full_name()}.set_is_hydrated" for state in (rx.State, OnLoadInternalState)
)
"""The last event of a page load, after those of `on_load`."""


def mark_replayed(handler: Callable[..., Any]) -> None:
    """Mark an event handler: an event of a visitor is kept, and runs after the login.

    Raises:
        TypeError: it is a page, or takes uploaded files.
    """
    name = getattr(handler, "__qualname__", repr(handler))
    if not inspect.signature(handler).parameters:
        raise TypeError(f"{name} is a page: only an event handler can be replayed.")
    if takes_files(handler):
        raise TypeError(f"{name} takes uploaded files, which are not kept: it cannot be replayed.")
    setattr(handler, _MARK, True)


def is_replayed(handler: Callable[..., Any]) -> bool:
    """Whether an event handler is marked."""
    return getattr(handler, _MARK, False) is True


class Replay:
    """Keeps events that are refused for want of a login, and starts them after it.

    An event runs in the tab that sent it, for the session that its own login has begun, once, and
    like any other event: its handler's rule decides. A kept event counts as a login of the client
    in `limits`.
    """

    def __init__(
        self,
        events: KeptEvents,
        limits: RequestLimits | None,
        audit: AuditTrail,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._events = events
        self._limits = limits
        self._audit = audit
        self._clock = clock
        self._has_any = False

    def start(self) -> None:
        """Look whether the app has a handler that is marked."""
        self._has_any = any(map(_runs_replayed, RegistrationContext.get().event_handlers))

    async def keep(self, event: Event, connection: Connection | None) -> dict[str, str]:
        """Keep an event of a visitor. Return the parameter for the login link, if it is kept.

        Only what the page sent is kept: an event of `on_load` comes again by itself.
        """
        if connection is None or not connection.browser or EventContext.get().parent_txid:
            return {}
        if not _runs_replayed(event.name) or await self._is_one_too_many(connection):
            return {}
        kept = KeptEvent(event.name, event.payload, connection.client_token)
        event_id = await self._events.keep(connection.browser, kept)
        return {"replay": event_id} if event_id else {}

    async def resume(
        self, app: rx.App, state: BaseState, event: Event, connection: Connection, session: Session
    ) -> None:
        """Start what is kept for this tab, if its page has been loaded with this event."""
        session_id_hash = connection.session_id_hash
        is_new = self._clock() - session.created_at < KEPT_FOR
        if not self._has_any or session_id_hash is None or not is_new:
            return
        if connection.awaits_page or not self._is_loaded(app, state, event):
            return
        try:
            kept = await self._events.take(session_id_hash, connection.client_token)
        except StoreUnavailable as error:
            logger.warning("What was clicked before the login is not done: %s", error.code)
            return
        if kept is None or not _runs_replayed(kept.name):
            return
        self._audit.record(
            Kind.REPLAYED,
            Outcome.SUCCESS,
            "started",
            sub=session.sub,
            ref=session_id_hash,
            target=kept.name,
        )
        await start_event(app, connection.tree, Event(name=kept.name, payload=dict(kept.payload)))

    def _is_loaded(self, app: rx.App, state: BaseState, event: Event) -> bool:
        """Whether this event is the last of a page load. What is started now runs after it."""
        if event.name == _ACKNOWLEDGED:
            return getattr(state, "is_hydrated", False) is True
        if event.name in HYDRATES:
            return not app.get_load_events(state.router.url.path)
        return event.name in _LOADED

    async def _is_one_too_many(self, connection: Connection) -> bool:
        limits = self._limits
        return limits is not None and await limits.seconds_to_wait("login", connection.client) > 0


def _runs_replayed(event_name: str) -> bool:
    registered = RegistrationContext.get().event_handlers.get(event_name)
    return registered is not None and is_replayed(registered.handler.fn)
