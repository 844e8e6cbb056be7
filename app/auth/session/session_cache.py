"""Sessions read from the SQLite file, kept in this process until any process changes a session."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from .store import StoredSession

MOST = 2000  # sessions; then the one that was cached first is dropped
READ_INTERVAL = 2.0  # seconds after which a session is read again even if the mark is the same


class Look(NamedTuple):
    """The mark and the monotonic time (seconds) from before a session is read."""

    mark: int
    at: float


class _Entry(NamedTuple):
    stored: StoredSession
    expires_at: float
    read_at: float


class SessionCache:
    """Caches sessions: each event reads its session several times.

    **The mark.** Beside the session file is an empty file `<name>-mark`, whose modification time is
    a random number. A process that has committed a change of a session sets a new number before its
    call returns. An entry is valid only while the mark is the one from before it was read: then no
    change has been completed since. The check costs one `stat`.

    The times and sizes of SQLite's own files do not work. SQLite writes to its log before it shows
    the commit to readers, so a process that reads in between sees the new time and the old session,
    and nothing differs afterwards. They also change with each use of any session.

    **Changes without a mark.** Another program may change the file, or a process may die between
    its commit and its mark. Such a change is seen within `READ_INTERVAL`: after that time, an entry
    is read again, unless SQLite says that no other process has committed anything (`confirm`).

    `clock` returns epoch seconds, `monotonic` seconds from any beginning. `session_file` is None
    for a database in memory, which belongs to one process.
    """

    def __init__(
        self,
        session_file: Path | None,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._path = f"{session_file}-mark" if session_file else None
        self._clock = clock
        self._monotonic = monotonic
        self._mark = 0  # the mark of all entries
        self._entries: dict[str, _Entry] = {}
        self._data_version = -1
        self._same_since = float("inf")  # seconds: when this data version was first seen
        self._same_until = float("-inf")

    def get(self, key: str) -> StoredSession | None:
        """Return the session if the entry is current and has not expired."""
        entry = self._entries.get(key) if self._look_at_mark() else None
        if entry is None:
            return None
        is_same = entry.read_at >= self._same_since
        current_at = max(entry.read_at, self._same_until) if is_same else entry.read_at
        if self._monotonic() - current_at >= READ_INTERVAL:
            return None
        return entry.stored if self._clock() < entry.expires_at else None

    def look(self) -> Look | None:
        """Look at the mark, before the file is read. None if the mark cannot be read or made."""
        at = self._monotonic()
        if not self._look_at_mark():
            with suppress(OSError):
                self._change_mark()  # there is no mark yet
        return Look(self._mark, at) if self._look_at_mark() else None

    def put(self, key: str, stored: StoredSession, expires_at: float, look: Look | None) -> None:
        """Cache a session that was read after `look`, unless a session has changed since."""
        if look is None or look.mark != self._mark:
            return
        if key not in self._entries and len(self._entries) >= MOST:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = _Entry(stored, expires_at, look.at)

    def confirm(self, data_version: int, looked_at: float) -> None:
        """Take SQLite's `PRAGMA data_version`, and the monotonic time from before it was read. The
        version changes when another connection has committed something."""
        if data_version != self._data_version:
            self._data_version, self._same_since = data_version, looked_at
        self._same_until = looked_at

    def drop(self, key: str) -> None:
        """Forget a session, so that it is read again."""
        self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    async def drop_everywhere(self) -> None:
        """Make every process read sessions again from now on."""
        self._entries.clear()
        try:
            self._change_mark()
        except OSError:
            await asyncio.sleep(READ_INTERVAL)  # by then, every entry is too old

    def _change_mark(self) -> None:
        # Random, since two changes within one tick of the file system's clock would look the same.
        # The seconds are random, too: some file systems store no fractions.
        mark = secrets.randbelow(2**31 * 10**9)
        if self._path is None:
            self._mark = mark
            return
        os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))
        os.utime(self._path, ns=(mark, mark))

    def _look_at_mark(self) -> bool:
        """Drop the entries if the mark has changed. False if it cannot be read."""
        if self._path is None:
            return True
        try:
            mark = os.stat(self._path).st_mtime_ns  # three times as fast as Path.stat
        except OSError:
            return False
        if mark != self._mark:
            self._entries.clear()
            self._mark = mark
        return True
