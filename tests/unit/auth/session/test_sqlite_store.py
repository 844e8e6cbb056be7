"""What only a file can show: sharing, restarts, damage, and what somebody who steals it sees."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.auth.errors import ConfigError, StoreUnavailable
from app.auth.session import (
    Activity,
    Lifetimes,
    Sealer,
    SQLiteSessionStore,
    hash_session_id,
    new_session_id,
)

from ....servers import ROOT
from ..conftest import SECRET, Clock, session, transaction

WRITER = """
import asyncio, sys, time
from pathlib import Path
from app.auth.session import Sealer, Session, SQLiteSessionStore

async def main(file, name):
    store = SQLiteSessionStore(Path(file), Sealer(("a secret of more than 32 characters",)))
    for number in range(100):
        ref = f"{name}-{number}"
        await store.create(ref, Session(ref, None, {}, (), time.time()))
        stored = await store.load(ref)
        assert await store.compare_and_swap(ref, stored.version, stored.session)
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


def opened(file: Path, clock: Clock, *secrets: str) -> SQLiteSessionStore:
    """A store on a file, as another process would open it."""
    return SQLiteSessionStore(file, Sealer(secrets or (SECRET,)), clock=clock)


async def test_survives_a_restart(file: Path, clock: Clock) -> None:
    """A session is there after the process that wrote it has gone."""
    first = opened(file, clock)
    await first.create("ref", session(clock))
    await first.close()
    second = opened(file, clock)
    assert await second.load("ref")
    await second.close()


def test_processes_share_the_file(file: Path) -> None:
    """Four processes that write at once never fail one another, from the file's creation on."""
    command = [sys.executable, "-c", WRITER, str(file)]
    writers = [subprocess.Popen([*command, str(name)], cwd=ROOT) for name in range(4)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    with closing(sqlite3.connect(file)) as database, database:
        assert database.execute("SELECT count(*) FROM sessions").fetchone() == (400,)


async def test_nothing_readable_on_disk(file: Path, clock: Clock) -> None:
    """The files hold no session id, token, verifier or claim; only their owner may open them."""
    session_id = new_session_id()
    store = opened(file, clock)
    await store.create(hash_session_id(session_id), session(clock))
    await store.put_transaction("key", transaction(clock))
    raw = b"".join(path.read_bytes() for path in file.parent.iterdir())
    await store.close()
    for secret in (
        session_id,
        "access-token",
        "refresh-token",
        "verifier",
        "nonce",
        "alice",
        "Alice",
    ):
        assert secret.encode() not in raw
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


async def test_rotated_secret(file: Path, clock: Clock) -> None:
    """With a new secret in front of the old one nobody is logged out; without the old, they are."""
    store = opened(file, clock)
    await store.create("ref", session(clock))
    await store.close()
    rotated = opened(file, clock, "another secret, newer, of 32 characters", SECRET)
    assert await rotated.load("ref")
    await rotated.close()
    forgotten = opened(file, clock, "another secret, newer, of 32 characters")
    assert await forgotten.load("ref") is None
    await forgotten.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE sessions SET sealed = substr(sealed, 1, 40)",
        "UPDATE sessions SET sealed = x''",
        "UPDATE sessions SET sealed = (SELECT sealed FROM sessions WHERE ref = 'bob')",
    ],
    ids=["truncated", "emptied", "swapped with another row"],
)
async def test_damaged_record(file: Path, clock: Clock, damage: str) -> None:
    """A record that was changed or moved is nobody's session, and no error."""
    store = opened(file, clock)
    await store.create("alice", session(clock))
    await store.create("bob", session(clock))
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(damage)
    assert await store.load("alice") is None
    await store.close()


async def test_unusable_file(file: Path, clock: Clock) -> None:
    """A file that is no database is a retryable outage, not an empty store."""
    file.parent.mkdir(parents=True)
    file.write_bytes(b"this is not a database, it is a text" * 100)
    store = opened(file, clock)
    with pytest.raises(StoreUnavailable):
        await store.load("ref")
    await store.close()


async def test_cancelled_behind_a_hung_writer(file: Path, clock: Clock) -> None:
    """A caller who goes away leaves no second wait to the next one."""
    store = opened(file, clock)
    await store.create("ref", session(clock))
    with closing(sqlite3.connect(file, isolation_level=None)) as hung:
        hung.execute("BEGIN IMMEDIATE")
        cancelled = asyncio.create_task(store.touch("ref"))
        following = asyncio.create_task(store.touch("ref"))
        await asyncio.sleep(0)  # both have begun
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(StoreUnavailable, match="a moment ago"):
            await following
        assert cancelled.cancelled()
    await store.close()


async def test_queue_behind_a_hung_writer(file: Path, clock: Clock) -> None:
    """While another program hangs with its lock on the file, one caller waits for it, and those
    who queued meanwhile do not wait as long again each."""
    store = opened(file, clock)
    await store.create("ref", session(clock))
    with closing(sqlite3.connect(file, isolation_level=None)) as hung:
        hung.execute("BEGIN IMMEDIATE")
        failures = await asyncio.gather(
            *(store.touch("ref") for _ in range(10)), return_exceptions=True
        )
        assert all(isinstance(failure, StoreUnavailable) for failure in failures)
        assert sum("a moment ago" in str(failure) for failure in failures) == 9
    await store.close()


async def test_purge(file: Path, clock: Clock) -> None:
    """Expired sessions are freed, others are kept."""
    store = opened(file, clock)
    session_of_old = session(clock)
    await store.create("old", session_of_old)
    clock.now += Lifetimes().idle / 2
    await store.create("new", session(clock))
    clock.now += Lifetimes().idle / 2
    assert await store.purge() == {"old": session_of_old}
    assert await store.load("new")
    await store.close()
    with closing(sqlite3.connect(file)) as database, database:
        assert database.execute("SELECT ref FROM sessions").fetchall() == [("new",)]


async def test_older_file(file: Path, clock: Clock) -> None:
    """A file of version 1 is brought up to date; its sessions log in again."""
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE sessions (ref TEXT PRIMARY KEY)")
        database.execute("INSERT INTO sessions VALUES ('ref')")
        database.execute("PRAGMA user_version = 1")
    store = opened(file, clock)
    assert await store.load("ref") is None
    await store.create("ref", session(clock))
    assert await store.load("ref")
    await store.close()


COUNTED_CHANGES = """
    CREATE TABLE changes (number INTEGER NOT NULL);
    INSERT INTO changes VALUES (17);
    CREATE TRIGGER session_ended AFTER DELETE ON sessions
    BEGIN UPDATE changes SET number = number + 1; END;
    CREATE TRIGGER session_changed AFTER UPDATE OF sealed, version ON sessions
    BEGIN UPDATE changes SET number = number + 1; END;
"""
NUMBERED_CHANGES = """
    CREATE TABLE changes (number INTEGER PRIMARY KEY, ref TEXT NOT NULL);
    INSERT INTO changes VALUES (17, '');
    CREATE TRIGGER session_begun AFTER INSERT ON sessions
    BEGIN INSERT INTO changes (ref) VALUES (NEW.ref); END;
    CREATE TRIGGER session_ended AFTER DELETE ON sessions
    BEGIN INSERT INTO changes (ref) VALUES (OLD.ref); END;
    CREATE TRIGGER session_changed AFTER UPDATE OF sealed, version ON sessions
    BEGIN INSERT INTO changes (ref) VALUES (OLD.ref); END;
    CREATE TRIGGER changes_kept AFTER INSERT ON changes
    BEGIN DELETE FROM changes WHERE number <= NEW.number - 1000; END;
"""


@pytest.mark.parametrize(
    ("version", "changes"),
    [(3, ""), (4, COUNTED_CHANGES), (5, NUMBERED_CHANGES), (6, NUMBERED_CHANGES), (7, "")],
)
async def test_previous_file(file: Path, clock: Clock, version: int, changes: str) -> None:
    """The sessions of a file of an earlier version live on; its table of changes goes."""
    store = opened(file, clock)
    await store.create("ref", session(clock))
    await store.close()
    with closing(sqlite3.connect(file)) as database, database:
        database.executescript("DROP INDEX sessions_ends_at;" + changes)
        database.execute("ALTER TABLE sessions DROP COLUMN ends_at")
        database.execute(f"PRAGMA user_version = {version}")
    store = opened(file, clock)
    assert await store.load("ref")
    await store.create("new", session(clock), replaces="ref")
    assert await store.load("ref") is None
    assert await store.delete("new")
    await store.close()
    with closing(sqlite3.connect(file)) as database, database:
        kinds = {kind for (kind,) in database.execute("SELECT type FROM sqlite_master")}
        tables = {name for (name,) in database.execute("SELECT tbl_name FROM sqlite_master")}
    assert "trigger" not in kinds
    assert "changes" not in tables


async def test_file_without_activity(file: Path, clock: Clock) -> None:
    """The sessions of a file of version 8 live on, and it can keep what users did."""
    store = opened(file, clock)
    await store.create("ref", session(clock))
    await store.close()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("DROP TABLE activity")
        database.execute("PRAGMA user_version = 8")
    store = opened(file, clock)
    assert await store.load("ref")
    await store.add_activity("alice", Activity("logout", "user", clock()))
    assert len(await store.activity("alice")) == 1
    await store.close()


async def test_newer_file(file: Path, clock: Clock) -> None:
    """A file of a newer version is refused with a sentence about it, and not touched."""
    store = opened(file, clock)
    await store.ping()
    await store.close()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(ConfigError, match="newer version"):
        await opened(file, clock).ping()
