"""Which connections are known, over a real Socket.IO server and real websockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import socketio
import uvicorn
from app.auth.http.scope_key import SCOPE_KEY
from app.auth.reflex.connections import NAMESPACE, Connections
from reflex.utils.token_manager import LocalTokenManager
from websockets.asyncio.client import ClientConnection, connect

from ....servers import free_port

PATIENCE = 10.0
TOKEN = "0f0e0d0c-0b0a-4900-8800-070605040302"


class Namespace(socketio.AsyncNamespace):  # type: ignore[misc]
    """As Reflex's: the connection's tab is known before `on_connect` is over; `go` lets it be."""

    def __init__(self) -> None:
        super().__init__(NAMESPACE)
        self._token_manager = LocalTokenManager()
        self.connecting: asyncio.Queue[str] = asyncio.Queue()
        self.gone: asyncio.Queue[str] = asyncio.Queue()
        self.go = asyncio.Event()

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        await self._token_manager.link_token_to_sid(TOKEN, sid)
        await self.connecting.put(sid)
        await self.go.wait()

    def on_disconnect(self, sid: str) -> None:
        self.gone.put_nowait(sid)


class App:
    """What `Connections` needs of a Reflex app."""

    def __init__(self) -> None:
        self.sio = socketio.AsyncServer(async_mode="asgi")
        self.event_namespace = Namespace()
        self.sio.register_namespace(self.event_namespace)
        self._inner = socketio.ASGIApp(self.sio, socketio_path="_event")

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        scope[SCOPE_KEY] = "ref"
        await self._inner(scope, receive, send)


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[str]:
    """Its URL."""
    port = free_port()
    config = uvicorn.Config(
        app, port=port, lifespan="off", log_level="error", ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    try:
        yield f"ws://127.0.0.1:{port}/_event/?EIO=4&transport=websocket&token={TOKEN}"
    finally:
        server.should_exit = True
        await running


@pytest.fixture
def app() -> App:
    """Serving one tab."""
    return App()


async def opened(url: str) -> ClientConnection:
    """A websocket that has asked for the namespace."""
    socket = await connect(url)
    await socket.recv()
    await socket.send(f"40{NAMESPACE},")
    return socket


async def test_come_and_gone(app: App) -> None:
    """A tab is known with the session that its connection came with, until it goes."""
    connections = Connections()
    connections.install(app)  # type: ignore[arg-type]
    app.event_namespace.go.set()
    async with serving(app) as url:
        socket = await opened(url)
        sid = await app.event_namespace.connecting.get()
        await socket.recv()
        assert connections.reference_of(sid) == "ref"
        assert connections.tabs_of("ref") == connections.all_tabs() == [TOKEN]
        await socket.close()
        await asyncio.wait_for(app.event_namespace.gone.get(), PATIENCE)
        assert connections.reference_of(sid) is None
        assert connections.tabs_of("ref") == []


async def test_gone_while_it_came(app: App) -> None:
    """One that the server closes before it has come is not known for ever."""
    connections = Connections()
    connections.install(app)  # type: ignore[arg-type]
    async with serving(app) as url:
        await opened(url)
        sid = await app.event_namespace.connecting.get()
        assert connections.tabs_of("ref") == [TOKEN]
        await connections.reconnect("ref")
        app.event_namespace.go.set()
        for _ in range(100):
            await asyncio.sleep(0)
        assert connections.reference_of(sid) is None
        assert connections.tabs_of("ref") == []
