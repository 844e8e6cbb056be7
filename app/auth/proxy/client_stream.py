"""The browser's side of a proxied request: its body, and whether it is still there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from starlette.types import Message, Receive, Send


class ClientGoneError(Exception):
    """The browser has closed the connection before the end of its request."""


class BodyTooLargeError(Exception):
    """The body is longer than the route allows."""


class ClientSlowError(Exception):
    """The browser has not sent or taken a byte for as long as the route allows."""


class ClientStream:
    """One at a time reads what the server receives: first the body, then the news that the browser
    has gone. `has_body` says whether there is a body to read, `timeout` is in seconds."""

    def __init__(
        self, receive: Receive, send: Send, *, has_body: bool, max_body: int, timeout: float
    ) -> None:
        self._receive = receive
        self._send = send
        self._max_body = max_body
        self._timeout = timeout
        self._is_read = asyncio.Event()
        self.has_begun = False
        """Whether the answer has begun."""
        if not has_body:
            self._is_read.set()

    async def body(self) -> AsyncIterator[bytes]:
        """The parts of the body as they come. Raises the errors of this module."""
        size, more = 0, True
        while more:
            try:
                async with asyncio.timeout(self._timeout):
                    message = await self._receive()
            except TimeoutError:
                raise ClientSlowError from None
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            part, more = message.get("body", b""), message.get("more_body", False)
            size += len(part)
            if size > self._max_body:
                raise BodyTooLargeError
            if not more:
                self._is_read.set()
            if part:
                yield part

    async def send(self, message: Message) -> None:
        """Send a part of the answer; raises `ClientSlowError`."""
        self.has_begun = True
        try:
            async with asyncio.timeout(self._timeout):
                await self._send(message)
        except TimeoutError:
            raise ClientSlowError from None

    async def until_gone(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work`, and cancel it when the browser goes away. Raises what it raises."""
        working, watching = asyncio.create_task(work), asyncio.create_task(self._gone())
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ClientGoneError
            working.result()
        finally:
            working.cancel()
            watching.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def _gone(self) -> None:
        await self._is_read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
