"""A browser's tab by hand: a websocket that says whatever a test wants, and keeps what it hears."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import secrets
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ..cookies import browser_cookie, session_cookie

STATE = "reflex___state____state"
PATIENCE = 20.0  # seconds for an answer
# The codes of a connection that is to come again: the app has closed it, or the connection broke
# off before the app's own code arrived (it does when the app has not read all that was sent).
COMES_AGAIN = (1012, 1006)

_marks = itertools.count(1)


class RawTab:
    """`handle` is the session's, or None for nobody's; `token` the tab's; `package` where the auth
    layer is in the app that is spoken to; `browser` the cookie that the tabs of a browser share.

    Like a browser it connects again, with the cookie that it has then, when the app closes the
    connection, and holds back what it is to send until it has.
    """

    def __init__(
        self,
        url: str,
        handle: str | None = None,
        *,
        token: str | None = None,
        package: str = "access_app",
        browser: str | None = None,
    ) -> None:
        self.url = url
        self.handle = handle
        self.token = token or str(uuid.uuid4())
        self.heard: list[str] = []
        self.connections = 0
        self._refresh = f"{STATE}.{package}___auth___reflex___state____auth_state.refresh"
        self._acknowledge = self._refresh.replace(".refresh", ".acknowledge")
        self.browser = browser or secrets.token_urlsafe(32)
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._is_open = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, and load the page."""
        await self.connect()
        await self.load()

    async def load(self, page: str = "/", payload: dict[str, Any] | None = None) -> None:
        """What a page sends first: give me everything."""
        router_data = {"pathname": page.partition("?")[0], "asPath": page}
        await self.send(f"{STATE}.hydrate_and_load", payload or {}, router_data=router_data)
        await self.settle()

    async def connect(self) -> None:
        """Connect, and say nothing yet."""
        await self._connect()
        self._reader = asyncio.create_task(self._read())

    async def _connect(self) -> None:
        cookie = f"{browser_cookie(self.url)}={self.browser}"
        if self.handle:
            cookie += f"; {session_cookie(self.url)}={self.handle}"
        self._socket: ClientConnection = await connect(
            f"{self.url.replace('http', 'ws', 1)}/_event/?token={self.token}"
            "&EIO=4&transport=websocket",
            origin=self.url,  # type: ignore[arg-type]
            additional_headers={"Cookie": cookie},
            ping_interval=None,
        )
        self.heard.append(str(await self._socket.recv()))
        await self._socket.send("40/_event,")
        self.heard.append(str(await self._socket.recv()))
        self.connections += 1
        self._is_open.set()

    async def send(self, name: Any, payload: Any, **more: Any) -> None:
        """An event, whatever its name."""
        router_data = {"pathname": "/", "asPath": "/"}
        await self.emit({"name": name, "payload": payload, "router_data": router_data, **more})

    async def emit(self, event: Any, *, kind: str = "event") -> None:
        """Anything at all in the place of an event."""
        while True:
            await asyncio.wait_for(self._is_open.wait(), PATIENCE)
            socket = self._socket
            try:
                await socket.send("42/_event," + json.dumps([kind, event]))
            except ConnectionClosed:
                if socket is self._socket:  # else it has connected again by now
                    self._is_open.clear()
            else:
                return

    async def settle(self) -> None:
        """Wait until all that was sent before has been worked off, and what that started in turn:
        until nothing but the answers to two questions is heard."""
        quiet = 0
        while quiet < 2:
            heard = len(self.heard)
            await self._ask()
            quiet = quiet + 1 if len(self.heard) <= heard + 1 else 0

    async def _ask(self) -> None:
        """Be told which page this is, after all that was sent before. A connection that is closed
        meanwhile is asked again."""
        path = f"/settled-{next(_marks)}-"
        heard = asyncio.ensure_future(self.expect(f'"path":"{path}"'))
        while not heard.done():
            connections = self.connections
            await self.send(self._refresh, {}, router_data={"pathname": "/", "asPath": path})
            while not heard.done() and self.connections == connections:
                await asyncio.wait([heard], timeout=0.02)
        await heard

    def expect(self, text: str) -> Awaitable[None]:
        """To be awaited after what causes it: the next frame that has this text in it."""
        heard = self._waiting[text] = asyncio.get_running_loop().create_future()
        return asyncio.wait_for(heard, PATIENCE)

    def hears(self, text: str) -> bool:
        """Whether anything that was heard so far has this text in it, in whatever case."""
        return any(text.lower() in frame.lower() for frame in self.heard)

    @property
    def tree(self) -> str:
        """The name of the state tree that it shows."""
        sessions = [value for _, name, value in self.values() if name == "rx_router_session"]
        return str(sessions[-1]["client_token"])

    @property
    def is_renamed(self) -> bool:
        """Whether the app still held the token for another connection, and gave a new one."""
        return any('["new_token"' in frame for frame in self.heard)

    def values(self) -> Iterator[tuple[str, str, Any]]:
        """State, variable and value of all that was heard."""
        for frame in self.heard:
            for part in json.loads(frame[frame.index("[") :]) if frame.startswith("42") else ():
                delta = part.get("delta") or {} if isinstance(part, dict) else {}
                for state, variables in delta.items():
                    for name, value in variables.items():
                        yield state, name.removesuffix("_rx_state_"), value

    async def close(self) -> None:
        """As a tab that is closed."""
        if self._reader is not None:
            self._reader.cancel()
        await self._socket.close()

    async def _read(self) -> None:
        while True:
            with contextlib.suppress(ConnectionClosed):
                await self._read_on()
            self._is_open.clear()
            if self._socket.close_code not in COMES_AGAIN:
                return
            try:
                await self._connect()
            except OSError:  # the app has gone
                return
            await self.send(f"{STATE}.hydrate_and_load", {})

    async def _read_on(self) -> None:
        async for frame in self._socket:
            text = str(frame)
            self.heard.append(text)
            if text == "2":
                await self._socket.send("3")
            if self._acknowledge in text:
                await self.send(self._acknowledge, {})
            for mark, future in self._waiting.items():
                if mark in text and not future.done():
                    future.set_result(None)


async def opened_under_its_token(
    make: Callable[[], RawTab], begin: Callable[[RawTab], Awaitable[None]] = RawTab.open
) -> RawTab:
    """A connection that gets a token which was another's until a moment ago."""
    for _ in range(100):
        tab = make()
        await begin(tab)
        if not tab.is_renamed:
            return tab
        await tab.close()
    raise AssertionError("The token is still another connection's.")
