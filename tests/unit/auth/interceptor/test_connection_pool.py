"""The connections of the real pool."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpcore
import httpx
import pytest

from app.auth.interceptor import ConnectionPool, build_client, build_pool
from app.auth.interceptor.connection_pool import SWEEP_INTERVAL

from ....servers import ROOT
from ..conftest import Clock
from .certificate import write_certificate
from .loopback_server import loopback_server

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"


class Api:
    """Answers every request of a connection with 204, once `go` lets it."""

    def __init__(self, go: asyncio.Barrier) -> None:
        self.connections: list[asyncio.StreamWriter] = []
        self.was_asked = asyncio.Event()
        self.was_closed = asyncio.Event()
        self._go = go

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        while await reader.read(10_000):
            self.was_asked.set()
            await self._go.wait()
            writer.write(NO_CONTENT)
        self.was_closed.set()

    async def let_go(self) -> None:
        """Be the last one that an answer waits for."""
        await self._go.wait()

    async def close_all(self) -> None:
        """Close every connection, as an API does that has waited long enough."""
        for writer in self.connections:
            writer.transport.abort()  # over TLS, `close` would wait for an answer
            await writer.wait_closed()


@asynccontextmanager
async def running(api: Api, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The URL at which it answers."""
    server = await asyncio.start_server(api, "127.0.0.1", 0, ssl=context)
    scheme = "https" if context else "http"
    try:
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        await api.close_all()
        await server.wait_closed()


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """The URL of a server that sends these bytes and closes."""

    async def api(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(api, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_connections_are_used_again() -> None:
    """As many requests as before, at once again, need no further connection, though they are more
    than the 20 that `httpx` keeps by itself."""
    at_once = 40
    api = Api(asyncio.Barrier(at_once))
    async with running(api) as url, build_client(build_pool()) as client:
        for _ in range(2):
            answers = await asyncio.gather(*(client.get(url) for _ in range(at_once)))
            assert {each.status_code for each in answers} == {204}
        assert len(api.connections) == at_once


async def test_connection_that_the_api_has_closed() -> None:
    """A POST is not sent on a connection that the API has closed."""
    api = Api(asyncio.Barrier(1))
    async with running(api) as url, build_client(build_pool()) as client:
        await client.post(url)
        await api.close_all()
        assert (await client.post(url)).status_code == 204
        assert len(api.connections) == 2


async def test_sweep() -> None:
    """After `SWEEP_INTERVAL`, the next request drops all of them, whatever its own host is."""
    at_once, now = 3, Clock()
    api = Api(asyncio.Barrier(at_once))
    pool = build_pool(monotonic=now)
    async with running(api) as url, build_client(pool) as client:
        await asyncio.gather(*(client.get(url) for _ in range(at_once)))
        await api.close_all()
        async with loopback_server() as other:
            await client.get(other.url("/"))
            assert pool.open_connections == at_once
            now.now += SWEEP_INTERVAL
            await client.get(other.url("/"))
        assert pool.open_connections == 0


async def test_max_connections() -> None:
    """A request that finds all connections in use waits for one, and gets it."""
    api = Api(asyncio.Barrier(1))
    async with running(api) as url, build_client(build_pool(max_connections=2)) as client:
        answers = await asyncio.gather(*(client.get(url) for _ in range(20)))
        assert {each.status_code for each in answers} == {204}
        assert len(api.connections) == 2


async def test_pool_timeout() -> None:
    """A request that waits too long fails with `PoolTimeout`; others still get a connection."""
    api = Api(asyncio.Barrier(2))  # the first answer waits for the second request
    briefly = httpx.Timeout(5.0, pool=0.01)
    async with running(api) as url, build_client(build_pool(max_connections=1)) as client:
        first = asyncio.create_task(client.get(url))
        await api.was_asked.wait()
        with pytest.raises(httpx.PoolTimeout):
            await client.get(url, timeout=briefly)
        waiting = asyncio.create_task(client.get(url))
        await api.let_go()
        assert (await first).status_code == 204
        await api.let_go()
        assert (await waiting).status_code == 204
        assert len(api.connections) == 1


@pytest.mark.parametrize("ticks", range(8))
async def test_cancelled_while_it_is_closed(ticks: int) -> None:
    """A cancellation at any step of reading a response does not cost the pool its only slot."""
    client = build_client(build_pool(max_connections=1))
    briefly = httpx.Timeout(5.0, pool=1.0)
    async with loopback_server() as server, client:
        request = client.build_request("GET", server.url("/"))
        response = await client.send(request, stream=True)
        reading = asyncio.create_task(response.aread())
        for _ in range(ticks):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        await response.aclose()
        assert (await client.get(server.url("/"), timeout=briefly)).status_code == 200


@pytest.mark.parametrize("ticks", range(16))
async def test_cancelled_request(ticks: int) -> None:
    """A cancellation at any step of a request does not cost the pool its only slot, nor the next
    request its turn."""
    client = build_client(build_pool(max_connections=1))
    briefly = httpx.Timeout(5.0, pool=1.0)
    async with loopback_server() as server, client:
        stalled = asyncio.create_task(client.get(server.url("/stall")))
        waiting = asyncio.create_task(client.get(server.url("/"), timeout=briefly))
        for _ in range(ticks):
            await asyncio.sleep(0)
        stalled.cancel()
        await asyncio.wait([stalled])
        assert (await waiting).status_code == 200
        assert (await client.get(server.url("/"), timeout=briefly)).status_code == 200


async def test_closed_while_in_use() -> None:
    """Closing the pool ends the requests that are under way."""
    api = Api(asyncio.Barrier(2))
    async with running(api) as url:
        pool = build_pool()
        async with build_client(pool) as client:
            request = asyncio.create_task(client.get(url))
            await api.was_asked.wait()
            await pool.aclose()
            with pytest.raises(httpx.NetworkError):
                await request


@pytest.mark.parametrize("ticks", range(16))
@pytest.mark.parametrize("used", [True, False], ids=["used connection", "new connection"])
async def test_closed_at_any_step(ticks: int, used: bool) -> None:
    """A request during which the pool is closed has an answer or an error of httpx, whichever step
    it is at, and leaves no connection open."""
    pool = build_pool()
    client = build_client(pool)
    async with loopback_server() as server, client:
        if used:
            await client.get(server.url("/"))
        request = asyncio.create_task(client.get(server.url("/")))
        for _ in range(ticks):
            await asyncio.sleep(0)
        await pool.aclose()
        with suppress(httpx.TransportError):
            assert (await request).status_code == 200
        assert pool.open_connections == 0


async def test_closed_while_requests_wait() -> None:
    """A request that waits for a connection when the pool is closed is not sent."""
    api = Api(asyncio.Barrier(2))
    async with running(api) as url:
        pool = build_pool(max_connections=1)
        async with build_client(pool) as client:
            first = asyncio.create_task(client.get(url))
            await api.was_asked.wait()
            waiting = asyncio.create_task(client.get(url))
            await asyncio.sleep(0)  # it begins
            await pool.aclose()
            with pytest.raises(httpx.NetworkError):
                await first
            with pytest.raises(httpx.ConnectError, match="pool is closed"):
                async with asyncio.timeout(5.0):
                    await waiting
        assert (len(api.connections), pool.open_connections) == (1, 0)


async def test_request_to_a_closed_pool() -> None:
    """A closed pool opens no more connections."""
    pool = build_pool()
    await pool.aclose()
    async with loopback_server() as server, build_client(pool) as client:
        with pytest.raises(httpx.ConnectError, match="pool is closed"):
            await client.get(server.url("/"))
        assert pool.open_connections == 0


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", httpx.RemoteProtocolError),
        (b"nonsense\r\n\r\n", httpx.RemoteProtocolError),
        (SHORT, httpx.RemoteProtocolError),
    ],
)
async def test_errors(answer: bytes, error: type[Exception]) -> None:
    """What goes wrong is an error of httpx, and the connection is not used again."""
    pool = build_pool(max_connections=1)
    async with answering(answer) as url, build_client(pool) as client:
        for _ in range(2):
            with pytest.raises(error):
                await client.get(url)
        assert pool.open_connections == 0


async def test_error_in_a_body() -> None:
    """When reading a body fails, its connection is gone, also if the caller does not close it."""
    pool = build_pool(max_connections=1)
    async with answering(SHORT) as url, build_client(pool) as client:
        response = await client.send(client.build_request("GET", url), stream=True)
        with pytest.raises(httpx.RemoteProtocolError):
            await response.aread()
        assert pool.open_connections == 0
        await response.aclose()


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://127.0.0.1:1/", httpx.ConnectError),
        ("ftp://127.0.0.1/", httpx.UnsupportedProtocol),
        ("/relative", httpx.UnsupportedProtocol),
    ],
)
async def test_not_sent(url: str, error: type[Exception]) -> None:
    """So is it when nothing can be sent."""
    pool = build_pool(max_connections=1)
    async with build_client(pool) as client:
        for _ in range(2):
            with pytest.raises(error):
                await client.get(url)
        assert pool.open_connections == 0


def test_every_error_of_httpcore() -> None:
    """httpx has an error of the same name for each of httpcore's."""
    kinds = [kind for kind in vars(httpcore).values() if isinstance(kind, type)]
    errors = [kind for kind in kinds if issubclass(kind, Exception)]
    missing = {kind.__name__ for kind in errors if not hasattr(httpx, kind.__name__)}
    assert missing == {"ConnectionNotAvailable"}  # says that another connection is to be used


async def test_full_of_idle_ones() -> None:
    """A connection that is idle makes room for one to another host, and one that was closed for
    the next to the same."""
    api = Api(asyncio.Barrier(1))
    client = build_client(build_pool(max_connections=1))
    async with running(api) as url, loopback_server() as other, client:
        await client.get(url)
        for _ in range(2):  # each answer closes its connection
            await client.get(other.url("/"))
            await asyncio.wait_for(api.was_closed.wait(), timeout=5.0)
        await client.get(url)
    assert len(api.connections) == 2
    assert len(other.heads) == 2


async def test_tls(tmp_path: Path) -> None:
    """Over TLS, too, a connection is used again until the API closes it."""
    certificate = write_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=certificate)
    api = Api(asyncio.Barrier(1))
    async with running(api, context) as url, build_client(build_pool(trusting)) as client:
        for _ in range(2):
            assert (await client.post(url)).status_code == 204
        assert len(api.connections) == 1
        await api.close_all()
        assert (await client.post(url)).status_code == 204
        assert len(api.connections) == 2


async def test_unknown_certificate(tmp_path: Path) -> None:
    """Nothing is sent to a server whose certificate no known authority has signed."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(write_certificate(tmp_path))
    api = Api(asyncio.Barrier(1))
    async with running(api, context) as url, build_client(build_pool()) as client:
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            await client.get(url)


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """N02: HTTP_PROXY must not get to see a request, however the pool is made."""
    async with loopback_server() as proxy, loopback_server() as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with build_pool() as pool, build_client(pool) as client:
            await client.get(server.url("/v1/me"))
        assert len(server.heads) == 1
        assert proxy.heads == []


async def test_certificates_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SSL_CERT_FILE must not decide whom the token is entrusted to."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    async with build_pool():
        pass


_PLAIN = """
import asyncio, sys, httpx
from app.auth import ConnectionPool

async def main():
    async with ConnectionPool(max_connections=2) as pool:
        async with httpx.AsyncClient(transport=pool, trust_env=False) as http:
            answers = await asyncio.gather(*(http.get(sys.argv[1]) for _ in range(20)))
            print({answer.status_code for answer in answers}, pool.open_connections)
    print(pool.open_connections, sorted({"reflex", "app.auth.service"} & set(sys.modules)))

asyncio.run(main())
"""


async def test_without_the_rest() -> None:
    """A plain client can use the pool, which needs neither the other parts of the layer nor
    Reflex."""
    async with running(Api(asyncio.Barrier(1))) as url:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _PLAIN, url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
    assert output.decode().splitlines() == ["{204} 2", "0 []"]


async def test_keepalive_expiry() -> None:
    """A connection that was idle for longer than this is not used again."""
    api = Api(asyncio.Barrier(1))
    pool = ConnectionPool(keepalive_expiry=0)
    async with running(api) as url, build_client(pool) as client:
        for _ in range(2):
            await client.get(url)
        assert (len(api.connections), pool.open_connections) == (2, 1)
    await pool.aclose()
