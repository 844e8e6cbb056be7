"""Which session a tab's websocket came with, and which tabs came with a session."""

from __future__ import annotations

from collections.abc import Iterator

import reflex as rx
from reflex.state import BaseState

from ..core.scope_key import SCOPE_KEY

NAMESPACE = "/_event"


def reference_of(app: rx.App, state: BaseState) -> str | None:
    """The session reference that the gate put on the connection of this state's tab.

    The connection id comes from the server's own record of the event, never from the client. None
    when the tab has no session or its connection is gone.
    """
    return _reference(app, state.router.session.session_id)


def tabs_of(app: rx.App, ref: str) -> Iterator[str]:
    """The tokens of the open tabs whose connection carries this session reference."""
    namespace = app.event_namespace
    if namespace is None:
        return
    for token, sid in namespace.token_to_sid.items():
        if _reference(app, sid) == ref:
            yield token


def _reference(app: rx.App, sid: str) -> str | None:
    if app.sio is None or not sid:
        return None
    try:
        environ = app.sio.get_environ(sid, NAMESPACE)
    except (KeyError, ValueError):
        return None
    value = (environ or {}).get("asgi.scope", {}).get(SCOPE_KEY)
    return value if isinstance(value, str) else None
