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

MOST = 2000  # sessions; of more, the one that was put first is dropped
READ_INTERVAL = 2.0  # seconds after which a session is read again though the mark is the same


class Look(NamedTuple):
    """The mark, and seconds of the monotonic clock, from before the session file is read."""

    mark: int
    at: float


class _Entry(NamedTuple):
    stored: StoredSession
    expires_at: float
    read_at: float


class SessionCache:
    """Each event looks at its session several times. The cache saves all but the first reading.

    **The mark.** Beside the session file is an empty file `<name>-mark`, whose modification time is
    a random number. A process that has committed a change of a session gives the file another one
    before its call returns. An entry is served only while the mark is the one from before it was
    read: then no change has been completed since. Looking costs one `stat`.

    The times and sizes of SQLite's own files cannot do this. SQLite writes to its log before it
    shows the commit to readers, so a process that reads in between sees the new time and the old
    session, and nothing differs afterwards. They also differ after each use of any session.

    **What is left.** Without a new mark, a change is seen within `READ_INTERVAL`. This happens when
    another program changes the file, or when a process dies between its commit and its mark. For
    this an entry is read again after that time, unless SQLite says that no other process has
    committed anything (`confirm`).

    `clock` gives epoch seconds, `monotonic` seconds from any beginning. `session_file` is None for
    a database in memory, which has no other process.
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
        self._mark = 0  # that of the entries
        self._entries: dict[str, _Entry] = {}
        self._data_version = -1
        self._same_since = float("inf")  # seconds: when this data version was first seen
        self._same_until = float("-inf")

    def get(self, key: str) -> StoredSession | None:
        """The session, if it is known to be as in the file and has not expired."""
        entry = self._entries.get(key) if self._look_at_mark() else None
        if entry is None:
            return None
        is_same = entry.read_at >= self._same_since
        current_at = max(entry.read_at, self._same_until) if is_same else entry.read_at
        if self._monotonic() - current_at >= READ_INTERVAL:
            return None
        return entry.stored if self._clock() < entry.expires_at else None

    def look(self) -> Look | None:
        """To be taken before the file is read; None if nothing of that reading can be kept."""
        at = self._monotonic()
        if not self._look_at_mark():
            with suppress(OSError):
                self._change_mark()  # there is none yet
        return Look(self._mark, at) if self._look_at_mark() else None

    def put(self, key: str, stored: StoredSession, expires_at: float, look: Look | None) -> None:
        """Keep what was read after `look`, unless a session has been changed since."""
        if look is None or look.mark != self._mark:
            return
        if key not in self._entries and len(self._entries) >= MOST:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = _Entry(stored, expires_at, look.at)

    def confirm(self, data_version: int, looked_at: float) -> None:
        """SQLite's `PRAGMA data_version`, and the seconds of the monotonic clock before it was
        read. It is another one when another connection has committed something."""
        if data_version != self._data_version:
            self._data_version, self._same_since = data_version, looked_at
        self._same_until = looked_at

    def drop(self, key: str) -> None:
        """Read this session again the next time."""
        self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    async def drop_everywhere(self) -> None:
        """Let every process read again what it asks for from now on."""
        self._entries.clear()
        try:
            self._change_mark()
        except OSError:
            await asyncio.sleep(READ_INTERVAL)  # by then every entry is too old to be served

    def _change_mark(self) -> None:
        # Random, since two changes within one tick of the file system's clock would look the same;
        # the seconds, too, since some file systems store no fractions of them.
        mark = secrets.randbelow(2**31 * 10**9)
        if self._path is None:
            self._mark = mark
            return
        os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))
        os.utime(self._path, ns=(mark, mark))

    def _look_at_mark(self) -> bool:
        """Drop the entries if the mark is another one; False if it cannot be read."""
        if self._path is None:
            return True
        try:
            mark = os.stat(self._path).st_mtime_ns  # a third of what Path.stat takes
        except OSError:
            return False
        if mark != self._mark:
            self._entries.clear()
            self._mark = mark
        return True
