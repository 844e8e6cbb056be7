"""A TCP proxy that delays: a network between two ports of this machine, without root."""

from __future__ import annotations

import asyncio
import contextlib


class DelayingProxy:
    """Passes bytes on to a loopback port, each `delay` seconds later, in both directions.

    A new connection takes a round trip more, as that of TCP does.
    """

    def __init__(self, target: int) -> None:
        self.delay = 0.0
        self._target = target

    async def start(self, port: int) -> asyncio.Server:
        """Listen on a loopback port."""
        return await asyncio.start_server(self._connected, "127.0.0.1", port)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2 * self.delay)
        their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self._target)
        await asyncio.gather(self._pass(reader, their_writer), self._pass(their_reader, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Order is kept, and a chunk does not wait for the chunks before it to be delivered."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        clock = asyncio.get_running_loop().time

        async def deliver() -> None:
            while True:
                due, data = await queue.get()
                if (wait := due - clock()) > 0:
                    await asyncio.sleep(wait)
                if not data:
                    return
                writer.write(data)
                await writer.drain()

        delivery = asyncio.create_task(deliver())
        try:
            while data := await reader.read(65_536):
                queue.put_nowait((clock() + self.delay, data))
        except ConnectionError:
            pass
        queue.put_nowait((clock() + self.delay, b""))
        with contextlib.suppress(ConnectionError):
            await delivery
        writer.close()
