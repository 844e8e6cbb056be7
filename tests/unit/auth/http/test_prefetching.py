"""What is loaded at a websocket handshake: for whom, how much of it, and until when it is kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.auth.http.connections import Connection, close_all
from app.auth.http.prefetching import MOST, MOST_OF_SESSION
from app.auth.http.uploads import discard
from app.auth.session import hash_session_id, new_session_id

from ..conftest import Clock, session
from .test_gate import ID, PATIENCE, REF, SESSION_COOKIE, Browser, Setting, until

EVENT = "state.show"


class Api:
    """A loader that notes its calls and answers when it may."""

    def __init__(self) -> None:
        self.asked_for: list[str] = []
        self.cancelled = 0
        self.error: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def load(self, http: httpx.AsyncClient, user: dict[str, Any]) -> str:
        self.asked_for.append(user["name"])
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return f"answer {len(self.asked_for)} for {user['name']}"


class Scene:
    """A gate with a loader; `browsers` are connected to it."""

    def __init__(self, clock: Clock, fetched_within: float) -> None:
        self.api = Api()
        self.clock = clock
        self.setting = Setting(clock, {EVENT: self.api.load}, fetched_within)
        self.browsers: list[Browser] = []

    async def connected(self, *cookies: tuple[Any, str]) -> Connection | None:
        """Connect a tab; its connection, if it has a session."""
        count = len(self.setting.app.scopes)
        before = set(self.setting.connections.signed_in())
        self.browsers.append(Browser(self.setting.gate, *cookies))
        await until(lambda: len(self.setting.app.scopes) > count)
        await asyncio.sleep(0)  # tasks that have just been started begin
        new = [each for each in self.setting.connections.signed_in() if each not in before]
        return new[0] if new else None

    async def of_alice(self) -> Connection:
        """Connect a tab of the session that there is."""
        connection = await self.connected((SESSION_COOKIE, ID))
        assert connection is not None
        return connection

    def take(self, connection: Connection, **changes: object) -> Any:
        """What a handler of the session gets, whose record has changed meanwhile."""
        now = replace(session(self.clock), **changes)  # type: ignore[arg-type]
        return self.setting.prefetching.take(connection, EVENT, now)

    async def close(self) -> None:
        for each in self.browsers:
            each.leave()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(each.life for each in self.browsers))
        await self.setting.store.close()


@pytest.fixture
async def scenes(clock: Clock) -> AsyncIterator[Any]:
    """Makes scenes in which Alice has a session."""
    async with AsyncExitStack() as stack:

        async def new(fetched_within: float = 600.0) -> Scene:
            scene = Scene(clock, fetched_within)
            stack.push_async_callback(scene.close)
            await scene.setting.store.create(REF, session(clock))
            return scene

        yield new


@pytest.fixture
async def scene(scenes: Any) -> Scene:
    """A scene in which Alice has a session."""
    made: Scene = await scenes()
    return made


async def test_fetched_once(scene: Scene) -> None:
    """The loader begins at the handshake, with the claims of the session, and its result is handed
    out once, to its own event."""
    connection = await scene.of_alice()
    assert scene.api.asked_for == ["Alice"]
    prefetching, now = scene.setting.prefetching, session(scene.clock)
    assert prefetching.take(connection, "state.other", now) is None
    assert await scene.take(connection) == "answer 1 for Alice"
    assert scene.take(connection) is None


@pytest.mark.parametrize("cookies", [[], [(SESSION_COOKIE, new_session_id())]], ids=["none", "old"])
async def test_no_session(scene: Scene, cookies: list[tuple[Any, str]]) -> None:
    """Without a session, nothing is loaded: with no cookie, and with that of no session."""
    await scene.connected(*cookies)
    assert scene.api.asked_for == []


async def test_session_that_cannot_be_read(scene: Scene) -> None:
    """While sessions cannot be read, nothing is loaded."""
    scene.setting.store.is_away = True
    await scene.connected((SESSION_COOKIE, ID))
    scene.setting.store.is_away = False
    assert scene.api.asked_for == []


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "auth0|bob"},
        {"provider": "other"},
        {"state_key": "6" * 32},
        {"claims_version": 1},
    ],
    ids=["user", "provider", "login", "claims"],
)
async def test_another_login(scene: Scene, changes: dict[str, object]) -> None:
    """A result is for the user, provider, login and claims of the handshake only; once one of them
    has been different, it is gone."""
    connection = await scene.of_alice()
    assert scene.take(connection, **changes) is None
    assert scene.take(connection) is None


async def test_another_connection(scene: Scene) -> None:
    """Each tab has a result of its own; one that was closed or has gone has none any more."""
    first, second = await scene.of_alice(), await scene.of_alice()
    await close_all([first])
    assert scene.take(first) is None
    assert await scene.take(second) == "answer 2 for Alice"
    assert scene.take(first) is None


@pytest.mark.parametrize("end", ["the tab goes", "the session ends"])
async def test_disconnect(scene: Scene, end: str) -> None:
    """When the connection ends before the result was fetched, the request is cancelled."""
    scene.api.may_answer.clear()
    connection = await scene.of_alice()
    if end == "the tab goes":
        scene.browsers[0].leave()
    else:
        await scene.setting.end_session()
    await until(lambda: scene.api.cancelled == 1)
    assert scene.take(connection) is None


async def test_disconnect_after_it_was_fetched(scene: Scene) -> None:
    """What a handler has asked for is the handler's: it gets the answer though the tab has gone."""
    scene.api.may_answer.clear()
    connection = await scene.of_alice()
    result = scene.take(connection)
    scene.browsers[0].leave()
    await asyncio.wait_for(scene.browsers[0].life, PATIENCE)
    scene.api.may_answer.set()
    assert await result == "answer 1 for Alice"


async def test_too_old(scenes: Any) -> None:
    """A result that was not fetched in time is dropped, and its request cancelled."""
    scene: Scene = await scenes(fetched_within=0.0)
    scene.api.may_answer.clear()
    connection = await scene.of_alice()
    await until(lambda: scene.api.cancelled == 1)
    assert scene.take(connection) is None


async def test_changed_meanwhile(scene: Scene) -> None:
    """What was loaded before something about the user changed is dropped."""
    connection = await scene.of_alice()
    scene.setting.prefetching.drop(connection)
    assert scene.take(connection) is None


async def test_error(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """An error of the loader is raised where the result is fetched; if that never happens, it is
    not logged as an exception that nobody has looked at."""
    scene.api.error = httpx.ConnectError("no route")
    connection, _ = await scene.of_alice(), await scene.of_alice()
    result = scene.take(connection)
    with pytest.raises(httpx.ConnectError, match="no route"):
        await result
    del result
    await scene.close()
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_many_connections(scene: Scene) -> None:
    """One session that opens many connections causes few requests, and another session still has
    its own; a connection that goes makes room."""
    scene.api.may_answer.clear()
    for _ in range(3 * MOST_OF_SESSION):
        await scene.of_alice()
    assert scene.api.asked_for == ["Alice"] * MOST_OF_SESSION
    other = new_session_id()
    bob = session(scene.clock, sub="auth0|bob", user={"name": "Bob"})
    await scene.setting.store.create(hash_session_id(other), bob)
    await scene.connected((SESSION_COOKIE, other))
    assert scene.api.asked_for[MOST_OF_SESSION:] == ["Bob"]
    scene.browsers[0].leave()
    await asyncio.wait_for(scene.browsers[0].life, PATIENCE)
    await scene.of_alice()
    assert scene.api.asked_for[MOST_OF_SESSION:] == ["Bob", "Alice"]


async def test_many_sessions(scene: Scene) -> None:
    """Of many sessions that connect at once, the process loads for a bounded number."""
    prefetching = scene.setting.prefetching
    every = [Connection("", discard, session_id_hash=str(n)) for n in range(MOST + 5)]
    for each in every:
        prefetching.start(each, session(scene.clock))
    results = [prefetching.take(each, EVENT, session(scene.clock)) for each in every]
    assert [each is None for each in results] == [False] * MOST + [True] * 5
    await asyncio.gather(*(each for each in results if each is not None))
