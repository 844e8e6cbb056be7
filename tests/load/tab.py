"""A browser's tab as a websocket client without a browser."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import secrets
import time
import uuid
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ..cookies import browser_cookie, session_cookie

STATE = "reflex___state____state"
HYDRATED = '"is_hydrated_rx_state_":true'
SIGNED_OUT = '"is_authenticated_rx_state_":false'
MARKS = re.compile(r'"(?:n|is_hydrated|is_authenticated)_rx_state_":[a-z0-9]+')
PATIENCE = 20.0  # seconds for an answer

_numbers = itertools.count(1)


class Tab:
    """`state` is the full name of the State whose events it sends, `handle` its session's."""

    def __init__(self, url: str, state: str, handle: str | None = None) -> None:
        self.url = url
        self.handle = handle
        self._state = state
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect and load the page."""
        address = self.url.replace("http", "ws", 1)
        cookie = f"{browser_cookie(self.url)}={secrets.token_urlsafe(32)}"
        if self.handle:
            cookie += f"; {session_cookie(self.url)}={self.handle}"
        self._socket = await connect(
            f"{address}/_event/?token={uuid.uuid4()}&EIO=4&transport=websocket",
            origin=self.url,  # type: ignore[arg-type]
            additional_headers={"Cookie": cookie},
            ping_interval=None,
            compression=None,
        )
        await self._socket.recv()
        await self._socket.send("40/_event,")
        await self._socket.recv()
        self._reader = asyncio.create_task(self._read(self._socket))
        await self._ask(f"{STATE}.hydrate_and_load", {}, HYDRATED)

    async def call(self, handler: str) -> float:
        """The seconds from an event to the change that it makes."""
        n = next(_numbers)
        begun_at = time.perf_counter()
        await self._ask(f"{self._state}.{handler}", {"n": n}, f'"n_rx_state_":{n}')
        return time.perf_counter() - begun_at

    def waits_for(self, mark: str) -> asyncio.Future[None]:
        """Done when a frame sets a variable so (see `MARKS`)."""
        return self._waiting.setdefault(mark, asyncio.get_running_loop().create_future())

    async def close(self) -> None:
        """As a tab that is closed."""
        if self._reader is not None:
            self._reader.cancel()
            await self._socket.close()

    async def _ask(self, name: str, payload: dict[str, Any], mark: str) -> None:
        answered = self.waits_for(mark)
        event = {"name": name, "payload": payload, "router_data": {"pathname": "/", "asPath": "/"}}
        await self._socket.send("42/_event," + json.dumps(["event", event]))
        try:
            await asyncio.wait_for(answered, PATIENCE)
        finally:
            self._waiting.pop(mark, None)

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for frame in socket:
                if frame == "2":
                    await socket.send("3")
                for mark in MARKS.findall(str(frame)):
                    answered = self._waiting.get(mark)
                    if answered is not None and not answered.done():
                        answered.set_result(None)
        except ConnectionClosed:
            pass
