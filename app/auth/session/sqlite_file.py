"""A SQLite file in WAL mode that several processes may share. It is opened at first use."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from ..errors import ConfigError, StoreUnavailable

BUSY_TIMEOUT = 5.0  # seconds that a writer waits for another one
REST = 1.0  # seconds without another attempt after a failure that took at least as long

VERSION = 9
OLDEST_RECORDS = 3  # in older files, sessions have another shape and are dropped

_SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS sessions (
        ref TEXT PRIMARY KEY,
        sub_tag TEXT NOT NULL,
        sid_tag TEXT,
        sealed BLOB NOT NULL,
        version INTEGER NOT NULL,
        created_at REAL NOT NULL,
        last_seen_at REAL NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX IF NOT EXISTS sessions_sub_tag ON sessions (sub_tag)",
    "CREATE INDEX IF NOT EXISTS sessions_sid_tag ON sessions (sid_tag) WHERE sid_tag IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS sessions_last_seen_at ON sessions (last_seen_at)",
    "CREATE INDEX IF NOT EXISTS sessions_created_at ON sessions (created_at)",
    """
    CREATE TABLE IF NOT EXISTS transactions (
        key TEXT PRIMARY KEY,
        sealed BLOB NOT NULL,
        created_at REAL NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS leases (
        ref TEXT PRIMARY KEY,
        fence INTEGER NOT NULL,
        expires_at REAL NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS news (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        text TEXT NOT NULL,
        published_at REAL NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS remembered (
        key TEXT PRIMARY KEY,
        until REAL NOT NULL
    ) WITHOUT ROWID
    """,
    # Since version 9.
    """
    CREATE TABLE IF NOT EXISTS activity (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_tag TEXT NOT NULL,
        sealed BLOB NOT NULL,
        at REAL NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS activity_user_tag ON activity (user_tag, id)",
    "CREATE INDEX IF NOT EXISTS activity_at ON activity (at)",
    # Up to version 6 there was a table of changes.
    "DROP TRIGGER IF EXISTS session_begun",
    "DROP TRIGGER IF EXISTS session_ended",
    "DROP TRIGGER IF EXISTS session_changed",
    "DROP TABLE IF EXISTS changes",
)
"""Creates the tables, or migrates them from any earlier version, in one transaction. The file has
hashes, encrypted values and times, but no plain text."""

_SINCE_VERSION_8 = (
    "ALTER TABLE sessions ADD COLUMN ends_at REAL",
    "CREATE INDEX sessions_ends_at ON sessions (ends_at) WHERE ends_at IS NOT NULL",
)


class SQLiteFile:
    """Runs statements. The file gets mode 0600, its directory 0700. `None` is a database in memory.

    Every method raises `StoreUnavailable` if the file cannot be used now, and `ConfigError` if a
    newer version of this layer has written it.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._connection: aiosqlite.Connection | None = None
        self._lock = asyncio.Lock()
        self._rests_until = float("-inf")
        self._is_closed = False
        # The event loop keeps weak references.
        self._statements: set[asyncio.Task[list[Any]]] = set()

    async def execute(self, sql: str, *parameters: object) -> list[Any]:
        """Run one statement to its end, in a transaction of its own.

        It keeps its turn if the caller is cancelled. The thread cannot be interrupted: the next
        statement would wait for it, and a hung file would then cost that caller twice the time.
        """
        task = asyncio.create_task(self._execute(sql, parameters))
        self._statements.add(task)
        task.add_done_callback(self._statements.discard)
        return await asyncio.shield(task)

    async def _execute(self, sql: str, parameters: tuple[object, ...]) -> list[Any]:
        async with self._usable() as connection:
            return list(await connection.execute_fetchall(sql, parameters))

    async def close(self) -> None:
        """Close the file for good: a handler that still runs in an app that stops must not open it
        again, since its thread would keep the process alive."""
        async with self._lock:
            self._is_closed = True
            if self._connection is not None:
                await self._connection.close()
                self._connection = None

    @asynccontextmanager
    async def _usable(self) -> AsyncIterator[aiosqlite.Connection]:
        """Yield the connection. After a slow failure, callers that queued up fail at once."""
        now = asyncio.get_running_loop().time
        async with self._lock:
            if self._is_closed:
                raise StoreUnavailable("The session store is closed.")
            begun_at = now()
            if begun_at < self._rests_until:
                raise StoreUnavailable("The session file could not be used a moment ago.")
            try:
                async with _failures():
                    yield await self._open()
            except StoreUnavailable:
                if now() - begun_at >= REST:
                    self._rests_until = now() + REST
                raise

    async def _open(self) -> aiosqlite.Connection:
        if self._connection is None:
            connection = await aiosqlite.connect(
                _created(self._path) if self._path else ":memory:",
                timeout=BUSY_TIMEOUT,
                isolation_level=None,
            )
            try:
                await _prepare(connection)
            except BaseException:
                await connection.close()
                raise
            self._connection = connection
        return self._connection


def _created(path: Path) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    return path


@retry(
    retry=retry_if_exception_type(sqlite3.OperationalError),
    stop=stop_after_delay(BUSY_TIMEOUT),
    wait=wait_fixed(0.05),
    reraise=True,
)
async def _use_wal(connection: aiosqlite.Connection) -> None:
    """Set WAL mode. SQLite does not wait while another process does the same to a new file."""
    await connection.execute("PRAGMA journal_mode = WAL")


async def _prepare(connection: aiosqlite.Connection) -> None:
    await _use_wal(connection)
    await connection.execute("PRAGMA synchronous = NORMAL")
    await connection.execute("PRAGMA secure_delete = ON")
    if await _version(connection) == VERSION:
        return
    async with _transaction(connection):
        version = await _version(connection)
        if version > VERSION:
            raise ConfigError(
                "The session file was written by a newer version of this app. Update the app, or "
                "move the file away; everyone then logs in again."
            )
        if version < OLDEST_RECORDS:
            await connection.execute("DROP TABLE IF EXISTS sessions")
        if version < VERSION:  # else another process has migrated it while this one waited
            for statement in (*_SCHEMA, *(_SINCE_VERSION_8 if version < 8 else ())):
                await connection.execute(statement)
            await connection.execute(f"PRAGMA user_version = {VERSION}")


async def _version(connection: aiosqlite.Connection) -> int:
    ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
    return int(version)


@asynccontextmanager
async def _transaction(connection: aiosqlite.Connection) -> AsyncIterator[None]:
    """Run a transaction that excludes other writers from its first read on."""
    try:
        await connection.execute("BEGIN IMMEDIATE")
        yield
    except BaseException:
        await connection.rollback()  # does nothing if BEGIN itself failed
        raise
    await connection.execute("COMMIT")


@asynccontextmanager
async def _failures() -> AsyncIterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(
            f"The session file cannot be used now: {type(error).__name__}: {error}."
        ) from error
