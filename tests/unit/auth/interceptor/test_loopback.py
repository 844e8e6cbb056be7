"""Over a real pool and real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from app.auth.interceptor import AccessTokenTransport, AllowedList, build_client, build_pool

from .fakes import TokenProvider, chunks
from .loopback_server import LoopbackServer, loopback_server


@pytest.fixture
async def server() -> AsyncIterator[LoopbackServer]:
    """The API."""
    async with loopback_server() as running:
        yield running


@pytest.fixture
async def pool() -> AsyncIterator[httpx.AsyncHTTPTransport]:
    """The pool that all users share."""
    async with build_pool() as shared:
        yield shared


def user(
    pool: httpx.AsyncHTTPTransport, server: LoopbackServer, token: str = "access-token"
) -> httpx.AsyncClient:
    """One user's client, allowed everything on `server`."""
    allowed = AllowedList([server.url("/*")])
    return build_client(AccessTokenTransport(allowed, TokenProvider(token), pool))


async def test_the_token_is_on_the_wire(
    pool: httpx.AsyncHTTPTransport, server: LoopbackServer
) -> None:
    """The real request head has exactly one Authorization line, with the token."""
    async with user(pool, server) as client:
        response = await client.get(server.url("/v1/me?x=1"))
    assert response.status_code == 200
    assert server.heads[0].startswith("GET /v1/me?x=1 HTTP/1.1\r\n")
    assert server.heads[0].count("Authorization: Bearer access-token\r\n") == 1


async def test_a_redirect_to_another_port_loses_it(
    pool: httpx.AsyncHTTPTransport, server: LoopbackServer
) -> None:
    """Another port is another server, also on the wire."""
    async with loopback_server() as stranger, user(pool, server) as client:
        url = server.url(f"/to/{stranger.url('/x')}")
        await client.get(url, headers={"DPoP": "p"}, follow_redirects=True)
    assert "Bearer" in server.heads[0]
    assert "authorization" not in stranger.heads[0].lower()
    assert "dpop" not in stranger.heads[0].lower()


async def test_cookies_of_users_never_mix(
    pool: httpx.AsyncHTTPTransport, server: LoopbackServer
) -> None:
    """A cookie that the API sets is not sent back, on redirects neither."""
    async with user(pool, server, "one") as one, user(pool, server, "two") as two:
        for client in (one, two, one):
            await client.get(server.url("/to/" + server.url("/x")), follow_redirects=True)
        assert len(one.cookies.jar) == len(two.cookies.jar) == 0
    assert len(server.heads) == 6
    assert not [head for head in server.heads if "cookie:" in head.lower()]
    assert [("Bearer one" in head) for head in server.heads] == [
        True,
        True,
        False,
        False,
        True,
        True,
    ]


async def test_the_pool_survives_a_client(
    pool: httpx.AsyncHTTPTransport, server: LoopbackServer
) -> None:
    """After one client is closed, another uses the same pool."""
    for _ in range(2):
        async with user(pool, server) as client:
            assert (await client.get(server.url("/"))).status_code == 200


async def test_streaming_up_and_down(
    pool: httpx.AsyncHTTPTransport, server: LoopbackServer
) -> None:
    """Bodies go through piece by piece, as in plain httpx."""
    async with user(pool, server) as client:
        echoed = await client.post(server.url("/"), content=chunks(b"one", b"two"))
        async with client.stream("GET", server.url("/stream")) as response:
            parts = [part async for part in response.aiter_raw()]
    assert echoed.content == b"onetwo"
    assert b"".join(parts) == b"ababab"


async def test_a_cancelled_download_gives_its_connection_back(server: LoopbackServer) -> None:
    """A part is there before the next one is sent; cancelling the wait for that one frees the only
    connection there is."""
    arrived = asyncio.Event()

    async def download(client: httpx.AsyncClient) -> None:
        async with client.stream("GET", server.url("/stall")) as response:
            async for part in response.aiter_raw():
                assert part == b"ab"
                arrived.set()

    async with build_pool(max_connections=1) as one, user(one, server) as client:
        stalled = asyncio.create_task(download(client))
        await arrived.wait()
        stalled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stalled
        assert (await client.post(server.url("/"), content=b"next")).content == b"next"


async def test_a_timeout_names_the_callers_request(
    pool: httpx.AsyncHTTPTransport, server: LoopbackServer
) -> None:
    """The caller's timeout holds, and its error is without the token."""
    async with user(pool, server) as client:
        with pytest.raises(httpx.ReadTimeout) as caught:
            await client.get(server.url("/slow"), timeout=0.05)
    assert "Bearer" in server.heads[0]
    assert "authorization" not in caught.value.request.headers


async def test_a_refused_connection_names_the_callers_request(
    pool: httpx.AsyncHTTPTransport,
) -> None:
    """A network error of the real pool is without the token too."""
    async with loopback_server() as gone:
        client = user(pool, gone)
    async with client:
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get(gone.url("/"))
    assert "authorization" not in caught.value.request.headers


async def test_many_users_at_once(pool: httpx.AsyncHTTPTransport, server: LoopbackServer) -> None:
    """Concurrent calls through one pool each carry their own user's token."""

    async def call(name: str) -> None:
        async with user(pool, server, name) as client:
            await client.get(server.url(f"/{name}"))

    names = [f"user{number}" for number in range(20)]
    await asyncio.gather(*map(call, names))
    for head in server.heads:
        name = head.split(" ")[1].removeprefix("/")
        assert f"Authorization: Bearer {name}\r\n" in head
