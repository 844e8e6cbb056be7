"""Finds the state tree of an upload, which is an event that names its tab in a header."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.types import Message

from .connections import Connection, Connections
from .state_trees import is_client_token


class Uploads:
    """Finds the tabs of uploads. `tree_of` looks up the login of a connection and names its tree.
    `is_cookie_sent` says that page and backend are one origin: otherwise, browsers send no cookie
    with an upload."""

    def __init__(
        self,
        connections: Connections,
        tree_of: Callable[[Connection], Awaitable[str]],
        *,
        is_cookie_sent: bool,
    ) -> None:
        self._connections = connections
        self._tree_of = tree_of
        self._is_cookie_sent = is_cookie_sent

    @asynccontextmanager
    async def tab(
        self, client_token: str, session_id_hash: str | None
    ) -> AsyncIterator[Connection | None]:
        """Yield the connection of the tab that an upload names; None if the upload is refused.

        The session cookie must be that of the tab's login. If browsers send no cookie here, the
        upload is accepted for a tab that is open for exactly one login.
        """
        if not is_client_token(client_token):
            yield None
        elif session_id_hash is None and not self._is_cookie_sent:
            open_tabs = self._connections.of_client_token(client_token)
            yield open_tabs[0] if len(open_tabs) == 1 else None
        else:
            async with self._own_tab(client_token, session_id_hash) as tab:
                yield tab

    @asynccontextmanager
    async def _own_tab(
        self, client_token: str, session_id_hash: str | None
    ) -> AsyncIterator[Connection | None]:
        # If another process has the tab's websocket, the upload takes its place here.
        upload = Connection(client_token, _discard, session_id_hash=session_id_hash, browser="")
        self._connections.add(upload)
        try:
            tree = await self._tree_of(upload)
            connection = self._connections.of_tree(tree)
            if connection is None and self._connections.of_client_token(client_token):
                yield None  # the tab is open for another login
                return
            if connection is None:
                self._connections.bind(upload, tree)
            yield connection or upload
        finally:
            self._connections.remove(upload)


async def _discard(_: Message) -> None:
    """Drop a message."""
