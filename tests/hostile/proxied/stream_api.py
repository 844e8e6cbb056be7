"""An API on loopback that sends and takes bodies of any length, and notices who goes away."""

from __future__ import annotations

import asyncio
import re

PART = b"x" * 65536


class StreamApi:
    """`GET /v1/files/SIZE` sends so many bytes, `/endless` never ends, `/cut` ends too early, and
    `/silent` never begins. What is sent to it is counted: `received`. `gone` are the paths whose
    client went away before the end."""

    def __init__(self) -> None:
        self.received = 0
        self.begun = asyncio.Event()
        self.gone: asyncio.Queue[str] = asyncio.Queue()
        self._server: asyncio.Server | None = None
        self.url = ""

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Free the port."""
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = ""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ")[1]
            self.begun.set()
            await self._read(head, reader)
            if path.endswith("silent"):
                await reader.readexactly(1)
            await self._write(path.rpartition("/")[2], writer)
        except (OSError, asyncio.IncompleteReadError):
            await self.gone.put(path)
        finally:
            writer.close()

    async def _read(self, head: str, reader: asyncio.StreamReader) -> None:
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        left = int(length[1]) if length else 0
        while left:
            part = await reader.read(min(left, len(PART)))
            if not part:
                raise asyncio.IncompleteReadError(part, left)
            left -= len(part)
            self.received += len(part)
        if "chunked" in head.lower():
            while size := int(await reader.readuntil(b"\r\n"), 16):
                await reader.readexactly(size + 2)
                self.received += size
            await reader.readexactly(2)

    async def _write(self, name: str, writer: asyncio.StreamWriter) -> None:
        size = int(name) if name.isdecimal() else 0
        promised = {"endless": 2**40, "cut": 1000}.get(name, size)
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {promised}\r\n\r\n".encode())
        while size or name == "endless":
            part = PART if name == "endless" else PART[:size]
            size -= len(part) if size else 0
            writer.write(part)
            await writer.drain()
        if name == "cut":
            writer.write(b"part")
        await writer.drain()
