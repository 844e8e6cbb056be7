"""Which session a tab's websocket came with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import reflex as rx
from reflex.app import EventNamespace
from reflex.istate.data import SessionData
from reflex.istate.proxy import StateProxy
from reflex.state import BaseState

from ..core.scope_key import SCOPE_KEY

NAMESPACE = "/_event"


def reference_of(app: rx.App, state: BaseState) -> str | None:
    """The session reference that the gate put on the connection of this state's tab.

    The connection id comes from the server's own record of the event, never from the client. None
    when the tab has no session or its connection is gone.
    """
    return reference_of_connection(app, connection_of(state).session_id)


def connection_of(state: BaseState) -> SessionData:
    """What Reflex knows of the connection of a state's tab: `session_id` and `client_token`.

    The same as `state.router.session`, which puts all else about the page together, too, and costs
    more than everything that is done here for an event.
    """
    return connection_of_root(root_of(state))


def connection_of_root(root: BaseState) -> SessionData:
    """The same, for the root of the tree of states of a tab."""
    session: SessionData = root.get_value("rx_router_session")
    return session


def root_of(state: BaseState) -> BaseState:
    """The root of the tree of states of a tab."""
    plain = state.__wrapped__ if isinstance(state, StateProxy) else state
    return plain._get_root_state()


def reference_of_tab(app: rx.App, client_token: str) -> str | None:
    """The session reference of the connection of a tab; None when it has none."""
    namespace = app.event_namespace
    sid = connection_of_tab(namespace, client_token) if namespace else None
    return reference_of_connection(app, sid) if sid else None


def connection_of_tab(namespace: EventNamespace, client_token: str) -> str | None:
    """The id of the connection of a tab, if it is one of this process.

    Not by the public `token_to_sid`, which is put together anew, of all tabs, at each look.
    """
    record = namespace._token_manager.token_to_socket.get(client_token)
    return record.sid if record and record.sid in namespace.sid_to_token else None


def reference_of_connection(app: rx.App, sid: str) -> str | None:
    """The session reference of a connection; None when it has none, or is gone."""
    if app.sio is None or not sid:
        return None
    try:
        environ = app.sio.get_environ(sid, NAMESPACE)
    except (KeyError, ValueError):
        return None
    return reference_in(environ or {})


def reference_in(environ: Mapping[str, Any]) -> str | None:
    """The session reference that the gate put on a connection."""
    value = environ.get("asgi.scope", {}).get(SCOPE_KEY)
    return value if isinstance(value, str) else None
