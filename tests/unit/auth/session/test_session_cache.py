"""Cached sessions: never one that a completed call has ended or changed, in whichever process."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.auth.session import Sealer, SQLiteSessionStore
from app.auth.session.session_cache import LONGEST_FILE, MOST, READ_INTERVAL

from ....servers import ROOT
from ..conftest import LIFETIMES, SECRET, Clock, session

CHANGES_SESSIONS = """
import asyncio, sys, time
from dataclasses import replace
from pathlib import Path
from app.auth.session import Sealer, Session, SQLiteSessionStore

async def main(file):
    store = SQLiteSessionStore(Path(file), Sealer(("a secret of more than 32 characters",)))
    for number in range(int(sys.argv[2])):
        ref, session = f"ref-{number}", Session("ann", None, {}, (), time.time())
        await store.create(ref, session)
        print("begun", ref, flush=True)
        sys.stdin.readline()
        assert await store.compare_and_swap(ref, 1, replace(session, sid="changed"))
        print("changed", ref, flush=True)
        sys.stdin.readline()
        if number % 2:
            await store.create(f"{ref}-new", session, replaces=ref)
        else:
            assert await store.delete(ref)
        print("ended", ref, flush=True)
        sys.stdin.readline()
    await store.close()

asyncio.run(main(sys.argv[1]))
"""


def opened(file: Path, clock: Clock) -> SQLiteSessionStore:
    """A store on the file, as another process would open it."""
    return SQLiteSessionStore(file, Sealer((SECRET,)), lifetimes=LIFETIMES, clock=clock)


@pytest.fixture
def monotonic() -> Clock:
    """The clock that ages the cache. While it stands still, only the list tells of a change."""
    return Clock()


@pytest.fixture
async def store(file: Path, clock: Clock, monotonic: Clock) -> AsyncIterator[SQLiteSessionStore]:
    """A store that has cached a session."""
    store = SQLiteSessionStore(
        file, Sealer((SECRET,)), lifetimes=LIFETIMES, clock=clock, monotonic=monotonic
    )
    await store.create("ref", session(clock))
    assert await store.load("ref")
    assert await store.load("ref")
    assert store.cached("ref")
    yield store
    await store.close()


async def test_same_again(store: SQLiteSessionStore) -> None:
    """While nothing changes, the same session is served, and not read a second time."""
    assert await store.load("ref") is await store.load("ref") is store.cached("ref")


async def test_changed_by_another_process(file: Path) -> None:
    """A session that another process has changed, replaced or ended is never served as it was,
    from the moment that the call has returned there, however busy readers are with it here."""
    rounds = 50
    store = SQLiteSessionStore(file, Sealer((SECRET,)), monotonic=Clock())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CHANGES_SESSIONS, str(file), str(rounds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdin
    assert process.stdout
    being_read = "ref-0"

    async def read_on() -> None:
        while True:
            await store.load(being_read)
            await asyncio.sleep(0)  # a cached session is served without waiting

    readers = [asyncio.create_task(read_on()) for _ in range(2)]
    sids = {"begun": None, "changed": "changed"}
    said = 0
    async for line in process.stdout:
        what, being_read = line.decode().split()
        cached, loaded = store.cached(being_read), await store.load(being_read)
        if what == "ended":
            assert (cached, loaded) == (None, None)
        else:
            assert loaded is not None
            assert loaded.session.sid == sids[what]
            assert cached is None or cached.session.sid == sids[what]
            assert store.cached(being_read) is not None
        said += 1
        process.stdin.write(b"\n")
    assert (await process.wait(), said) == (0, 3 * rounds)
    for reader in readers:
        reader.cancel()
    await asyncio.wait(readers)
    await store.close()


async def test_ended_while_it_is_read(store: SQLiteSessionStore, file: Path, clock: Clock) -> None:
    """A session that is ended between its reading and the next look is not served."""
    other = opened(file, clock)
    for number in range(20):
        ref = f"ref-{number}"
        await other.create(ref, session(clock))
        await asyncio.gather(store.load(ref), store.load(ref), other.delete(ref))
        assert store.cached(ref) is None
        assert await store.load(ref) is None
    await other.close()


async def test_changed_here(store: SQLiteSessionStore, clock: Clock) -> None:
    """A session that was changed through this store is the changed one at once."""
    assert await store.compare_and_swap("ref", 1, replace(session(clock), sid="other"))
    assert store.cached("ref") is None
    stored = await store.load("ref")
    assert stored is not None
    assert (stored.session.sid, stored.version) == ("other", 2)


async def test_begun(store: SQLiteSessionStore, file: Path, clock: Clock) -> None:
    """A session is seen as soon as it begins, here or elsewhere, even if it was asked for before;
    the others stay cached."""
    before = store.cached("ref")
    other = opened(file, clock)
    for ref, beginner in (("here", store), ("elsewhere", other)):
        assert await store.load(ref) is None
        await beginner.create(ref, session(clock))
        assert await store.load(ref) is not None
    assert store.cached("ref") is before
    await other.close()


async def test_used(store: SQLiteSessionStore, file: Path, clock: Clock) -> None:
    """A session that is used elsewhere, and whatever else is no change of it, leaves it cached;
    after a use here the new time is known."""
    before = await store.load("ref")
    other = opened(file, clock)
    await other.touch("ref")
    await other.publish("news")
    assert not await other.delete("another")
    await other.close()
    assert store.cached("ref") is before
    clock.now += 50
    await store.touch("ref")
    after = await store.load("ref")
    assert after is not None
    assert after.last_seen_at == clock.now


async def test_used_elsewhere(store: SQLiteSessionStore, file: Path, clock: Clock) -> None:
    """A session that another process has kept alive is alive here, too."""
    other = opened(file, clock)
    clock.now += 60
    await other.touch("ref")
    await other.close()
    clock.now += 60
    assert await store.load("ref") is not None


async def test_expired(store: SQLiteSessionStore, clock: Clock) -> None:
    """A session that has expired is gone, though nothing was written."""
    clock.now += 101
    assert store.cached("ref") is None
    assert await store.load("ref") is None


async def test_change_by_another_program(
    store: SQLiteSessionStore, file: Path, monotonic: Clock
) -> None:
    """A change that nobody notes is seen after `READ_INTERVAL` at the latest."""
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE sessions SET sealed = x'00'")
    monotonic.now += READ_INTERVAL
    assert store.cached("ref") is None
    assert await store.load("ref") is None


async def test_bounded(store: SQLiteSessionStore, clock: Clock) -> None:
    """Of more sessions than the cache holds, the one that was read first is dropped."""
    for number in range(MOST):
        await store.create(str(number), session(clock))
        assert await store.load(str(number))
    assert store.cached("ref") is None
    assert all(store.cached(str(number)) for number in range(MOST))


async def test_others_stay(store: SQLiteSessionStore, file: Path, clock: Clock) -> None:
    """When one session ends or changes, here or elsewhere, the others stay cached."""
    before = store.cached("ref")
    other = opened(file, clock)
    for ref, process in (("here", store), ("elsewhere", other)):
        await process.create(ref, session(clock))
        assert await process.compare_and_swap(ref, 1, session(clock))
        assert await process.delete(ref)
    assert store.cached("ref") is before
    await other.close()


async def test_list_of_changes_is_emptied(
    store: SQLiteSessionStore, file: Path, clock: Clock
) -> None:
    """The list of changes is emptied before it grows without bound, and nobody misses a change."""
    reader, long_key = opened(file, clock), "k" * (LONGEST_FILE // 3)
    for _ in range(4):
        await reader.load("ref")
        assert reader.cached("ref")
        await store.create(long_key, session(clock))
        assert await reader.load(long_key)
        assert await store.delete(long_key)
        assert reader.cached(long_key) is None
    changes = file.with_name(f"{file.name}-changes")
    assert changes.stat().st_size < LONGEST_FILE
    assert await store.delete("ref")
    assert reader.cached("ref") is None
    await reader.close()


@pytest.mark.parametrize("damage", ["truncated", "removed"])
async def test_damaged_list(
    store: SQLiteSessionStore, file: Path, clock: Clock, monotonic: Clock, damage: str
) -> None:
    """When the list of changes is cut short or removed while it is in use, sessions are still
    served, and one that is ended elsewhere is gone: after a removal, within `READ_INTERVAL`."""
    changes = file.with_name(f"{file.name}-changes")
    os.truncate(changes, 0) if damage == "truncated" else changes.unlink()
    assert await store.load("ref")
    assert await store.load("ref") is store.cached("ref")
    other = opened(file, clock)
    assert await other.delete("ref")
    if damage == "removed":
        monotonic.now += READ_INTERVAL
    assert store.cached("ref") is None
    assert await store.load("ref") is None
    await other.create("ref", session(clock))  # and from now on, changes are noted again
    assert await store.load("ref")
    assert await other.delete("ref")
    assert store.cached("ref") is None
    await other.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are listed on Linux")
async def test_descriptor_that_something_else_took(
    store: SQLiteSessionStore, file: Path, clock: Clock
) -> None:
    """When other code of the process has closed the list and opened something else in its place,
    no session that has ended is served, and the list is opened again."""
    (descriptor,) = (
        int(each.name)
        for each in Path("/proc/self/fd").iterdir()
        if os.path.realpath(each) == f"{file}-changes"
    )
    reading, writing = os.pipe()
    os.dup2(reading, descriptor)
    other = opened(file, clock)
    assert await other.delete("ref")
    assert store.cached("ref") is None
    assert store.cached("ref") is None
    await other.create("ref", session(clock))
    assert await store.load("ref") is store.cached("ref")
    assert await other.delete("ref")
    assert store.cached("ref") is None
    await other.close()
    for each in (reading, writing, descriptor):
        os.close(each)


async def test_ended_where_it_cannot_be_noted(
    store: SQLiteSessionStore, file: Path, clock: Clock
) -> None:
    """A process that cannot note a change says that a session is ended only once no process
    serves it any longer."""
    changes = file.with_name(f"{file.name}-changes")
    changes.unlink()
    changes.mkdir()
    reader, other = opened(file, clock), opened(file, clock)
    assert await reader.load("ref")
    assert await other.delete("ref")
    assert reader.cached("ref") is None
    assert await reader.load("ref") is None
    await reader.close()
    await other.close()


async def test_ended_by_one_that_went_away(
    store: SQLiteSessionStore, file: Path, clock: Clock
) -> None:
    """A session whose end was asked for is ended for every process, even if the caller is
    cancelled."""
    other = opened(file, clock)
    asked = asyncio.create_task(other.delete("ref"))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.wait([asked])
    assert asked.cancelled()
    await other.ping()  # what was asked for before is done by then
    assert store.cached("ref") is None
    assert await store.load("ref") is None
    await other.close()


async def test_its_own_copy(store: SQLiteSessionStore, clock: Clock) -> None:
    """An app that changes the claims that it was given changes nothing for others."""
    nested = replace(session(clock), user={"roles": ["reader"], "address": {"city": "Zurich"}})
    await store.create("nested", nested)
    stored = await store.load("nested")
    assert stored is not None
    claims = stored.session.claims()
    claims["roles"].append("admin")
    claims["address"]["city"] = "Bern"
    again = await store.load("nested")
    assert again is not None
    assert again.session.user == {"roles": ["reader"], "address": {"city": "Zurich"}}


async def test_confirmed(store: SQLiteSessionStore, monotonic: Clock) -> None:
    """While SQLite says that no other process has committed anything, a session is not read again,
    however old the reading; after a commit it is, in time."""
    listening = store.listen()
    assert await anext(listening) == ""
    await store.publish("first")
    assert await anext(listening) == "first"  # the file has been looked at
    monotonic.now += READ_INTERVAL
    assert store.cached("ref") is None  # it was read before that
    stored = await store.load("ref")
    monotonic.now += READ_INTERVAL - 0.1
    await store.publish("second")
    assert await anext(listening) == "second"
    monotonic.now += READ_INTERVAL - 0.1
    assert store.cached("ref") is stored
    await store.close()
    await listening.aclose()


async def test_not_confirmed(store: SQLiteSessionStore, file: Path, monotonic: Clock) -> None:
    """A commit of another program, which notes nothing, is seen in time."""
    listening = store.listen()
    assert await anext(listening) == ""
    await store.publish("first")
    assert await anext(listening) == "first"
    monotonic.now += READ_INTERVAL
    assert await store.load("ref")
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("DELETE FROM sessions")
        other.execute("INSERT INTO news (text, published_at) VALUES ('second', 0)")
    assert await anext(listening) == "second"
    monotonic.now += READ_INTERVAL - 0.1
    assert store.cached("ref")
    monotonic.now += 0.1
    assert await store.load("ref") is None
    await listening.aclose()
