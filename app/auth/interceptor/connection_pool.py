"""httpcore's connection pool, with a choice of connections that costs less."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Collection
from typing import Any

import httpcore

SWEEP_INTERVAL = 1.0  # seconds
# Shorter than the five seconds after which common servers (Node's, uvicorn, Apache's) close an idle
# connection: what is sent on one that is just being closed fails, and a PATCH is not sent again.
_KEEPALIVE_EXPIRY = 4.0

_Connection = httpcore.AsyncConnectionInterface


class ConnectionPool(httpcore.AsyncConnectionPool):
    """Bounded, HTTP/1.1 only, and as many connections may be idle as there may be.

    Looks at a connection when it is about to be used, and at all of them once a `SWEEP_INTERVAL`.
    httpcore asks every idle connection, twice a request, whether the other side has closed it, and
    counts all of them for each: with fifty open, a third of what a request costs.
    """

    def __init__(
        self,
        ssl_context: ssl.SSLContext,
        *,
        max_connections: int,
        monotonic: Callable[[], float],
    ) -> None:
        super().__init__(
            ssl_context,
            max_connections=max_connections,
            keepalive_expiry=_KEEPALIVE_EXPIRY,
            http2=False,
            retries=0,
        )
        self._most = max_connections
        self._monotonic = monotonic
        self._swept_at = float("-inf")

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """As httpcore's, but a response whose closing is cancelled does not keep its connection for
        ever. Raises what httpcore's raises."""
        response = await super().handle_async_request(request)
        response.stream = _Body(response.stream, self)
        return response

    async def let_go(self, request: Any) -> None:
        """Take back what a request still has, whose response is closed."""
        if request in self._requests:
            self._requests.remove(request)
            await self._close_connections(self._assign_requests_to_connections())

    def _assign_requests_to_connections(self) -> list[_Connection]:
        """Called whenever a request comes or goes; gives the connections that are to be closed."""
        closing: list[_Connection] = []
        in_use = {request.connection for request in self._requests if request.connection}
        now = self._monotonic()
        if now - self._swept_at >= SWEEP_INTERVAL:
            self._swept_at = now
            for connection in self.connections:
                if connection not in in_use and not _is_usable(connection):
                    self._drop(connection, closing)
        for request in [request for request in self._requests if request.is_queued()]:
            found = self._connection_to(request.request.url.origin, in_use, closing)
            if found is not None:
                in_use.add(found)
                request.assign_to_connection(found)
        return closing

    def _connection_to(
        self, origin: httpcore.Origin, in_use: Collection[_Connection], closing: list[_Connection]
    ) -> _Connection | None:
        """One that is there, or a new one; None while there are as many as there may be."""
        for connection in self.connections:
            if connection not in in_use and connection.can_handle_request(origin):
                if _is_usable(connection):
                    return connection
                self._drop(connection, closing)
        if len(self._connections) >= self._most:
            to_elsewhere = next((c for c in self._connections if c not in in_use), None)
            if to_elsewhere is None:
                return None
            self._drop(to_elsewhere, closing)
        connection = self.create_connection(origin)
        self._connections.append(connection)
        return connection

    def _drop(self, connection: _Connection, closing: list[_Connection]) -> None:
        self._connections.remove(connection)
        if not connection.is_closed():
            closing.append(connection)

    async def _close_connections(self, closing: list[_Connection]) -> None:
        """Without the shield against cancellation that httpcore puts around it, when there is
        nothing to close."""
        if closing:
            await super()._close_connections(closing)


class _Body:
    """A response's body. httpcore's forgets its request last, after it has waited for others, and
    asyncio's cancellations get through the shield that it waits behind."""

    def __init__(self, inner: Any, pool: ConnectionPool) -> None:
        self._inner = inner
        self._pool = pool

    def __aiter__(self) -> AsyncIterator[bytes]:
        iterator: AsyncIterator[bytes] = self._inner.__aiter__()
        return iterator

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            await self._pool.let_go(self._inner._pool_request)


def _is_usable(connection: _Connection) -> bool:
    """Of one that no request has: whether it is open, at both ends, and not idle for too long."""
    return connection.is_idle() and not connection.has_expired()
