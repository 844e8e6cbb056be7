"""The transport that really sends: one bounded pool of connections for all users.

It knows nothing of users and tokens, and alone knows httpcore. The rest of the layer
takes any `httpx.AsyncBaseTransport`.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

import httpcore
import httpx

SWEEP_INTERVAL = 1.0  # seconds
# Shorter than the five seconds after which common servers (Node's, uvicorn, Apache's) close an idle
# connection: what is sent on one that is just being closed fails, and a PATCH is not sent again.
_KEEPALIVE_EXPIRY = 4.0
_CLOSED = "The connection pool is closed."
_SCHEMES = frozenset({"http", "https", "ws", "wss"})
# Those that a caller sees. httpx has one of the same name for each of their subclasses.
_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)


def build_pool(
    verify: ssl.SSLContext | bool = True,
    *,
    max_connections: int = 100,
    monotonic: Callable[[], float] = time.monotonic,
) -> ConnectionPool:
    """A pool that takes no proxy and no certificates from the environment, nor retries.

    A request that finds all connections in use waits for one, as long as its timeout `pool` says.
    `monotonic` gives seconds. The caller closes the pool (`await pool.aclose()`).
    """
    return ConnectionPool(verify, max_connections=max_connections, monotonic=monotonic)


class ConnectionPool(httpx.AsyncBaseTransport):
    """A transport for any `httpx.AsyncClient(transport=ConnectionPool())`: connections of httpcore,
    HTTP/1.1 only. All of them may be idle at once.

    It is used in place of httpcore's own pool, which asks every idle connection, twice a request,
    whether the server has closed it: with fifty open, a third of what a request costs. This one
    asks the connection that it is about to use, and all of them once a second.

    `verify` is that of `httpx.AsyncClient`. A request that finds `max_connections` in use waits for
    one, as long as its timeout `pool` says. `keepalive_expiry` is in seconds: an idle connection is
    not used after that. Neither proxies nor certificates come from the environment, and nothing is
    sent twice. `monotonic` gives seconds. A pool belongs to one event loop.
    """

    def __init__(
        self,
        verify: ssl.SSLContext | bool = True,
        *,
        max_connections: int = 100,
        keepalive_expiry: float = _KEEPALIVE_EXPIRY,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ssl_context = httpx.create_ssl_context(verify=verify, trust_env=False)
        self._keepalive_expiry = keepalive_expiry
        self._max_connections = max_connections
        self._slots = asyncio.Semaphore(max_connections)
        self._in_use: set[httpcore.AsyncHTTPConnection] = set()
        self._idle: list[httpcore.AsyncHTTPConnection] = []  # the last one was used last
        self._closing: list[httpcore.AsyncHTTPConnection] = []
        self._monotonic = monotonic
        self._swept_at = float("-inf")
        self._is_closed = False

    @property
    def open_connections(self) -> int:
        """How many connections there are, in use or idle."""
        return len(self._in_use) + len(self._idle)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; raises the errors of `httpx.AsyncHTTPTransport`, such as
        `httpx.UnsupportedProtocol`, and `httpx.ConnectError` once the pool is closed."""
        if self._is_closed:
            raise httpx.ConnectError(_CLOSED)
        if request.url.scheme not in _SCHEMES:
            raise httpx.UnsupportedProtocol("The URL starts with neither http:// nor https://.")
        outgoing = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        await self._wait_for_slot(request.extensions.get("timeout", {}).get("pool"))
        if self._is_closed:  # while it waited
            self._slots.release()
            raise httpx.ConnectError(_CLOSED)
        connection = self._take(outgoing.url.origin)
        try:
            await self._close_dropped()
            with _errors_of_httpx():
                response = await connection.handle_async_request(outgoing)
        except BaseException:
            await self._give_back(connection)
            raise
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response, connection, self._give_back),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close all connections, also those in use. There are none from then on: what is asked of
        a closed pool fails like a request to a host that cannot be reached, since an app that
        stops still runs handlers."""
        self._is_closed = True
        self._closing += [*self._idle, *self._in_use]
        self._idle.clear()
        await self._close_dropped()

    async def _wait_for_slot(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("All connections are in use.") from None

    def _take(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        """An idle connection or a new one, now in use. The caller has a slot for it."""
        self._sweep()
        connection = self._idle_to(origin)
        if connection is None:
            if self.open_connections >= self._max_connections:
                self._closing.append(self._idle.pop(0))
            connection = httpcore.AsyncHTTPConnection(
                origin, self._ssl_context, keepalive_expiry=self._keepalive_expiry
            )
        self._in_use.add(connection)
        return connection

    def _idle_to(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection | None:
        for connection in reversed(self._idle[:]):
            if connection.can_handle_request(origin):
                self._idle.remove(connection)
                if not connection.has_expired():
                    return connection
                self._closing.append(connection)
        return None

    def _sweep(self) -> None:
        """Drop all idle connections that have expired or that the server has closed."""
        now = self._monotonic()
        if now - self._swept_at >= SWEEP_INTERVAL:
            self._swept_at = now
            expired = [connection for connection in self._idle if connection.has_expired()]
            self._idle = [connection for connection in self._idle if connection not in expired]
            self._closing += expired

    async def _give_back(self, connection: httpcore.AsyncHTTPConnection) -> None:
        """Make room for the next request. Nothing is awaited before that: a cancellation here must
        not cost the pool a slot."""
        self._in_use.discard(connection)
        self._slots.release()
        if connection.is_closed():
            return
        if connection.is_idle() and not self._is_closed:
            self._idle.append(connection)
        else:
            await connection.aclose()

    async def _close_dropped(self) -> None:
        """A cancellation leaves the rest to the next request."""
        while self._closing:
            await self._closing.pop().aclose()


class _Body(httpx.AsyncByteStream):
    """The body of a response, which gives its connection back once."""

    def __init__(
        self,
        response: httpcore.Response,
        connection: httpcore.AsyncHTTPConnection,
        give_back: Callable[[httpcore.AsyncHTTPConnection], Awaitable[None]],
    ) -> None:
        self._response = response
        self._connection = connection
        self._give_back = give_back
        self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            with _errors_of_httpx():
                async for part in self._response.aiter_stream():
                    yield part
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._response.aclose()
        finally:
            await self._give_back(self._connection)


@contextmanager
def _errors_of_httpx() -> Iterator[None]:
    try:
        yield
    except httpcore.ConnectionNotAvailable as error:
        # Its own pool tries another connection then. Ours only meets it where `aclose` has closed
        # the connection between the request's choice of it and the first byte.
        raise httpx.ConnectError(_CLOSED) from error
    except _ERRORS as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error
