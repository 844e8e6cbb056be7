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
LOAD = f"{STATE}.hydrate_and_load"
COMES_AGAIN = (1012, 1006)  # closed by the app, or broken off
PATIENCE = 20.0  # seconds for an answer

_numbers = itertools.count(1)


class Tab:
    """`state` is the full name of the State whose events it sends, `handle` its session's."""

    def __init__(self, url: str, state: str, handle: str | None = None) -> None:
        self.url = url
        self.handle = handle
        self._state = state
        self._token = str(uuid.uuid4())
        self._browser = secrets.token_urlsafe(32)
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect and load the page."""
        await self._connect()
        self._reader = asyncio.create_task(self._read())
        await self._ask(LOAD, {}, HYDRATED)

    async def _connect(self) -> None:
        address = self.url.replace("http", "ws", 1)
        cookie = f"{browser_cookie(self.url)}={self._browser}"
        if self.handle:
            cookie += f"; {session_cookie(self.url)}={self.handle}"
        self._socket = await connect(
            f"{address}/_event/?token={self._token}&EIO=4&transport=websocket",
            origin=self.url,  # type: ignore[arg-type]
            additional_headers={"Cookie": cookie},
            ping_interval=None,
            compression=None,
        )
        await self._socket.recv()
        await self._socket.send("40/_event,")
        await self._socket.recv()

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
        await self._send(name, payload)
        try:
            await asyncio.wait_for(answered, PATIENCE)
        finally:
            self._waiting.pop(mark, None)

    async def _send(self, name: str, payload: dict[str, Any]) -> None:
        event = {"name": name, "payload": payload, "router_data": {"pathname": "/", "asPath": "/"}}
        await self._socket.send("42/_event," + json.dumps(["event", event]))

    async def _read(self) -> None:
        """Read until the tab is closed. Like a browser, it comes back when the app closes the
        connection."""
        await self._read_on(self._socket)
        while self._socket.close_code in COMES_AGAIN:
            await self._connect()
            await self._send(LOAD, {})
            await self._read_on(self._socket)

    async def _read_on(self, socket: ClientConnection) -> None:
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
