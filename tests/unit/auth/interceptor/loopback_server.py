"""A small HTTP/1.1 server on 127.0.0.1 that keeps the heads it was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class LoopbackServer:
    """`/to/URL` redirects, `/slow` never answers, `/stream` sends chunks, `/stall` the first of
    them and no more; the rest echoes."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self.port = 0

    def url(self, path: str) -> str:
        """An absolute URL of this server."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.heads.append(head)
            path = head.split(" ")[1]
            if path == "/slow":
                await reader.read()
                return
            if path == "/stall":
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
                await reader.read()
                return
            writer.write(self._reply(path, await _body(head, reader)))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _reply(self, path: str, body: bytes) -> bytes:
        close = b"Connection: close\r\nSet-Cookie: visitor=%d\r\n" % len(self.heads)
        if path.startswith("/to/"):
            location = path.removeprefix("/to/").encode()
            return b"HTTP/1.1 307 Moved\r\nContent-Length: 0\r\nLocation: %s\r\n%s\r\n" % (
                location,
                close,
            )
        if path == "/stream":
            chunk = b"2\r\nab\r\n" * 3 + b"0\r\n\r\n"
            return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n%s\r\n%s" % (close, chunk)
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), close, body)


async def _body(head: str, reader: asyncio.StreamReader) -> bytes:
    if "transfer-encoding: chunked" in head.lower():
        parts = b""
        while size := int(await reader.readline(), 16):
            parts += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return parts
    length = [line for line in head.lower().split("\r\n") if line.startswith("content-length:")]
    return await reader.readexactly(int(length[0].partition(":")[2])) if length else b""


@asynccontextmanager
async def loopback_server() -> AsyncIterator[LoopbackServer]:
    """A running server on a free port."""
    running = LoopbackServer()
    server = await asyncio.start_server(running.answer, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        await server.wait_closed()
