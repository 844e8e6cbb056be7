"""Finds the state tree of an upload, which is an event that names its tab in a header."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from .connections import Connection, Connections
from .state_trees import is_client_token

MOST_READ = 1024 * 1024  # bytes that are read of a refused request


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
        self, client_token: str, session_id_hash: str | None, client: str
    ) -> AsyncIterator[Connection | None]:
        """A connection of the upload's own, which shows the tree of the tab that it speaks for;
        None if it may not. The end of the session closes it like the tab's own.

        The session says whose tab it is. Where no cookie is sent, its absence is excused for a tab
        that is open for one login, from the same client address.
        """
        if not is_client_token(client_token):
            yield None
            return
        open_tabs = self._connections.of_client_token(client_token)
        if session_id_hash is None and not self._is_cookie_sent:
            if len(open_tabs) != 1 or open_tabs[0].client != client:
                yield None
                return
            session_id_hash = open_tabs[0].session_id_hash
        upload = Connection(client_token, discard, session_id_hash=session_id_hash, client=client)
        self._connections.add(upload)
        try:
            tree = await self._tree_of(upload)
            # A tab that is open elsewhere may be another process's; one that is open here for
            # another login only is somebody else's.
            if open_tabs and self._connections.of_tree(tree) is None:
                yield None
                return
            self._connections.bind(upload, tree)
            yield upload
        finally:
            self._connections.remove(upload)


async def refuse(
    scope: Scope,
    receive: Receive,
    send: Send,
    status: int,
    headers: dict[str, str] | None = None,
) -> None:
    """Refuse an upload, after reading the body: else the connection may close too early."""
    size = 0
    while size < MOST_READ:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            break
    await Response(status_code=status, headers=headers)(scope, receive, send)


async def discard(_: Message) -> None:
    """Drop a message."""
