"""A browser's tab by hand: a websocket that says whatever a test wants, and keeps what it hears."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

STATE = "reflex___state____state"
PATIENCE = 20.0  # seconds for an answer

_marks = itertools.count(1)


class RawTab:
    """`handle` is the session's, or None for nobody's; `token` the tab's."""

    def __init__(self, url: str, handle: str | None = None, *, token: str | None = None) -> None:
        self.url = url
        self.token = token or str(uuid.uuid4())
        self.heard: list[str] = []
        self._handle = handle
        self._waiting: dict[str, asyncio.Future[None]] = {}

    async def open(self) -> None:
        """Connect, and load the page."""
        cookie = {"Cookie": f"auth_session={self._handle}"} if self._handle else {}
        self._socket: ClientConnection = await connect(
            f"{self.url.replace('http', 'ws', 1)}/_event/?token={self.token}"
            "&EIO=4&transport=websocket",
            origin=self.url,  # type: ignore[arg-type]
            additional_headers=cookie,
            ping_interval=None,
        )
        await self._socket.recv()
        await self._socket.send("40/_event,")
        await self._socket.recv()
        self._reader = asyncio.create_task(self._read())
        await self.send(f"{STATE}.hydrate_and_load", {})
        await self.settle()

    async def send(self, name: str, payload: dict[str, Any], **more: Any) -> None:
        """An event, whatever its name."""
        router_data = {"pathname": "/", "asPath": "/"}
        event = {"name": name, "payload": payload, "router_data": router_data, **more}
        await self._socket.send("42/_event," + json.dumps(["event", event]))

    async def settle(self) -> None:
        """Wait until all that was sent before has been worked off."""
        text = f"settled-{next(_marks)}"
        heard = self._waiting[text] = asyncio.get_running_loop().create_future()
        await self.send(f"{STATE}.access_app___access_app____open.say", {"text": text})
        await asyncio.wait_for(heard, PATIENCE)

    async def close(self) -> None:
        """As a tab that is closed."""
        self._reader.cancel()
        await self._socket.close()

    async def _read(self) -> None:
        try:
            async for frame in self._socket:
                text = str(frame)
                self.heard.append(text)
                if text == "2":
                    await self._socket.send("3")
                for mark, future in self._waiting.items():
                    if f'"mark_rx_state_":"{mark}"' in text and not future.done():
                        future.set_result(None)
        except ConnectionClosed:
            pass
