"""The embedded store: one SQLite file in WAL mode that several processes may share."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite

from ..errors import ConfigError, StoreUnavailable
from . import schema
from .codec import Codec
from .record import Session, Transaction
from .sealing import Sealer
from .store import Lifetimes, StoredSession

BUSY_TIMEOUT = 5.0  # seconds a writer waits for another one
REST = 1.0  # seconds after a failure that took as long, in which the file is not tried again


class SQLiteSessionStore:
    """`SessionStore` on a file, opened at first use (mode 0600, its directory 0700).

    Writes are single statements or `BEGIN IMMEDIATE`, so that writers queue instead of failing.

    Raises:
        ConfigError: at first use, when the file was written by a newer version of this layer.
    """

    def __init__(
        self,
        file: Path,
        sealer: Sealer,
        *,
        lifetimes: Lifetimes | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._file = file
        self._codec = Codec(sealer)
        self._lifetimes = lifetimes or Lifetimes()
        self._clock = clock
        self._connection: aiosqlite.Connection | None = None
        self._lock = asyncio.Lock()
        self._rests_until = float("-inf")

    async def create(self, ref: str, session: Session) -> None:
        await self.purge()
        now = self._clock()
        await self._execute(
            "INSERT INTO sessions VALUES (?, ?, 1, ?, ?)",
            (ref, self._codec.seal_session(ref, session), session.created_at, now),
        )

    async def load(self, ref: str) -> StoredSession | None:
        rows = await self._execute(
            "SELECT sealed, version, last_seen_at FROM sessions"
            " WHERE ref = ? AND last_seen_at > ? AND created_at > ?",
            (ref, *self._oldest()),
        )
        if not rows:
            return None
        sealed, version, last_seen_at = rows[0]
        session = self._codec.open_session(ref, sealed)
        return StoredSession(session, version, last_seen_at) if session else None

    async def touch(self, ref: str) -> None:
        await self._execute(
            "UPDATE sessions SET last_seen_at = ? WHERE ref = ?", (self._clock(), ref)
        )

    async def compare_and_swap(
        self, ref: str, version: int, session: Session, *, fence: int | None = None
    ) -> bool:
        rows = await self._execute(
            "UPDATE sessions SET sealed = ?, version = version + 1, last_seen_at = ?"
            " WHERE ref = ? AND version = ? AND (? IS NULL OR NOT EXISTS"
            " (SELECT 1 FROM leases WHERE leases.ref = sessions.ref AND fence > ?)) RETURNING 1",
            (
                self._codec.seal_session(ref, session),
                self._clock(),
                ref,
                version,
                fence,
                fence,
            ),
        )
        return bool(rows)

    async def delete(self, ref: str) -> bool:
        rows = await self._execute("DELETE FROM sessions WHERE ref = ? RETURNING 1", (ref,))
        return bool(rows)

    async def put_transaction(self, key: str, transaction: Transaction) -> None:
        await self._execute(
            "INSERT INTO transactions VALUES (?, ?, ?)",
            (key, self._codec.seal_transaction(key, transaction), transaction.created_at),
        )

    async def take_transaction(self, key: str) -> Transaction | None:
        rows = await self._execute(
            "DELETE FROM transactions WHERE key = ? RETURNING sealed, created_at", (key,)
        )
        if not rows or rows[0][1] <= self._clock() - self._lifetimes.transaction:
            return None
        return self._codec.open_transaction(key, rows[0][0])

    async def acquire_lease(self, ref: str, ttl: float) -> int | None:
        now = self._clock()
        rows = await self._execute(
            "INSERT INTO leases VALUES (?, 1, ?) ON CONFLICT (ref) DO UPDATE"
            " SET fence = fence + 1, expires_at = excluded.expires_at"
            " WHERE leases.expires_at <= ? RETURNING fence",
            (ref, now + ttl, now),
        )
        return rows[0][0] if rows else None

    async def release_lease(self, ref: str, fence: int) -> None:
        # The row stays, so that fence numbers only grow.
        await self._execute(
            "UPDATE leases SET expires_at = 0 WHERE ref = ? AND fence = ?", (ref, fence)
        )

    async def purge(self) -> int:
        now = self._clock()
        rows = await self._execute(
            "DELETE FROM sessions WHERE last_seen_at <= ? OR created_at <= ? RETURNING 1",
            self._oldest(),
        )
        await self._execute(
            "DELETE FROM transactions WHERE created_at <= ?",
            (now - self._lifetimes.transaction,),
        )
        await self._execute(
            "DELETE FROM leases WHERE expires_at <= ? AND ref NOT IN (SELECT ref FROM sessions)",
            (now,),
        )
        return len(rows)

    async def ping(self) -> None:
        await self._execute("SELECT 1 FROM sessions LIMIT 1", ())

    async def close(self) -> None:
        async with self._lock:
            if self._connection is not None:
                await self._connection.close()
                self._connection = None

    def _oldest(self) -> tuple[float, float]:
        """The times before which a session is too long idle, and too old."""
        now = self._clock()
        return now - self._lifetimes.idle, now - self._lifetimes.absolute

    async def _execute(self, sql: str, parameters: tuple[Any, ...]) -> list[Any]:
        """Run one statement to its end; it is its own transaction.

        Whoever queued behind one that failed does not wait as long again, one after the other.
        """
        now = asyncio.get_running_loop().time
        async with self._lock:
            begun_at = now()
            if begun_at < self._rests_until:
                raise StoreUnavailable("The session file could not be used a moment ago.")
            try:
                async with _failures():
                    connection = await self._open()
                    return list(await connection.execute_fetchall(sql, parameters))
            except StoreUnavailable:
                if now() - begun_at >= REST:
                    self._rests_until = now() + REST
                raise

    def _create_file(self) -> None:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file.touch(mode=0o600)

    async def _open(self) -> aiosqlite.Connection:
        if self._connection is None:
            self._create_file()
            connection = await aiosqlite.connect(
                self._file, timeout=BUSY_TIMEOUT, isolation_level=None
            )
            try:
                await _prepare(connection)
            except BaseException:
                await connection.close()
                raise
            self._connection = connection
        return self._connection


async def _prepare(connection: aiosqlite.Connection) -> None:
    await connection.execute("PRAGMA journal_mode = WAL")
    await connection.execute("PRAGMA synchronous = NORMAL")
    await connection.execute("PRAGMA secure_delete = ON")
    ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
    if version > schema.VERSION:
        raise ConfigError(
            "The session file was written by a newer version of this app. Update the app, or move "
            "the file away; everyone then logs in again."
        )
    if version < schema.VERSION:
        await connection.executescript(schema.SCHEMA)


@asynccontextmanager
async def _failures() -> AsyncIterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(
            f"The session file cannot be used now: {type(error).__name__}: {error}."
        ) from error
