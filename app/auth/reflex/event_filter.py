"""Filters messages before Reflex's event namespace: only a well-formed message whose handler exists
becomes an event. For any other, Reflex raises an exception and logs it with the headers of the
connection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container
from typing import Any

import reflex as rx
import socketio
from reflex_base.constants import RouteVar
from reflex_base.registry import RegistrationContext

from ..access.policy import Decision, Denial, record_access
from ..audit import AuditTrail
from ..log_throttle import LogThrottle

logger = logging.getLogger(__name__)

LONGEST_NAME = 100  # characters of an unknown name that are logged

_UNKNOWN = Decision(Denial.UNKNOWN_HANDLER)
_NONE: dict[str, Any] = {}
_TEXTS = (RouteVar.PATH, RouteVar.ORIGIN)


class EventFilter(socketio.AsyncNamespace):  # type: ignore[misc]
    """A Socket.IO namespace that replaces Reflex's under the same name, and delegates to it."""

    def __init__(self, app: rx.App, audit: AuditTrail) -> None:
        if app.event_namespace is None or app.sio is None:
            raise RuntimeError("The app has no websocket.")
        super().__init__(app.event_namespace.namespace)
        self._inner = app.event_namespace
        self._handlers = RegistrationContext.get().event_handlers
        self._audit = audit
        self._throttle = LogThrottle()

    async def trigger_event(self, event: str, *args: Any) -> Any:
        """Pass an event on to Reflex. Called by Socket.IO."""
        trigger: Callable[..., Any] = self._inner.trigger_event
        if event != "event":  # such as connect or ping
            return await trigger(event, *args)
        data = args[1] if len(args) == 2 else None
        if not is_event(data, self._handlers):
            return self._drop(str(args[0]), data)
        try:
            return await trigger(event, *args)
        except Exception as error:  # a client could fill the log with tracebacks
            if self._throttle.is_due(str(args[0])):
                logger.warning("Dropped an event: %s", type(error).__name__)

    def _drop(self, connection_id: str, data: Any) -> None:
        name = data.get("name") if isinstance(data, dict) else None
        text = repr(name)[:LONGEST_NAME]
        if self._throttle.is_due(connection_id):
            logger.warning("Dropped an event without a handler: %s", text)
            record_access(self._audit, _UNKNOWN, sub=None, ref=None, target=text)


def is_event(data: Any, handlers: Container[str]) -> bool:
    """Whether a message is an event of one of these handlers, with well-formed arguments."""
    try:
        payload, router_data = data.get("payload", _NONE), data.get("router_data", _NONE)
        if data["name"] not in handlers or type(payload) is not dict:
            return False
        texts = [router_data.get(name, "") for name in _TEXTS]
        query = router_data.get(RouteVar.QUERY, _NONE)
    except (AttributeError, KeyError, TypeError):
        return False
    return all(type(text) is str for text in texts) and type(query) is dict
