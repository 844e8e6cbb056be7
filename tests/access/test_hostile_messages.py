"""Messages of Socket.IO that a client makes up itself."""

from __future__ import annotations

import json
import secrets
import uuid
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ..cookies import browser_cookie
from .conftest import OpenTab, Walked
from .raw_tab import STATE

APP = f"{STATE}.access_app___access_app____"
SHARED = f"{STATE}.reflex___istate___shared____shared_state_base_internal"
ROOM = f"{SHARED}.access_app___access_app____room"
LOAD = {"name": f"{STATE}.hydrate_and_load", "payload": {}}


async def opened(walked: Walked, auth: Any = None) -> ClientConnection:
    """A visitor's websocket that has asked for the namespace, with this payload."""
    socket = await connect(
        f"{walked.url.replace('http', 'ws', 1)}/_event/?token={uuid.uuid4()}"
        "&EIO=4&transport=websocket",
        origin=walked.url,  # type: ignore[arg-type]
        additional_headers={"Cookie": f"{browser_cookie(walked.url)}={secrets.token_urlsafe(32)}"},
        max_size=None,
    )
    await socket.recv()
    await socket.send("40/_event," + ("" if auth is None else json.dumps(auth)))
    return socket


async def heard(socket: ClientConnection, helper: Any) -> str:
    """All that a websocket was sent, until another tab has been answered several times."""
    for _ in range(5):
        await helper.settle()
    await socket.close()
    frames = []
    try:
        while True:
            frames.append(str(await socket.recv()))
    except ConnectionClosed:
        return "".join(frames)


@pytest.mark.parametrize("kind", ["shared room", "user's tree"])
async def test_connection_that_a_client_makes_up(walked: Walked, tab: OpenTab, kind: str) -> None:
    """An event that is called `connect` opens nothing: neither what several tabs share, nor the
    tree of a user whose tab was just closed."""
    user, helper = await tab(await walked.person("made-up")), await tab()
    await user.send(f"{APP}guarded.write", {"text": "of-the-user"})
    await user.send(f"{ROOM}.join", {"text": "lobby"})
    await user.send(f"{ROOM}.say", {"text": "said-in-the-room"})
    await user.settle()
    name = "lobby" if kind == "shared room" else user.tree
    if kind != "shared room":
        await user.close()
    socket = await opened(walked)
    environ = {"QUERY_STRING": f"token={name}", "asgi.scope": {"headers": []}}
    for message in (["disconnect"], ["connect", environ], ["connect", environ, {"event": LOAD}]):
        await socket.send("42/_event," + json.dumps(message))
    for event in (LOAD, {"name": f"{ROOM}.say", "payload": {"text": "of-the-stranger"}}):
        await socket.send("42/_event," + json.dumps(["event", event]))
    frames = await heard(socket, helper)
    assert "of-the-user" not in frames
    assert "said-in-the-room" not in frames
    assert not user.hears("of-the-stranger")


async def test_second_connection_on_a_websocket(walked: Walked, tab: OpenTab) -> None:
    """A websocket is bound to one tree for its whole life: it cannot be connected a second time."""
    helper, socket = await tab(), await opened(walked)
    for frame in ("41/_event,", "40/_event,"):
        await socket.send(frame)
    await socket.send("42/_event," + json.dumps(["event", LOAD]))
    assert '44/_event,{"message"' in (await heard(socket, helper)).replace(" ", "")


HUGE = "x" * 100_000


@pytest.mark.parametrize(
    "frames",
    [
        [
            '42/_event,["event"]',
            "42/_event,[]",
            "42/_event,{}",
            "42/_event,[[1]]",
            "49",
            "44/x,",
            "9",
        ],
        ['42/_event,["' + HUGE + '"]', '42/_event,["event","' + HUGE + '"]'],
        [r'42/_event,["event",{"name":"x","payload":{},"router_data":{"asPath":"\ud800"}}]'],
    ],
)
async def test_frames(walked: Walked, tab: OpenTab, frames: list[str]) -> None:
    """Whatever a client sends, the log gets no traceback, and a few lines at most."""
    helper = await tab()
    before = walked.server.log.read_text()
    for _ in range(20):
        socket = await opened(walked)
        for frame in frames:
            await socket.send(frame)
        await heard(socket, helper)
    new = walked.server.log.read_text()[len(before) :]
    assert "Traceback" not in new
    assert len(new) < 5000


@pytest.mark.parametrize("event", [HUGE, {"name": HUGE}, [HUGE], {"name": "x", "payload": HUGE}])
async def test_first_event(walked: Walked, tab: OpenTab, event: Any) -> None:
    """The event that comes with a connection has to be one, too."""
    helper = await tab()
    before = walked.server.log.read_text()
    for _ in range(10):
        await heard(await opened(walked, {"event": event}), helper)
    new = walked.server.log.read_text()[len(before) :]
    assert "Traceback" not in new
    assert len(new) < 5000
