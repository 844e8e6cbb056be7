"""Filters messages before Reflex's event namespace: only a well-formed message whose handler exists
becomes an event. For any other, Reflex raises an exception and logs it with the headers of the
connection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container
from typing import Any

import reflex as rx
import socketio
from reflex_base.constants import CompileVars, RouteVar
from reflex_base.registry import RegistrationContext
from socketio.exceptions import ConnectionRefusedError

from ..access.policy import Decision, Denial, record_access
from ..audit import AuditTrail
from ..log_throttle import LogThrottle

logger = logging.getLogger(__name__)

LONGEST_NAME = 100  # characters of an unknown name that are logged

_UNKNOWN = Decision(Denial.UNKNOWN_HANDLER)
_IS_CONNECTED = "auth.is_connected"  # in the ASGI scope of a websocket
_NONE: dict[str, Any] = {}
_TEXTS = (RouteVar.PATH, RouteVar.ORIGIN)


class EventFilter(socketio.AsyncNamespace):  # type: ignore[misc]
    """A Socket.IO namespace that replaces Reflex's under the same name, and delegates to it."""

    server: Any  # Socket.IO sets it when the namespace is registered

    def __init__(self, app: rx.App, audit: AuditTrail) -> None:
        if app.event_namespace is None or app.sio is None:
            raise RuntimeError("The app has no websocket.")
        super().__init__(app.event_namespace.namespace)
        self._inner = app.event_namespace
        self._handlers = RegistrationContext.get().event_handlers
        self._audit = audit
        self._throttle = LogThrottle()

    async def trigger_event(self, event: Any, *args: Any) -> Any:
        """Hand an event over to Reflex; called by Socket.IO.

        A client may send an event of any name. Reflex would take one that is called `connect` for
        a new connection, with the headers and the client token that the client made up.
        """
        trigger: Callable[..., Any] = self._inner.trigger_event
        match event:
            case "event" if len(args) == 2 and is_event(args[1], self._handlers):
                try:
                    return await trigger(event, *args)
                except Exception as error:  # a client can provoke it as often as it likes
                    if self._throttle.is_due(str(args[0])):
                        logger.warning("Dropped an event: %s", type(error).__name__)
            case "event":
                self._drop(str(args[0]), args[1] if len(args) > 1 else None)
            case "connect" if self._is_genuine_connect(*args):
                connection_id, environ, *auth = args
                first = self._checked(connection_id, auth[0] if auth else None)
                return await trigger(event, connection_id, environ, first)
            case "disconnect" if not self.server.manager.is_connected(args[0], self.namespace):
                return await trigger(event, *args)
            case "ping" | "client_error":
                return await trigger(event, *args)
        return None

    def _is_genuine_connect(self, connection_id: str, *args: Any) -> bool:
        """Whether Socket.IO says so, for the first time on this websocket: the gate has bound the
        websocket to one state tree, and Reflex might give a second connection another one."""
        environ = self.server.get_environ(connection_id, self.namespace)
        if not args or environ is None or args[0] is not environ:
            return False
        scope = environ["asgi.scope"]
        if scope.get(_IS_CONNECTED):
            raise ConnectionRefusedError("One websocket, one connection.")
        scope[_IS_CONNECTED] = True
        return True

    def _checked(self, connection_id: str, auth: Any) -> Any:
        """What came with a connection, without a first event that is none."""
        if not isinstance(auth, dict):
            return None
        first = auth.get(CompileVars.CONNECT_AUTH_EVENT)
        if first is None or is_event(first, self._handlers):
            return auth
        self._drop(connection_id, first)
        return {key: value for key, value in auth.items() if value is not first}

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
    return all(map(_is_text, texts)) and type(query) is dict


def _is_text(value: Any) -> bool:
    """Whether it can be written as UTF-8: JSON may hold half a surrogate pair."""
    try:
        return type(value) is str and bool(value.encode() or True)
    except UnicodeEncodeError:
        return False
