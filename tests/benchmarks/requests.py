"""What a request through the interceptor costs, beside bare httpx and beside Authlib's client."""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

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


async def measure(directory: Path) -> list[Figure]:
    """At concurrency 1 and 50."""
    async with _api(directory) as url, _clients(url) as (ours, bare, authlib):
        figures = []
        for concurrency in (1, 50):
            peer = _load(bare, url, concurrency)
            name = f"request, concurrency {concurrency}"
            value = await ratio(_load(ours, url, concurrency), peer)
            figures.append(Figure(f"{name}: interceptor", value, 1.05, "bare httpx.AsyncClient"))
            value = await ratio(_load(authlib, url, concurrency), peer)
            figures.append(Figure(f"{name}: Authlib", value, None, "bare httpx.AsyncClient"))
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
async def _clients(
    url: str,
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient, httpx.AsyncClient]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Authlib announces that this client will go
        from authlib.integrations.httpx_client import AsyncOAuth2Client

    async def token(options: TokenOptions) -> str:
        return TOKEN

    transport = AccessTokenTransport(AllowedList([f"{url}/v1/*"]), token, build_pool())
    headers = {"Authorization": f"Bearer {TOKEN}"}
    held = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
    async with (
        build_client(transport) as ours,
        httpx.AsyncClient(transport=build_pool(), headers=headers, trust_env=False) as bare,
        AsyncOAuth2Client(token=held, transport=build_pool(), trust_env=False) as authlib,
    ):
        yield ours, bare, authlib
