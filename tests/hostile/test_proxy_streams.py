"""Bodies through a proxied route of a real server: in constant memory, and no longer than anyone
waits for them. Set `PROXY_MEGABYTES=1024` for longer ones."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from ..servers import ROOT, Server, clean_environ, free_port
from .proxied.app import PROOF
from .proxied.stream_api import PART, StreamApi

SIZE = int(os.environ.get("PROXY_MEGABYTES", "128")) * 2**20
GROWTH = 24 * 2**20  # bytes: far less than a body
PATIENCE = 15.0


@dataclass(frozen=True)
class Backend:
    """A server process, and the `Cookie` header of Ann's browser."""

    url: str
    cookie: str
    process: psutil.Process

    @property
    def memory(self) -> int:
        """The bytes that the process holds now."""
        return int(self.process.memory_info().rss)


@pytest.fixture
async def api() -> AsyncIterator[StreamApi]:
    """What is behind the proxy."""
    api = StreamApi()
    await api.start()
    yield api
    await api.stop()


@pytest.fixture(params=["granian", "uvicorn"])
async def backend(
    request: pytest.FixtureRequest, api: StreamApi, tmp_path: Path
) -> AsyncIterator[Backend]:
    """The app as a process."""
    port, cookie = free_port(), tmp_path / "cookie"
    url = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        try:
            return httpx.get(url, trust_env=False).status_code == 404
        except httpx.HTTPError:
            return False

    command = [sys.executable, "-m", "tests.hostile.proxied.backend", request.param]
    server = Server(
        [*command, str(port), api.url, str(cookie)],
        cwd=ROOT,
        environ=clean_environ(),
        log=tmp_path / "backend.log",
        ready=is_ready,
    )
    await asyncio.to_thread(server.start)
    yield Backend(url, cookie.read_text(), psutil.Process(server.pid))
    await asyncio.to_thread(server.stop)


@pytest.fixture
async def ann(backend: Backend) -> AsyncIterator[httpx.AsyncClient]:
    """Ann's browser."""
    async with httpx.AsyncClient(
        base_url=backend.url,
        headers={**PROOF, "Origin": backend.url, "Cookie": backend.cookie},
        timeout=PATIENCE,
        trust_env=False,
    ) as ann:
        yield ann


async def body(size: int, look: Callable[[], object]) -> AsyncIterator[bytes]:
    """A body of `size` bytes; now and then it takes a look."""
    for number in range(size // len(PART)):
        if number % 256 == 0:
            look()
        yield PART


async def test_streams(backend: Backend, api: StreamApi, ann: httpx.AsyncClient) -> None:
    """Long bodies pass both ways in constant memory, and what a browser has left or an API has cut
    ends the other side, too."""
    await ann.post("/files/0", content=PART)
    before, seen = backend.memory, []

    def look() -> None:
        seen.append(backend.memory)

    api.received = 0
    sent = await ann.post("/files/0", content=body(SIZE, look))
    assert (sent.status_code, api.received) == (200, SIZE)
    size = 0
    async with ann.stream("GET", f"/files/{SIZE}") as response:
        async for part in response.aiter_raw():
            size += len(part)
            look()
    assert size == SIZE
    assert max(seen) - before < GROWTH

    # A browser that goes away while the answer comes, or before it begins.
    async with ann.stream("GET", "/files/endless") as response:
        async for _ in response.aiter_raw():
            break
    assert await asyncio.wait_for(api.gone.get(), PATIENCE) == "/v1/files/endless"
    api.begun.clear()
    asking = asyncio.create_task(ann.get("/files/silent"))
    await asyncio.wait_for(api.begun.wait(), PATIENCE)
    asking.cancel()
    assert await asyncio.wait_for(api.gone.get(), PATIENCE) == "/v1/files/silent"

    # One that goes away in the midst of its own body.
    api.begun.clear()

    async def stops() -> AsyncIterator[bytes]:
        yield PART
        await api.begun.wait()
        raise OSError("the browser is closed")

    with pytest.raises(OSError, match="closed"):
        await ann.post("/files/upload", content=stops())
    assert await asyncio.wait_for(api.gone.get(), PATIENCE) == "/v1/files/upload"

    # An answer that ends too early does not look complete.
    with pytest.raises(httpx.RemoteProtocolError):
        await ann.get("/files/cut")
    assert (await ann.get("/files/65536")).content == PART
