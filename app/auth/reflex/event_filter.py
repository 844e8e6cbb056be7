"""What of a browser's messages becomes an event: one that is well-formed and has a handler."""

from __future__ import annotations

import logging
from collections.abc import Container
from typing import Any

import reflex as rx
from reflex_base.constants import RouteVar
from reflex_base.registry import RegistrationContext

from ..access.policy import Decision, Denial
from ..access.record import record_access
from ..audit import AuditTrail
from ..log_throttle import Sparingly
from .connections import Connections

logger = logging.getLogger(__name__)

ORIGIN = RouteVar.ORIGIN  # path and query of the page
LONGEST_NAME = 100  # characters of a name that nobody knows


class EventIntake:
    """Stands before Reflex's own intake, which answers what it does not know with an exception that
    is logged along with all that the connection came with.

    An event that does not say which page it comes from is from the start page. Reflex would take
    it to be from the page that the tab was on before, which may have been somebody else's, and
    tell the client its URL.
    """

    def __init__(self, audit: AuditTrail, connections: Connections) -> None:
        self._audit = audit
        self._connections = connections
        self._sparingly = Sparingly()

    def install(self, app: rx.App) -> None:
        """Begin, once the app has its websocket."""
        namespace = app.event_namespace
        if namespace is None:
            return
        on_event, handlers = namespace.on_event, RegistrationContext.get().event_handlers

        async def take(sid: str, data: Any) -> None:
            if is_event(data, handlers):
                data.setdefault("router_data", {}).setdefault(ORIGIN, "/")
                await on_event(sid, data)
            else:
                self._refuse(self._connections.reference_of(sid), data)

        namespace.on_event = take  # type: ignore[method-assign]

    def _refuse(self, ref: str | None, data: Any) -> None:
        name = data.get("name") if isinstance(data, dict) else None
        text = repr(name)[:LONGEST_NAME]
        if self._sparingly.is_due(ref or "nobody"):
            logger.warning("Dropped an event without a handler: %s", text)
            record_access(self._audit, _UNKNOWN, sub=None, ref=ref, target=text)


_UNKNOWN = Decision(Denial.UNKNOWN_HANDLER)
_NONE: dict[str, Any] = {}


def is_event(data: Any, handlers: Container[str]) -> bool:
    """Whether it is an event of one of these handlers, and has arguments by name."""
    try:
        payload, router_data = data.get("payload", _NONE), data.get("router_data", _NONE)
        has_handler = data["name"] in handlers
    except (AttributeError, KeyError, TypeError):
        return False
    return has_handler and type(payload) is dict and type(router_data) is dict
