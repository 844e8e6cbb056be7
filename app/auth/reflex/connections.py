"""The open connections of this process, and the session that each came with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import reflex as rx
from reflex.app import EventNamespace
from reflex.state import BaseState
from reflex.utils.token_manager import TokenManager
from socketio.exceptions import ConnectionRefusedError

from ..http.scope_key import SCOPE_KEY
from .socket import connection_of

NAMESPACE = "/_event"
TAB_TOKEN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Connections:
    """What the gate put on each connection (`core.scope_key`), by the connection's id and by the
    session's reference. Until an app is installed there are none."""

    def __init__(self) -> None:
        self._app: rx.App | None = None
        self._tokens: TokenManager | None = None
        self._references: dict[str, str] = {}
        self._by_reference: dict[str, set[str]] = {}

    def install(self, app: rx.App) -> None:
        """Begin, once the app has its websocket."""
        self._app = app
        if app.event_namespace is not None:
            self._tokens = app.event_namespace._token_manager
            self._watch(app.event_namespace)

    def reference_of(self, sid: str) -> str | None:
        """The session reference of a connection; None when it came with none, or is gone."""
        return self._references.get(sid)

    def reference_of_state(self, state: BaseState) -> str | None:
        """The session reference of the connection of a state's tab."""
        return self._references.get(connection_of(state).session_id)

    def reference_of_tab(self, client_token: str) -> str | None:
        """The session reference of the connection of a tab."""
        sid = self.connection_of_tab(client_token)
        return self._references.get(sid) if sid else None

    def connection_of_tab(self, client_token: str) -> str | None:
        """The id of the connection of a tab, if it is one of this process.

        Not by Reflex's `token_to_sid`, which is put together anew, of all tabs, at each look.
        """
        if self._tokens is None:
            return None
        record = self._tokens.token_to_socket.get(client_token)
        return record.sid if record and record.sid in self._tokens.sid_to_token else None

    def tabs_of(self, ref: str) -> list[str]:
        """The tokens of the open tabs of a session."""
        tokens = self._tokens.sid_to_token if self._tokens else {}
        return [tokens[sid] for sid in self._by_reference.get(ref, ()) if sid in tokens]

    def all_tabs(self) -> list[str]:
        """The tokens of the open tabs that came with a session."""
        return [token for ref in self._by_reference for token in self.tabs_of(ref)]

    async def reconnect(self, ref: str) -> None:
        """Make the tabs of a session connect again, and so present the cookie they have now.

        The transport is closed, not the namespace: a page takes the first for a lost connection and
        comes back at once, and the second for a dismissal.
        """
        if self._app is None or self._app.sio is None:
            return
        manager = self._app.sio.manager
        for sid in list(self._by_reference.get(ref, ())):
            eio_sid = manager.eio_sid_from_sid(sid, NAMESPACE)
            if eio_sid is not None:  # that would be everybody's
                await self._app.sio.eio.disconnect(eio_sid)

    def _watch(self, namespace: EventNamespace) -> None:
        on_connect, on_disconnect = namespace.on_connect, namespace.on_disconnect

        async def connect(sid: str, environ: dict[str, Any], auth: Any = None) -> Any:
            if not _is_of_a_tab(environ):
                raise ConnectionRefusedError("This is no tab's token.")
            self._remember(sid, _reference_in(environ))
            try:
                answer = await on_connect(sid, environ, auth)
            except BaseException:  # of one that is refused, no disconnect follows
                self._forget(sid)
                raise
            if not self._is_open(sid):  # nor of one that ended meanwhile
                self._forget(sid)
            return answer

        def disconnect(sid: str) -> Any:
            self._forget(sid)
            return on_disconnect(sid)

        namespace.on_connect = connect  # type: ignore[method-assign]
        namespace.on_disconnect = disconnect  # type: ignore[method-assign]

    def _is_open(self, sid: str) -> bool:
        try:
            return bool(self._app and self._app.sio and self._app.sio.get_environ(sid, NAMESPACE))
        except (KeyError, ValueError):
            return False

    def _remember(self, sid: str, ref: str | None) -> None:
        if ref is not None:
            self._references[sid] = ref
            self._by_reference.setdefault(ref, set()).add(sid)

    def _forget(self, sid: str) -> None:
        ref = self._references.pop(sid, None)
        if ref is not None:
            of_session = self._by_reference[ref]
            of_session.discard(sid)
            if not of_session:
                del self._by_reference[ref]


def _is_of_a_tab(environ: Mapping[str, Any]) -> bool:
    """Whether its token is one as Reflex makes them for tabs. Reflex keeps what several tabs share
    (`rx.SharedState`) under a name of the same kind: whoever connects with it for a token would
    have all of that for a tab of their own."""
    token = parse_qs(str(environ.get("QUERY_STRING", ""))).get("token", [""])[0]
    return TAB_TOKEN.fullmatch(token) is not None


def _reference_in(environ: Mapping[str, Any]) -> str | None:
    value = environ.get("asgi.scope", {}).get(SCOPE_KEY)
    return value if isinstance(value, str) else None
