"""What a request through the interceptor costs, beside bare httpx and beside Authlib's client."""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from app.auth.dpop import BoundToken, DPoPKey
from app.auth.interceptor import (
    AccessTokenTransport,
    AllowedList,
    TokenOptions,
    build_client,
    build_pool,
)

from ..servers import ROOT, Server, answers, clean_environ, free_port
from .figure import Figure, Work, ratio

TOKEN = "a" * 800
REQUESTS = 100  # in each measurement
BARE = "bare httpx.AsyncClient"
# What our own pool allows: with httpx's own 20, many at once would open a connection each.
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100)


async def measure(directory: Path) -> list[Figure]:
    """At concurrency 1 and 50."""
    async with _api(directory) as url, _clients(url) as clients:
        figures = []
        for concurrency in (1, 50):
            loads = (_load(client, url, concurrency) for client in clients)
            ours, pooled, bare, authlib, bound = loads
            names = {bare: BARE, pooled: "our pool without it", ours: "the interceptor without"}
            for name, work, peer, goal in (
                ("interceptor", ours, bare, 1.05),
                ("Authlib", authlib, bare, None),
                ("interceptor, by itself", ours, pooled, 1.04),
                ("connection pool, by itself", pooled, bare, 1.0),
                ("interceptor with DPoP", bound, ours, None),
            ):
                value = await ratio(work, peer)
                peer_name = names[peer]
                full_name = f"request, concurrency {concurrency}: {name}"
                figures.append(Figure(full_name, value, goal, peer_name))
        return figures


def _load(client: httpx.AsyncClient, url: str, concurrency: int) -> Work:
    async def one(count: int) -> None:
        for _ in range(count):
            await client.get(f"{url}/v1/me")

    async def work() -> None:
        await asyncio.gather(*(one(REQUESTS // concurrency) for _ in range(concurrency)))

    return work


@asynccontextmanager
async def _api(directory: Path) -> AsyncIterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "tests.benchmarks.loopback", str(port)]
    server = Server(
        command,
        cwd=ROOT,
        environ=clean_environ(),
        log=directory / "loopback.log",
        ready=lambda: answers(url),
    )
    server.start()
    try:
        yield url
    finally:
        server.stop()


@asynccontextmanager
async def _clients(url: str) -> AsyncIterator[tuple[httpx.AsyncClient, ...]]:
    """Ours; one on our pool without the interceptor; a bare one; Authlib's; ours with DPoP."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Authlib announces that this client will go
        from authlib.integrations.httpx_client import AsyncOAuth2Client

    async def token(options: TokenOptions) -> str:
        return TOKEN

    bound_token = BoundToken(TOKEN, DPoPKey.generate())

    async def bound(options: TokenOptions) -> str:
        return bound_token

    allowed = AllowedList([f"{url}/v1/*"])
    transport = AccessTokenTransport(allowed, token, build_pool())
    headers = {"Authorization": f"Bearer {TOKEN}"}
    held = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
    async with (
        build_client(transport) as ours,
        httpx.AsyncClient(transport=build_pool(), headers=headers, trust_env=False) as pooled,
        httpx.AsyncClient(limits=LIMITS, headers=headers, trust_env=False) as bare,
        AsyncOAuth2Client(token=held, limits=LIMITS, trust_env=False) as authlib,
        build_client(AccessTokenTransport(allowed, bound, build_pool())) as proven,
    ):
        yield ours, pooled, bare, authlib, proven
