"""Which session a tab's websocket came with, and which tabs came with a session."""

from __future__ import annotations

from collections.abc import Iterator

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


def tabs_of(app: rx.App, ref: str) -> Iterator[str]:
    """The tokens of the open tabs whose connection carries this session reference."""
    namespace = app.event_namespace
    if namespace is None:
        return
    for token, sid in namespace.token_to_sid.items():
        if reference_of_connection(app, sid) == ref:
            yield token


def all_tabs(app: rx.App) -> Iterator[str]:
    """The tokens of the open tabs that came with a session."""
    namespace = app.event_namespace
    if namespace is not None:
        yield from (
            t for t, sid in namespace.token_to_sid.items() if reference_of_connection(app, sid)
        )


async def reconnect(app: rx.App, ref: str) -> None:
    """Make the tabs of a session connect again, and so present the cookie they have now.

    The transport is closed, not the namespace: a page takes the first for a lost connection and
    comes back at once, and the second for a dismissal.
    """
    if app.sio is None or app.event_namespace is None:
        return
    for sid in list(app.event_namespace.sid_to_token):
        if reference_of_connection(app, sid) == ref:
            await app.sio.eio.disconnect(app.sio.manager.eio_sid_from_sid(sid, NAMESPACE))


def reference_of_connection(app: rx.App, sid: str) -> str | None:
    """The session reference of a connection; None when it has none, or is gone."""
    if app.sio is None or not sid:
        return None
    try:
        environ = app.sio.get_environ(sid, NAMESPACE)
    except (KeyError, ValueError):
        return None
    value = (environ or {}).get("asgi.scope", {}).get(SCOPE_KEY)
    return value if isinstance(value, str) else None
