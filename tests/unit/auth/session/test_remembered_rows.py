"""Sessions that are served again: never one that anybody has changed or ended meanwhile."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.auth.session import Sealer, SQLiteSessionStore
from app.auth.session.file_stamp import FileStamp
from app.auth.session.remembered_rows import (
    LOOK_INTERVAL,
    MOST,
    MOST_ABSENT,
    READ_INTERVAL,
    RememberedRows,
)
from app.auth.session.schema import KEPT_CHANGES
from app.auth.session.shared_mark import SharedMark

from ....servers import ROOT
from ..conftest import LIFETIMES, SECRET, Clock, session

ENDS_IT = """
import asyncio, sys
from pathlib import Path
from app.auth.session import Sealer, SQLiteSessionStore

async def main(file):
    store = SQLiteSessionStore(Path(file), Sealer(("a secret of more than 32 characters",)))
    assert await store.delete("ref")
    await store.close()

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def monotonic() -> Clock:
    """What the store measures its looks at the file with; nothing but a mark can tell it of a
    change while it stands still."""
    return Clock()


@pytest.fixture
async def store(file: Path, clock: Clock, monotonic: Clock) -> AsyncIterator[SQLiteSessionStore]:
    """One that has just read a session."""
    store = SQLiteSessionStore(
        file, Sealer((SECRET,)), lifetimes=LIFETIMES, clock=clock, monotonic=monotonic
    )
    await store.create("ref", session(clock))
    assert await store.load("ref")
    assert await store.load("ref")
    yield store
    await store.close()


async def test_same_again(store: SQLiteSessionStore) -> None:
    """While nothing changes, the same session is served, and not read a second time."""
    assert await store.load("ref") is await store.load("ref") is store.cached("ref")


async def test_another_ended(store: SQLiteSessionStore, file: Path, clock: Clock) -> None:
    """When one session ends or changes, the others are not opened a second time."""
    before = await store.load("ref")
    other = SQLiteSessionStore(file, Sealer((SECRET,)), lifetimes=LIFETIMES, clock=clock)
    await other.create("another", session(clock))
    assert await store.load("another")
    assert await other.compare_and_swap("another", 1, session(clock, sid="changed"))
    changed, after = await store.load("another"), await store.load("ref")
    assert changed is not None
    assert before is not None
    assert after is not None
    assert changed.session.sid == "changed"
    assert after.session is before.session
    assert await other.delete("another")
    assert await store.load("another") is None
    again = await store.load("ref")
    assert again is not None
    assert again.session is before.session
    await other.close()


async def test_many_changes(store: SQLiteSessionStore, file: Path, monotonic: Clock) -> None:
    """One that was ended before so many other changes that they are no longer all known is gone."""
    with sqlite3.connect(file) as database:
        database.execute("DELETE FROM sessions WHERE ref = 'ref'")
        for _ in range(KEPT_CHANGES):
            database.execute("INSERT INTO sessions VALUES ('short', '', '', x'', 1, 0, 0)")
            database.execute("DELETE FROM sessions WHERE ref = 'short'")
        (kept,) = database.execute("SELECT count(*) FROM changes").fetchone()
        assert kept == KEPT_CHANGES
        database.execute("INSERT INTO sessions SELECT 'ref', '', '', x'00', 1, 9e9, 9e9")
    monotonic.now += 2 * LOOK_INTERVAL
    assert await store.load("ref") is None


async def test_bounded(store: SQLiteSessionStore, file: Path, clock: Clock) -> None:
    """Of more sessions than are to be remembered, the one that was read first is forgotten."""
    stored = await store.load("ref")
    assert stored is not None
    remembered = RememberedRows(SharedMark(file), FileStamp(file, clock=clock))
    for number in range(MOST + 1):
        remembered.put(str(number), stored, clock.now)
    remembered.put(str(MOST), stored, clock.now)  # again, which takes no more room
    assert list(remembered.sessions) == [str(number) for number in range(1, MOST + 1)]
    for number in range(MOST + 1):
        remembered.put_absent(str(number))
    assert len(remembered.absent) == MOST_ABSENT
    assert len(remembered.sessions) == MOST


async def test_nobody(
    store: SQLiteSessionStore, file: Path, clock: Clock, monotonic: Clock
) -> None:
    """That there is no such session is not read again, either, until the next look at the file."""
    assert await store.load("nobody") is None
    other = SQLiteSessionStore(file, Sealer((SECRET,)), lifetimes=LIFETIMES, clock=clock)
    await other.create("nobody", session(clock))
    assert await store.load("nobody") is None
    monotonic.now += 2 * LOOK_INTERVAL
    assert await store.load("ref") is not None  # whichever it is that is read then
    assert await store.load("nobody") is not None
    await other.close()


async def test_nobody_yet(store: SQLiteSessionStore, clock: Clock) -> None:
    """A session that begins here is seen at once, though it was asked for before."""
    assert await store.load("nobody") is None
    await store.touch("nobody")
    await store.create("nobody", session(clock))
    assert await store.load("nobody") is not None


async def test_used(store: SQLiteSessionStore, file: Path, clock: Clock) -> None:
    """One that was used, here or elsewhere, or beside which another began, is not read again; when
    it was used last is known."""
    before = await store.load("ref")
    other = SQLiteSessionStore(file, Sealer((SECRET,)), lifetimes=LIFETIMES, clock=clock)
    await other.touch("ref")
    await other.create("another", session(clock))
    await other.publish("news")
    await other.close()
    assert await store.load("ref") is before
    clock.now += 50
    await store.touch("ref")
    after = await store.load("ref")
    assert after is not None
    assert after.last_seen_at == clock.now


async def test_used_elsewhere(store: SQLiteSessionStore, file: Path, clock: Clock) -> None:
    """One that another process has kept alive is alive here, too."""
    other = SQLiteSessionStore(file, Sealer((SECRET,)), lifetimes=LIFETIMES, clock=clock)
    clock.now += 60
    await other.touch("ref")
    await other.close()
    clock.now += 60
    assert await store.load("ref") is not None


async def test_ended_by_another_process(store: SQLiteSessionStore, file: Path) -> None:
    """One that another process has ended is gone at once."""
    assert subprocess.run([sys.executable, "-c", ENDS_IT, str(file)], cwd=ROOT).returncode == 0
    assert await store.load("ref") is None


async def test_changed_here(store: SQLiteSessionStore, clock: Clock) -> None:
    """One that was changed through this store is the changed one at once."""
    assert await store.compare_and_swap("ref", 1, replace(session(clock), sid="other"))
    stored = await store.load("ref")
    assert stored is not None
    assert (stored.session.sid, stored.version) == ("other", 2)


async def test_expired(store: SQLiteSessionStore, clock: Clock) -> None:
    """One whose time has come meanwhile is gone, though nothing was written."""
    clock.now += 101
    assert await store.load("ref") is None


async def test_raw_change(store: SQLiteSessionStore, file: Path, monotonic: Clock) -> None:
    """A change behind this layer's back is seen at the next look at the file."""
    with sqlite3.connect(file) as database:
        database.execute("UPDATE sessions SET sealed = x'00'")
    monotonic.now += 2 * LOOK_INTERVAL
    assert await store.load("ref") is None


@pytest.fixture
async def quiet(store: SQLiteSessionStore, file: Path, monotonic: Clock) -> SQLiteSessionStore:
    """One that has read a file to which nobody has written for long."""
    for path in (file, file.with_name(f"{file.name}-wal")):
        os.utime(path, (0, 0))
    monotonic.now += 2 * LOOK_INTERVAL
    assert await store.load("ref")
    return store


async def test_quiet_file(quiet: SQLiteSessionStore, monotonic: Clock) -> None:
    """A file to which nobody has written is not read again at the next look, but after some
    seconds it is."""
    before = await quiet.load("ref")
    monotonic.now += 2 * LOOK_INTERVAL
    assert await quiet.load("ref") is before
    monotonic.now += READ_INTERVAL
    assert await quiet.load("ref") is not before


async def test_raw_change_of_a_quiet_file(
    quiet: SQLiteSessionStore, file: Path, monotonic: Clock
) -> None:
    """The first write after a long time, by whatever program, is seen at the next look."""
    with sqlite3.connect(file) as database:
        database.execute("DELETE FROM sessions")
    monotonic.now += 2 * LOOK_INTERVAL
    assert await quiet.load("ref") is None


async def test_ended_by_one_that_cannot_tell(
    store: SQLiteSessionStore, file: Path, clock: Clock
) -> None:
    """Where the mark cannot be had nothing is served again, so that what is ended is gone at once
    even so."""
    mark = file.with_name(f"{file.name}-mark")
    mark.unlink()
    mark.mkdir()
    first, second = (
        SQLiteSessionStore(file, Sealer((SECRET,)), lifetimes=LIFETIMES, clock=clock)
        for _ in range(2)
    )
    assert await first.load("ref") is not await first.load("ref")
    assert await second.delete("ref")
    assert await first.load("ref") is None
    await first.close()
    await second.close()


async def test_ended_by_another_that_cannot_tell(
    store: SQLiteSessionStore, file: Path, clock: Clock
) -> None:
    """Where only the one that ends a session lacks the mark, it waits until the others have
    looked."""
    reader = SQLiteSessionStore(file, Sealer((SECRET,)), lifetimes=LIFETIMES, clock=clock)
    assert await reader.load("ref") is await reader.load("ref")
    mark = file.with_name(f"{file.name}-mark")
    mark.unlink()
    mark.mkdir()
    other = SQLiteSessionStore(file, Sealer((SECRET,)), lifetimes=LIFETIMES, clock=clock)
    assert await other.delete("ref")
    assert await reader.load("ref") is None
    await reader.close()
    await other.close()


async def test_ended_by_one_that_went_away(
    store: SQLiteSessionStore, file: Path, clock: Clock
) -> None:
    """A session whose end was asked for is ended, and everybody told, even if whoever asked did
    not wait for it."""
    other = SQLiteSessionStore(file, Sealer((SECRET,)), lifetimes=LIFETIMES, clock=clock)
    asked = asyncio.create_task(other.delete("ref"))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.wait([asked])
    assert asked.cancelled()
    await other.ping()  # what was asked for before is done by then
    assert await store.load("ref") is None
    await other.close()


async def test_its_own_copy(store: SQLiteSessionStore, clock: Clock) -> None:
    """What an app does to the claims that it was given, nobody else is given."""
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
