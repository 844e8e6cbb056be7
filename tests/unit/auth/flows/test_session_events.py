"""Session events between two processes that share a store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.auth.errors import StoreUnavailable
from app.auth.flows.session_events import SessionEvent, SessionEvents
from app.auth.flows.session_events import SessionEventKind as Kind
from app.auth.session import SessionStore

from ..conftest import OpenStore


class Process:
    """One that listens; `heard` is what it was to handle, in order."""

    def __init__(self, store: SessionStore) -> None:
        self.heard: asyncio.Queue[tuple[Kind, str]] = asyncio.Queue()
        self.store = store
        self.looked_again = asyncio.Event()
        self.times_looked = self.fails_to_look = 0
        self.events = SessionEvents(store, handle=self._handle, look_again=self._look_again)

    async def _handle(self, event: SessionEvent) -> None:
        await self.heard.put((event.kind, event.subject))
        if event.subject == "trouble":
            raise RuntimeError("cannot handle it")

    async def _look_again(self) -> None:
        self.times_looked += 1
        if self.times_looked <= self.fails_to_look:
            raise RuntimeError("cannot look")
        self.looked_again.set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """While it listens; from the first step on."""
        task = asyncio.create_task(self.events.listen())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def hears(self, other: Process) -> None:
        """Return once it hears what the other one tells."""
        while self.heard.empty():
            await other.store.publish("other ended knock")
            await asyncio.wait({asyncio.ensure_future(asyncio.sleep(0.05))})
        while not self.heard.empty():
            self.heard.get_nowait()


async def next_but_knocks(process: Process) -> tuple[Kind, str]:
    """What it is told next."""
    while (heard := await asyncio.wait_for(process.heard.get(), 10))[1] == "knock":
        pass
    return heard


async def test_told_once(open_store: OpenStore) -> None:
    """Events are handled where they happen, and in every other process, once each."""
    one, other = Process(open_store()), Process(open_store())
    async with one.listening(), other.listening():
        await other.hears(one)
        await one.events.publish(Kind.ENDED, "alice")
        await one.events.publish(Kind.CHANGED, "bob")
        assert await next_but_knocks(other) == (Kind.ENDED, "alice")
        assert await next_but_knocks(other) == (Kind.CHANGED, "bob")
        assert await next_but_knocks(one) == (Kind.ENDED, "alice")
        assert await next_but_knocks(one) == (Kind.CHANGED, "bob")


async def test_one_that_cannot_be_handled(open_store: OpenStore, caplog: object) -> None:
    """Strange messages, and events whose handling fails, do not hold up the next."""
    one, other = Process(open_store()), Process(open_store())
    async with other.listening():
        await other.hears(one)
        store = one.store
        for text in ("", "nonsense", "x exploded alice", "x ended trouble", "x ended alice"):
            await store.publish(text)
        assert await next_but_knocks(other) == (Kind.ENDED, "trouble")
        assert await next_but_knocks(other) == (Kind.ENDED, "alice")


class Failing:
    """A store whose messages break off once, and that cannot be published to."""

    def __init__(self) -> None:
        self.times = 0

    async def publish(self, news: str) -> None:
        raise StoreUnavailable("away")

    async def listen(self) -> AsyncIterator[str]:
        self.times += 1
        yield ""
        if self.times == 1:
            raise StoreUnavailable("away")
        await asyncio.Event().wait()


async def test_store_away() -> None:
    """Without the store, events are still handled here; when it is back, tabs look for themselves
    at what they may have missed."""
    process = Process(Failing())  # type: ignore[arg-type]
    async with process.listening():
        await process.events.publish(Kind.ENDED, "alice")
        assert await next_but_knocks(process) == (Kind.ENDED, "alice")
        await asyncio.wait_for(process.looked_again.wait(), 10)


async def test_look_that_fails() -> None:
    """When tabs cannot look at what they may have missed, the process goes on listening."""
    process = Process(Failing())  # type: ignore[arg-type]
    process.fails_to_look = 1
    async with process.listening():
        await asyncio.wait_for(process.looked_again.wait(), 10)
    assert process.times_looked == 2
