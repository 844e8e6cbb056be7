"""Whose state tree an upload is for: an upload is an event that names its tab in a header."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.types import Message

from .connections import Connection, Connections
from .state_trees import is_client_token


class Uploads:
    """`tree_of` looks up the login of a connection and names its tree. With `is_cookie_sent`, page
    and backend are one origin: elsewhere, browsers send no cookie along with an upload."""

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
        """The connection of the tab that an upload speaks for; None if it may not.

        The session says whose tab it is. Where no cookie is sent, its absence is excused for a tab
        that is open for one login.
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
        # The tab's websocket may be another process's: then the upload stands in for it.
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
    """In place of sending a message."""
