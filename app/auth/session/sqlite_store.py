"""The embedded store: sessions in one SQLite file, or in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any

from ..lifetimes import Lifetimes
from .activity import ACTIVITY_AGE, MOST_ACTIVITY, Activity
from .encryption import RecordSealer, Sealer
from .models import Session, Transaction
from .session_cache import SessionCache
from .sqlite_file import SQLiteFile
from .store import StoredSession

NEWS_INTERVAL = 0.2  # seconds between two reads of the table `news`
NEWS_KEPT = 60.0  # seconds; a process that reads no news for longer misses some

_COLUMNS = "ref, sealed, version, last_seen_at"
_LIVE = "last_seen_at > ? AND created_at > ? AND (ends_at IS NULL OR ends_at > ?)"


class SQLiteSessionStore:
    """`SessionStore` on a file that the processes of one machine may share (see `sqlite_file`).

    Sessions end by `lifetimes`. `clock` returns epoch seconds, `monotonic` seconds from any
    beginning.
    """

    def __init__(
        self,
        file: Path | str | None,
        sealer: Sealer,
        *,
        lifetimes: Lifetimes | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        file = Path(file) if file is not None else None
        self._file = SQLiteFile(file)
        self._sealer = RecordSealer(sealer)
        self.lifetimes = lifetimes or Lifetimes()
        self._clock = clock
        self._monotonic = monotonic
        self._cache = SessionCache(file, clock=clock, monotonic=monotonic)

    async def create(
        self, session_id_hash: str, session: Session, *, replaces: str | None = None
    ) -> None:
        tags, now = self._sealer.newest_tags(session), self._clock()
        sealed = self._sealer.seal(session_id_hash, session)
        row = (session_id_hash, *tags, sealed, session.created_at, now, session.session_expiry)
        if replaces is not None:
            replaced = await self._change(
                replaces,
                "UPDATE sessions SET (ref, sub_tag, sid_tag, sealed, version, created_at,"
                " last_seen_at, ends_at) = (?, ?, ?, ?, 1, ?, ?, ?) WHERE ref = ? RETURNING 1",
                *row,
                replaces,
            )
            if replaced:
                return
        await self._file.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, 1, ?, ?, ?)", *row)

    def cached(self, session_id_hash: str) -> StoredSession | None:
        return self._cache.get(session_id_hash)

    async def load(self, session_id_hash: str) -> StoredSession | None:
        stored = self.cached(session_id_hash)
        if stored is not None:
            return stored
        look = self._cache.look()
        rows = await self._file.execute(
            f"SELECT {_COLUMNS} FROM sessions WHERE ref = ? AND {_LIVE}",  # noqa: S608
            session_id_hash,
            *self._oldest(),
        )
        stored = self._opened(rows).get(session_id_hash)
        if stored is not None:
            expires_at = stored.expires_at(self.lifetimes)
            self._cache.put(session_id_hash, stored, expires_at, look)
        return stored

    async def touch(self, session_id_hash: str) -> None:
        await self._file.execute(
            "UPDATE sessions SET last_seen_at = ? WHERE ref = ?", self._clock(), session_id_hash
        )
        # Other processes may have cached an earlier `last_seen_at`. They read the session again
        # before they treat it as expired.
        self._cache.drop(session_id_hash)

    async def compare_and_swap(
        self, session_id_hash: str, version: int, session: Session, *, fence: int | None = None
    ) -> bool:
        swapped = await self._change(
            session_id_hash,
            "UPDATE sessions SET sealed = ?, version = version + 1, last_seen_at = ?, ends_at = ?"
            " WHERE ref = ? AND version = ? AND (? IS NULL OR NOT EXISTS"
            " (SELECT 1 FROM leases WHERE leases.ref = sessions.ref AND fence > ?)) RETURNING 1",
            self._sealer.seal(session_id_hash, session),
            self._clock(),
            session.session_expiry,
            session_id_hash,
            version,
            fence,
            fence,
        )
        return bool(swapped)

    async def delete(self, session_id_hash: str) -> bool:
        delete = "DELETE FROM sessions WHERE ref = ? RETURNING 1"
        return bool(await self._change(session_id_hash, delete, session_id_hash))

    async def find(
        self, *, sub: str | None = None, sid: str | None = None
    ) -> dict[str, StoredSession]:
        column = "sid_tag" if sub is None else "sub_tag"
        found = {}
        for tag in self._sealer.tags(sub=sub, sid=sid):
            rows = await self._file.execute(
                f"SELECT {_COLUMNS} FROM sessions WHERE {column} = ? AND {_LIVE}",  # noqa: S608
                tag,
                *self._oldest(),
            )
            found.update(self._opened(rows))
        return found

    async def put_transaction(self, key: str, transaction: Transaction) -> None:
        await self._file.execute(
            "INSERT INTO transactions VALUES (?, ?, ?)",
            key,
            self._sealer.seal(key, transaction),
            transaction.created_at,
        )

    async def take_transaction(self, key: str) -> Transaction | None:
        rows = await self._file.execute(
            "DELETE FROM transactions WHERE key = ? RETURNING sealed, created_at", key
        )
        if not rows or rows[0][1] <= self._clock() - self.lifetimes.transaction:
            return None
        return self._sealer.open(key, rows[0][0], Transaction)

    async def mark_used(self, key: str, until: float) -> None:
        await self._file.execute("INSERT OR REPLACE INTO remembered VALUES (?, ?)", key, until)

    async def is_used(self, key: str) -> bool:
        rows = await self._file.execute(
            "SELECT 1 FROM remembered WHERE key = ? AND until > ?", key, self._clock()
        )
        return bool(rows)

    async def add_activity(self, user: str, entry: Activity) -> None:
        tag = self._sealer.activity_tags(user)[0]
        await self._file.execute(
            "INSERT INTO activity (user_tag, sealed, at) VALUES (?, ?, ?)",
            tag,
            self._sealer.seal(tag, entry),
            entry.at,
        )
        await self._file.execute(
            "DELETE FROM activity WHERE user_tag = ? AND id <= (SELECT id FROM activity"
            " WHERE user_tag = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
            tag,
            tag,
            MOST_ACTIVITY,
        )

    async def activity(self, user: str) -> list[Activity]:
        entries = []
        for tag in self._sealer.activity_tags(user):
            rows = await self._file.execute(
                "SELECT sealed FROM activity WHERE user_tag = ? AND at > ? ORDER BY id DESC",
                tag,
                self._clock() - ACTIVITY_AGE,
            )
            entries += [self._sealer.open(tag, sealed, Activity) for (sealed,) in rows]
        return [entry for entry in entries if entry is not None][:MOST_ACTIVITY]

    async def acquire_lease(self, session_id_hash: str, ttl: float) -> int | None:
        now = self._clock()
        rows = await self._file.execute(
            "INSERT INTO leases VALUES (?, 1, ?) ON CONFLICT (ref) DO UPDATE"
            " SET fence = fence + 1, expires_at = excluded.expires_at"
            " WHERE leases.expires_at <= ? RETURNING fence",
            session_id_hash,
            now + ttl,
            now,
        )
        return rows[0][0] if rows else None

    async def renew_lease(self, session_id_hash: str, fence: int, ttl: float) -> bool:
        now = self._clock()
        rows = await self._file.execute(
            "UPDATE leases SET expires_at = ? WHERE ref = ? AND fence = ? AND expires_at > ?"
            " RETURNING 1",
            now + ttl,
            session_id_hash,
            fence,
            now,
        )
        return bool(rows)

    async def release_lease(self, session_id_hash: str, fence: int) -> None:
        # The row stays, so that fence numbers only grow.
        await self._file.execute(
            "UPDATE leases SET expires_at = 0 WHERE ref = ? AND fence = ?", session_id_hash, fence
        )

    async def publish(self, news: str) -> None:
        await self._file.execute(
            "INSERT INTO news (text, published_at) VALUES (?, ?)", news, self._clock()
        )

    async def listen(self) -> AsyncGenerator[str]:
        ((last,),) = await self._file.execute("SELECT ifnull(max(id), 0) FROM news")
        yield ""
        while True:
            await asyncio.sleep(NEWS_INTERVAL)
            looked_at = self._monotonic()
            ((data_version,),) = await self._file.execute("PRAGMA data_version")
            self._cache.confirm(data_version, looked_at)
            rows = await self._file.execute(
                "SELECT id, text FROM news WHERE id > ? ORDER BY id", last
            )
            for number, text in rows:
                last = number
                yield text

    async def purge(self) -> dict[str, Session | None]:
        now = self._clock()
        # No cache has to be dropped: cached sessions expire at the same time.
        rows = await self._file.execute(
            "DELETE FROM sessions WHERE last_seen_at <= ? OR created_at <= ? OR ends_at <= ?"
            " RETURNING ref, sealed",
            *self._oldest(),
        )
        await self._file.execute(
            "DELETE FROM transactions WHERE created_at <= ?", now - self.lifetimes.transaction
        )
        await self._file.execute("DELETE FROM remembered WHERE until <= ?", now)
        await self._file.execute("DELETE FROM activity WHERE at <= ?", now - ACTIVITY_AGE)
        await self._file.execute("DELETE FROM news WHERE published_at <= ?", now - NEWS_KEPT)
        await self._file.execute(
            "DELETE FROM leases WHERE expires_at <= ? AND ref NOT IN (SELECT ref FROM sessions)",
            now,
        )
        return {ref: self._sealer.open(ref, sealed, Session) for ref, sealed in rows}

    async def ping(self) -> None:
        await self._file.execute("SELECT 1 FROM sessions LIMIT 1")

    async def close(self) -> None:
        self._cache.close()
        await self._file.close()

    async def _change(self, session_id_hash: str, sql: str, *parameters: object) -> list[Any]:
        """Run a statement that changes a session. SQLite completes it even if the caller is
        cancelled, so the caches must drop the session then, too."""

        async def change() -> list[Any]:
            changed = await self._file.execute(sql, *parameters)
            if changed:
                await self._cache.drop_everywhere(session_id_hash)
            return changed

        return await asyncio.shield(asyncio.create_task(change()))

    def _opened(self, rows: Sequence[tuple[str, bytes, int, float]]) -> dict[str, StoredSession]:
        """Return the sessions by key, without those that cannot be decrypted."""
        found = {}
        for session_id_hash, sealed, version, last_seen_at in rows:
            session = self._sealer.open(session_id_hash, sealed, Session)
            if session is not None:
                found[session_id_hash] = StoredSession(session, version, last_seen_at)
        return found

    def _oldest(self) -> tuple[float, float, float]:
        """A session has expired if its last use, its creation or its `session_expiry` is not after
        these times."""
        now = self._clock()
        return now - self.lifetimes.idle, now - self.lifetimes.absolute, now


class MemorySessionStore(SQLiteSessionStore):
    """`SessionStore` in memory, for tests and for apps that may lose all sessions when they
    stop."""

    def __init__(
        self,
        sealer: Sealer,
        *,
        lifetimes: Lifetimes | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(None, sealer, lifetimes=lifetimes, clock=clock)
