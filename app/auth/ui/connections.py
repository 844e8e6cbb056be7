"""The open connections of this process, by the session that they came with."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.app import EventNamespace

from .socket import NAMESPACE, reference_in


class Connections:
    """Kept up to date as connections come and go: to look through all of them for those of one
    session would cost each logout what there are tabs. Until an app is installed there are none."""

    def __init__(self) -> None:
        self._app: rx.App | None = None
        self._references: dict[str, str] = {}  # of each connection, by its id
        self._by_reference: dict[str, set[str]] = {}

    def install(self, app: rx.App) -> None:
        """Begin, once the app has its websocket."""
        self._app = app
        if app.event_namespace is not None:
            self._watch(app.event_namespace)

    def tabs_of(self, ref: str) -> list[str]:
        """The tokens of the open tabs of a session."""
        tokens = self._tokens()
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

    def _tokens(self) -> dict[str, str]:
        """The token of each connection's tab, by the connection's id; Reflex knows them."""
        namespace = self._app.event_namespace if self._app else None
        return namespace.sid_to_token if namespace else {}

    def _watch(self, namespace: EventNamespace) -> None:
        on_connect, on_disconnect = namespace.on_connect, namespace.on_disconnect

        async def connect(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
            self._remember(sid, reference_in(environ))
            try:
                await on_connect(sid, environ, auth)
            except BaseException:  # of one that is refused, no disconnect follows
                self._forget(sid)
                raise

        def disconnect(sid: str) -> Any:
            self._forget(sid)
            return on_disconnect(sid)

        namespace.on_connect = connect  # type: ignore[method-assign]
        namespace.on_disconnect = disconnect  # type: ignore[method-assign]

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
