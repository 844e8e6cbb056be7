"""The embedded store: sessions in one SQLite file that several processes may share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from .batch import Batch
from .codec import Codec
from .file_stamp import FileStamp
from .models import Session, Transaction
from .remembered_rows import LOOK_INTERVAL, RememberedRows
from .sealing import Sealer
from .shared_mark import SharedMark
from .sqlite_file import SQLiteFile
from .store import Lifetimes, StoredSession

NEWS_INTERVAL = 0.2  # seconds between two looks for news
NEWS_KEPT = 60.0  # seconds; whoever has not looked for as long looks at the sessions instead

_Result = TypeVar("_Result")
_LIVE = "last_seen_at > ? AND created_at > ?"


class SQLiteSessionStore:
    """`SessionStore` on a file, opened at first use (see `sqlite_file`)."""

    def __init__(
        self,
        file: Path | None,
        sealer: Sealer,
        *,
        lifetimes: Lifetimes | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = SQLiteFile(file)
        self._codec = Codec(sealer)
        self._lifetimes = lifetimes or Lifetimes()
        self._clock = clock
        self._rows = Batch(self._read)
        self._mark = SharedMark(file) if file else None
        self._remembered = (
            RememberedRows(self._mark, FileStamp(file, clock=clock), monotonic=monotonic)
            if file and self._mark
            else None
        )

    async def create(self, ref: str, session: Session, *, replaces: str | None = None) -> None:
        sealed, now = self._codec.seal_session(ref, session), self._clock()
        row = (ref, *self._codec.newest_tags(session), sealed, session.created_at, now)
        insert = "INSERT INTO sessions VALUES (?, ?, ?, ?, 1, ?, ?)"
        if replaces is not None:
            delete = "DELETE FROM sessions WHERE ref = ?"
            await self._told(self._file.execute_together([(delete, (replaces,)), (insert, row)]))
            return
        # Nobody can have asked for it before; other processes need not hear of it at once.
        await self._file.execute(insert, *row)
        if self._remembered is not None:
            self._remembered.absent.pop(ref, None)

    def cached(self, ref: str) -> StoredSession | None:
        remembered = self._remembered
        if remembered is None or not remembered.is_current():
            return None
        known = remembered.sessions.get(ref)
        return known[0] if known is not None and self._clock() < known[1] else None

    async def load(self, ref: str) -> StoredSession | None:
        known, remembered = self.cached(ref), self._remembered
        if known is not None:
            return known
        if remembered is not None and ref in remembered.absent and remembered.is_current():
            return None
        return await self._rows.get(ref)

    async def touch(self, ref: str) -> None:
        now = self._clock()
        await self._file.execute("UPDATE sessions SET last_seen_at = ? WHERE ref = ?", now, ref)
        remembered = self._remembered
        if remembered is not None and ref in remembered.sessions:  # this is no change of it
            stored = replace(remembered.sessions[ref][0], last_seen_at=now)
            remembered.put(ref, stored, self._good_until(stored))

    async def compare_and_swap(
        self, ref: str, version: int, session: Session, *, fence: int | None = None
    ) -> bool:
        changed = self._file.execute(
            "UPDATE sessions SET sealed = ?, version = version + 1, last_seen_at = ?"
            " WHERE ref = ? AND version = ? AND (? IS NULL OR NOT EXISTS"
            " (SELECT 1 FROM leases WHERE leases.ref = sessions.ref AND fence > ?)) RETURNING 1",
            self._codec.seal_session(ref, session),
            self._clock(),
            ref,
            version,
            fence,
            fence,
        )
        return bool(await self._told(changed))

    async def delete(self, ref: str) -> bool:
        deleted = self._file.execute("DELETE FROM sessions WHERE ref = ? RETURNING 1", ref)
        return bool(await self._told(deleted))

    async def find(
        self, *, sub: str | None = None, sid: str | None = None
    ) -> dict[str, StoredSession]:
        column = "sid_tag" if sub is None else "sub_tag"
        found = {}
        for tag in self._codec.tags(sub=sub, sid=sid):
            rows = await self._file.execute(
                "SELECT ref, sealed, version, last_seen_at FROM sessions"  # noqa: S608
                f" WHERE {column} = ? AND {_LIVE}",
                tag,
                *self._oldest(),
            )
            found.update({ref: self._opened(ref, *columns) for ref, *columns in rows})
        return {ref: stored for ref, stored in found.items() if stored is not None}

    async def put_transaction(self, key: str, transaction: Transaction) -> None:
        await self._file.execute(
            "INSERT INTO transactions VALUES (?, ?, ?)",
            key,
            self._codec.seal_transaction(key, transaction),
            transaction.created_at,
        )

    async def take_transaction(self, key: str) -> Transaction | None:
        rows = await self._file.execute(
            "DELETE FROM transactions WHERE key = ? RETURNING sealed, created_at", key
        )
        if not rows or rows[0][1] <= self._clock() - self._lifetimes.transaction:
            return None
        return self._codec.open_transaction(key, rows[0][0])

    async def mark_used(self, key: str, until: float) -> None:
        await self._file.execute("INSERT OR REPLACE INTO remembered VALUES (?, ?)", key, until)

    async def is_used(self, key: str) -> bool:
        rows = await self._file.execute(
            "SELECT 1 FROM remembered WHERE key = ? AND until > ?", key, self._clock()
        )
        return bool(rows)

    async def acquire_lease(self, ref: str, ttl: float) -> int | None:
        now = self._clock()
        rows = await self._file.execute(
            "INSERT INTO leases VALUES (?, 1, ?) ON CONFLICT (ref) DO UPDATE"
            " SET fence = fence + 1, expires_at = excluded.expires_at"
            " WHERE leases.expires_at <= ? RETURNING fence",
            ref,
            now + ttl,
            now,
        )
        return rows[0][0] if rows else None

    async def renew_lease(self, ref: str, fence: int, ttl: float) -> bool:
        now = self._clock()
        rows = await self._file.execute(
            "UPDATE leases SET expires_at = ? WHERE ref = ? AND fence = ? AND expires_at > ?"
            " RETURNING 1",
            now + ttl,
            ref,
            fence,
            now,
        )
        return bool(rows)

    async def release_lease(self, ref: str, fence: int) -> None:
        # The row stays, so that fence numbers only grow.
        await self._file.execute(
            "UPDATE leases SET expires_at = 0 WHERE ref = ? AND fence = ?", ref, fence
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
            rows = await self._file.execute(
                "SELECT id, text FROM news WHERE id > ? ORDER BY id", last
            )
            for number, text in rows:
                last = number
                yield text

    async def purge(self) -> dict[str, Session | None]:
        now = self._clock()
        freed = self._file.execute(
            "DELETE FROM sessions WHERE last_seen_at <= ? OR created_at <= ? RETURNING ref, sealed",
            *self._oldest(),
        )
        rows = await self._told(freed)
        await self._file.execute(
            "DELETE FROM transactions WHERE created_at <= ?", now - self._lifetimes.transaction
        )
        await self._file.execute("DELETE FROM remembered WHERE until <= ?", now)
        await self._file.execute("DELETE FROM news WHERE published_at <= ?", now - NEWS_KEPT)
        await self._file.execute(
            "DELETE FROM leases WHERE expires_at <= ? AND ref NOT IN (SELECT ref FROM sessions)",
            now,
        )
        return {ref: self._codec.open_session(ref, sealed) for ref, sealed in rows}

    async def ping(self) -> None:
        await self._file.execute("SELECT 1 FROM sessions LIMIT 1")

    async def close(self) -> None:
        if self._remembered is not None:
            self._remembered.close()
        await self._file.close()

    async def _told(self, change: Coroutine[Any, Any, _Result]) -> _Result:
        """Carry out a change of sessions, and tell every process before saying that it is done.

        To its end, even if whoever asked for it goes away meanwhile: SQLite carries it out then,
        too.
        """
        return await asyncio.shield(asyncio.create_task(self._carried_out(change)))

    async def _carried_out(self, change: Coroutine[Any, Any, _Result]) -> _Result:
        result = await change
        if self._mark is not None:
            try:
                self._mark.change()
            except OSError:
                await asyncio.sleep(LOOK_INTERVAL)  # by then everybody has looked by themselves
        return result

    async def _read(self, refs: Sequence[str]) -> dict[str, StoredSession]:
        """The live sessions among these. One hop to SQLite's thread serves all who ask at the time,
        and one statement, hence one state of the file, says what else has changed."""
        remembered = self._remembered
        look = remembered.look() if remembered else None  # before the file is read
        rows = await self._file.execute(
            "SELECT number, ref, NULL, NULL, NULL FROM changes WHERE number >= ? UNION ALL"  # noqa: S608
            " SELECT NULL, ref, sealed, version, last_seen_at FROM sessions"
            f" WHERE ref IN ({','.join('?' * len(refs))})",
            remembered.last_change if remembered and look else None,
            *refs,
        )
        found = [row for _, *row in rows if row[1] is not None]
        if remembered is None or look is None:
            read = {ref: self._opened(ref, *columns) for ref, *columns in found}
        else:
            remembered.saw(look, [(number, ref) for number, ref, *_ in rows if number is not None])
            read = {ref: self._again(remembered, ref, *columns) for ref, *columns in found}
            for ref in set(refs).difference(read):
                remembered.put_absent(ref)
        now = self._clock()
        return {ref: each for ref, each in read.items() if each and now < self._good_until(each)}

    def _again(
        self, remembered: RememberedRows, ref: str, sealed: bytes, version: int, last_seen_at: float
    ) -> StoredSession | None:
        """What a row holds, opened only if it is not known from an earlier reading."""
        known = remembered.sessions.get(ref)
        if known is not None:
            stored: StoredSession | None = replace(known[0], last_seen_at=last_seen_at)
        else:
            stored = self._opened(ref, sealed, version, last_seen_at)
        if stored is not None:
            remembered.put(ref, stored, self._good_until(stored))
        return stored

    def _opened(
        self, ref: str, sealed: bytes, version: int, last_seen_at: float
    ) -> StoredSession | None:
        session = self._codec.open_session(ref, sealed)
        return StoredSession(session, version, last_seen_at) if session else None

    def _good_until(self, stored: StoredSession) -> float:
        """Epoch seconds: when it will have been idle for too long, or be too old."""
        lifetimes = self._lifetimes
        return min(
            stored.last_seen_at + lifetimes.idle, stored.session.created_at + lifetimes.absolute
        )

    def _oldest(self) -> tuple[float, float]:
        """The times before which a session is too long idle, and too old."""
        now = self._clock()
        return now - self._lifetimes.idle, now - self._lifetimes.absolute
