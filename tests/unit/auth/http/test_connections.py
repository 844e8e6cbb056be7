"""The open websockets of a process: who is found, who is closed, and what is remembered."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from app.auth.http.connections import (
    AT_ONCE,
    CLOSED_FOR,
    MOST_REMEMBERED,
    PACE,
    REPLACED_FOR,
    Connection,
    Connections,
    close_all,
)

from ..conftest import Clock

TAB, OTHER_TAB = "tab", "other tab"
ALICE, BOB = "a" * 64, "b" * 64


class Wire:
    """The server's side of a websocket: what was sent, and when."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.at: list[float] = []

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        self.at.append(asyncio.get_running_loop().time())


async def broken(message: Message) -> None:
    raise OSError("the browser has gone")


def opened(
    connections: Connections,
    tree: str = "",
    *,
    session: str | None = None,
    client_token: str = TAB,
    browser: str = "browser",
    wire: Wire | None = None,
) -> Connection:
    """A connection as the gate makes it: bound, if a tree is named. Its login is not over."""
    send = (wire or Wire()).send
    connection = Connection(client_token, send, session_id_hash=session, browser=browser)
    connections.add(connection)
    if tree:
        connection.state_key = "key" if session else None
        connections.bind(connection, tree)
    return connection


@pytest.fixture
def connections(clock: Clock) -> Connections:
    """Those of a process, under the test's clock."""
    return Connections(clock)


async def test_close(connections: Connections) -> None:
    """A connection is closed once, with the code for which Reflex's client connects again."""
    wire = Wire()
    connection = opened(connections, "tree", wire=wire)
    await connection.close()
    await connection.close()
    assert [(each["type"], each["code"]) for each in wire.sent] == [("websocket.close", 1012)]


async def test_browser_that_has_gone() -> None:
    """A connection whose browser goes at the same moment holds up none of the others."""
    wire = Wire()
    gone = Connection(TAB, broken, session_id_hash=None, browser="")
    other = Connection(TAB, wire.send, session_id_hash=None, browser="")
    await close_all([gone, other])
    assert gone.is_closed
    assert len(wire.sent) == 1


async def test_measured_pace() -> None:
    """Many are closed one by one, so that they do not all come back at once; a few are closed
    without a pause."""
    wire = Wire()
    every = [
        Connection(TAB, wire.send, session_id_hash=None, browser="") for _ in range(2 * AT_ONCE)
    ]
    await close_all(every)
    pauses = [after - before for before, after in zip(wire.at, wire.at[1:], strict=False)]
    assert len(wire.sent) == 2 * AT_ONCE
    assert min(pauses[AT_ONCE - 1 :]) >= PACE * 0.9
    assert wire.at[AT_ONCE - 1] - wire.at[0] < AT_ONCE * PACE


async def test_all_fall_silent_at_once() -> None:
    """From the moment that closing begins none of them counts as open, though most are told
    later."""
    every = [
        Connection(TAB, Wire().send, session_id_hash=None, browser="") for _ in range(3 * AT_ONCE)
    ]
    closing = asyncio.create_task(close_all(every))
    await asyncio.sleep(0)
    assert not closing.done()
    assert all(each.is_closed for each in every)
    await closing


async def test_predecessor_is_waited_for(connections: Connections) -> None:
    """A tab that comes back gets its tree when the app has let go of the connection before: Reflex
    would take it for a duplicate."""
    before = opened(connections, "tree", session=ALICE)
    await before.close()
    waiting = asyncio.create_task(connections.wait_for_predecessors("tree"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    connections.remove(before)
    await asyncio.wait_for(waiting, 1)


async def test_predecessor_is_told(connections: Connections) -> None:
    """A predecessor whose turn to be closed has not come yet is closed now."""
    wire = Wire()
    before = opened(connections, "tree", session=ALICE, wire=wire)
    before.is_closed = True
    waiting = asyncio.create_task(connections.wait_for_predecessors("tree"))
    await asyncio.sleep(0)
    assert len(wire.sent) == 1
    connections.remove(before)
    await asyncio.wait_for(waiting, 1)


async def test_predecessors_that_end_together(connections: Connections) -> None:
    """One that ends while another is waited for is not waited for after that."""
    before = [opened(connections, "tree"), opened(connections, "tree")]
    await close_all(before)
    waiting = asyncio.create_task(connections.wait_for_predecessors("tree"))
    await asyncio.sleep(0)
    for each in before:
        connections.remove(each)
    await asyncio.wait_for(waiting, 1)


async def test_duplicate_is_not_waited_for(connections: Connections) -> None:
    """An open connection with the same tree is a duplicated tab's, which Reflex tells apart."""
    opened(connections, "tree")
    await asyncio.wait_for(connections.wait_for_predecessors("tree"), 1)


async def test_predecessor_that_stays(connections: Connections) -> None:
    """An app that does not let go of a connection keeps no tab out for ever."""
    stuck = opened(connections, "tree")
    await stuck.close()
    await asyncio.wait_for(connections.wait_for_predecessors("tree"), 5)


def test_others(connections: Connections) -> None:
    """A login concerns the tabs of its browser that do not have its session, and no others."""
    mine, looked_up = opened(connections, "1"), opened(connections)
    opened(connections, "2", session=ALICE)
    opened(connections, "3", browser="another")
    before = opened(connections, "4", session=BOB)
    assert set(connections.others_of("browser", ALICE)) == {mine, looked_up, before}


def test_of_session(connections: Connections) -> None:
    """The end of a session concerns each of its connections, those included whose session is being
    looked up; not one that came when the session was over already."""
    bound, looked_up = opened(connections, "1", session=ALICE), opened(connections, session=ALICE)
    opened(connections, "2", session=BOB)
    over = opened(connections, session=ALICE)
    connections.bind(over, "3")
    assert set(connections.of_session(ALICE)) == {bound, looked_up}
    assert connections.trees_of(ALICE) == ["1"]


def test_newest_shows_the_tree(connections: Connections) -> None:
    """Of two connections with one tree the newest counts; the earlier one, when that has gone."""
    first, second = opened(connections, "tree"), opened(connections, "tree")
    assert connections.of_tree("tree") is second
    connections.remove(second)
    assert connections.of_tree("tree") is first


def test_bound_again(connections: Connections) -> None:
    """A duplicated tab leaves the tree that it came with."""
    connection = opened(connections, "tree")
    connections.bind(connection, "its own")
    assert connections.of_tree("tree") is None
    assert connections.of_tree("its own") is connection


def test_tab(connections: Connections) -> None:
    """An upload finds the open connections of its tab, whatever their login."""
    mine = [opened(connections, "1"), opened(connections, "2", session=ALICE)]
    opened(connections, "3", client_token=OTHER_TAB)
    assert connections.of_client_token(TAB) == mine


def test_nothing_stays(connections: Connections) -> None:
    """A connection that ended is found by nothing."""
    for connection in (opened(connections, "1", session=ALICE), opened(connections, "2")):
        connections.remove(connection)
        assert connection.is_closed
    assert connections.of_tree("1") is connections.of_tree("2") is None
    found = connections.of_session(ALICE), connections.others_of("browser", ALICE)
    assert (*found, connections.signed_in(), connections.of_client_token(TAB)) == ([], [], [], [])


def test_replaced(connections: Connections, clock: Clock) -> None:
    """The session that a login replaced is known as such for as long as a browser may still send
    its cookie."""
    connections.note_replaced(ALICE)
    clock.now += REPLACED_FOR - 1
    assert connections.is_replaced(ALICE)
    assert not connections.is_replaced(BOB)
    clock.now += 2
    assert not connections.is_replaced(ALICE)


def test_replaced_again(connections: Connections, clock: Clock) -> None:
    """The time counts from the last replacement, and what is remembered has a bound."""
    connections.note_replaced(ALICE)
    clock.now += REPLACED_FOR - 1
    connections.note_replaced(ALICE)
    clock.now += 2
    assert connections.is_replaced(ALICE)
    for number in range(MOST_REMEMBERED):
        connections.note_replaced(str(number))
    assert not connections.is_replaced(ALICE)


async def test_closed_tabs(connections: Connections, clock: Clock) -> None:
    """For a while it is known which tree a closed tab showed, and for which session: the tree is
    dropped, and an event that was on its way is not lost without a word."""
    connection = opened(connections, "tree", session=ALICE)
    await connection.close()
    connections.remove(connection)
    clock.now += CLOSED_FOR - 1
    assert connections.trees_closed_of(ALICE) == ["tree"]
    assert connections.trees_closed_of(BOB) == []
    assert connections.client_token_of_closed("tree") == TAB
    clock.now += 2
    assert connections.trees_closed_of(ALICE) == []
    assert connections.client_token_of_closed("tree") is None


def test_tab_that_went(connections: Connections) -> None:
    """A connection that the browser ended is not one that was closed."""
    connections.remove(opened(connections, "tree", session=ALICE))
    assert connections.trees_closed_of(ALICE) == []
    assert connections.client_token_of_closed("tree") is None
