"""Results that are loaded from the websocket handshake on, before the page asks for them.

The cookie of the handshake says whose tab it is, so a request to an API need not wait until the
page has connected. The results belong to one connection, which is bound to one login for its whole
life: no other tab, user or session can get them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from ..session import Session
from ..user import PublicClaims
from .connections import Connection

FETCHED_WITHIN: Final = 5.0  # seconds from the handshake; later, a result is too old to be used
MOST_OF_SESSION: Final = 8  # connections of a session with results that are not yet fetched
MOST: Final = 200  # such connections of this process

Loader = Callable[[httpx.AsyncClient, Any], Awaitable[Any]]
"""Loads something for a user, with a client that attaches the user's tokens."""


@dataclass(frozen=True, slots=True)
class _Prefetched:
    """What is loaded for one connection, by the name of the event that will ask for it."""

    login: tuple[Any, ...]
    session_id_hash: str
    results: dict[str, asyncio.Task[Any]]
    timer: asyncio.TimerHandle

    def drop(self) -> None:
        self.timer.cancel()
        for task in self.results.values():
            task.cancel()
        self.results.clear()


class Prefetching:
    """Starts loaders at the handshake, and keeps each result until it is fetched, once.

    Dropped are the results of a connection that is closed or ends, those that are not fetched
    within `FETCHED_WITHIN`, and those of other claims than the session has by then. A tab that gets
    none loads for itself. `loaders` returns the loaders by the names of the events that ask for
    their results, and `client_of` a client that acts for the session of a connection.
    """

    def __init__(
        self,
        loaders: Callable[[], Mapping[str, Loader]],
        client_of: Callable[[Connection], httpx.AsyncClient],
        public_claims: PublicClaims,
        *,
        fetched_within: float = FETCHED_WITHIN,
    ) -> None:
        self._fetched_within = fetched_within
        self._loaders = loaders
        self._client_of = client_of
        self._public_claims = public_claims
        self._of_connection: dict[Connection, _Prefetched] = {}

    def start(self, connection: Connection, session: Session) -> None:
        """Start the loaders for a connection that opens, with the session of its login."""
        session_id_hash = connection.session_id_hash
        loaders = self._loaders()
        if not loaders or session_id_hash is None or self._is_full(session_id_hash):
            return
        self._of_connection[connection] = _Prefetched(
            _login_of(session),
            session_id_hash,
            {
                name: asyncio.create_task(self._load(loader, connection, session))
                for name, loader in loaders.items()
            },
            asyncio.get_running_loop().call_later(self._fetched_within, self.drop, connection),
        )
        for task in self._of_connection[connection].results.values():
            task.add_done_callback(_retrieve)
        connection.when_closed = lambda: self.drop(connection)

    def take(self, connection: Connection, name: str, session: Session) -> Awaitable[Any] | None:
        """Return the result for an event, to be awaited, and forget it; None if there is none.

        `session` is that of the connection now. Awaiting it raises what the loader raised.
        """
        prefetched = self._of_connection.get(connection)
        if prefetched is None:
            return None
        if connection.is_closed or prefetched.login != _login_of(session):
            self.drop(connection)
            return None
        result = prefetched.results.pop(name, None)
        if not prefetched.results:
            self.drop(connection)
        return result

    def drop(self, connection: Connection) -> None:
        """Forget what is loaded for a connection, and cancel what has not been answered yet."""
        prefetched = self._of_connection.pop(connection, None)
        if prefetched is not None:
            prefetched.drop()

    def _is_full(self, session_id_hash: str) -> bool:
        every = self._of_connection.values()
        of_session = sum(each.session_id_hash == session_id_hash for each in every)
        return of_session >= MOST_OF_SESSION or len(self._of_connection) >= MOST

    async def _load(self, loader: Loader, connection: Connection, session: Session) -> Any:
        async with self._client_of(connection) as http:
            return await loader(http, self._public_claims.of(session.user))


def _login_of(session: Session) -> tuple[Any, ...]:
    """What must be the same at the handshake and when a result is fetched."""
    return session.identity, session.state_key, session.claims_version


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Look at an error, which asyncio would log otherwise if no tab fetches the result."""
    if not task.cancelled():
        task.exception()
