"""A flood costs the app little, and others do not notice. All of it is on loopback, and bounded."""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from collections.abc import Iterator

import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from ..cookies import browser_cookie
from .conftest import Walked, running
from .raw_tab import STATE, RawTab

APP = f"{STATE}.access_app___access_app____"
FLOOD, ROUNDS = 5000, 10
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def flooded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    """An app with limits; the one for connections is low."""
    limits = "event=100/second burst 500, connection=30/hour"
    with running(tmp_path_factory.mktemp("flood"), limits=limits) as app:
        yield app


def memory(app: Walked) -> int:
    """Bytes that the server and its workers have for themselves."""
    server = psutil.Process(app.server.pid)
    processes = [server, *server.children(recursive=True)]
    return sum(process.memory_full_info().uss for process in processes)


def said(app: Walked) -> int:
    """How often `say` has run."""
    return app.ran.read_text().count("say flood") if app.ran.exists() else 0


async def flood(tab: RawTab, name: str, count: int = FLOOD) -> None:
    """Many events at once."""
    for _ in range(count):
        await tab.send(name, {"text": "flood"})


async def opened(app: Walked, handle: str | None) -> RawTab:
    """A tab."""
    tab = RawTab(app.url, handle)
    await tab.open()
    return tab


async def answered_at_last(tab: RawTab) -> None:
    """Send events until one is answered: some may go by until the limit allows one."""
    heard = asyncio.ensure_future(tab.expect('"path":"/at-last"'))
    while not heard.done():
        page = {"pathname": "/", "asPath": "/at-last"}
        await tab.send(f"{APP}open.say", {"text": "at last"}, router_data=page)
        await asyncio.wait([heard], timeout=0.05)
    await heard


async def test_events(flooded: Walked) -> None:
    """Of a flood of events a burst runs and the rest is dropped; another user is answered all the
    while, and the record has a few entries about it."""
    attacker = await opened(flooded, await flooded.person("attacker"))
    other = await opened(flooded, await flooded.person("other"))
    for _ in range(ROUNDS):
        await flood(attacker, f"{APP}open.say", FLOOD // ROUNDS)
        await other.settle()
    for tab in (attacker, other):
        await tab.close()
    assert 0 < said(flooded) < FLOOD / 2
    entry, *more = [entry for entry in flooded.record() if entry["kind"] == "limit"]
    assert len(more) < 10
    assert (entry["outcome"], entry["reason"]) == ("denied", "event")
    assert entry["target"] in ("127.0.0.1", "::/64")
    assert entry["session"]


async def test_unknown_events(flooded: Walked) -> None:
    """A flood of events that nobody knows leaves a few lines in the log and no more memory; the tab
    that sent it still works afterwards."""
    attacker = await opened(flooded, await flooded.person("unknown"))
    log, before = flooded.server.log.stat().st_size, memory(flooded)
    await flood(attacker, "no.such." + "x" * 1000)
    await answered_at_last(attacker)
    await attacker.close()
    assert flooded.server.log.stat().st_size - log < 10_000
    assert memory(flooded) - before < 20 * MEGABYTE


async def test_connections(flooded: Walked) -> None:
    """Too many websockets of one client are refused before they open; a client at another address
    gets its own."""
    address = f"{flooded.url.replace('http', 'ws', 1)}/_event/?EIO=4&transport=websocket"
    cookie = {"Cookie": f"{browser_cookie(flooded.url)}={secrets.token_urlsafe(32)}"}

    def tab() -> str:
        return f"{address}&token={uuid.uuid4()}"

    sockets: list[ClientConnection] = []
    refused = 0
    for _ in range(40):
        try:
            sockets.append(
                await connect(f"{address}&token={uuid.uuid4()}", additional_headers=cookie)
            )
        except InvalidStatus:
            refused += 1
    other = await connect(
        f"{address}&token={uuid.uuid4()}", local_addr=("127.0.0.2", 0), additional_headers=cookie
    )
    await other.recv()
    for socket in (*sockets, other):
        await socket.close()
    assert refused >= 10
    assert json.loads(flooded.record_file.read_text().splitlines()[-1])["reason"] == "connection"
