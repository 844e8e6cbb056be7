"""Sessions read from the SQLite file, kept in this process until any process changes them."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from .store import StoredSession

MOST = 2000  # sessions; then the one that was cached first is dropped
READ_INTERVAL = 2.0  # seconds after which a session is read again even if no change was noted
LONGEST_FILE = 2**20  # bytes of noted changes; then the file is emptied


_seek: Callable[[int, int, int], int] = os.lseek
if os.name == "posix" and sys.maxsize > 2**32:
    # `os.lseek` releases the GIL. With a server that has threads of its own, getting it back takes
    # some 20 microseconds, a twentieth of an event. This call keeps the GIL, and never blocks.
    _seek = ctypes.PyDLL(None).lseek
    _seek.argtypes = (ctypes.c_int, ctypes.c_longlong, ctypes.c_int)
    _seek.restype = ctypes.c_longlong


class Look(NamedTuple):
    """What had changed before a session is read, and the monotonic time (seconds)."""

    changes: int
    at: float


class _Entry(NamedTuple):
    stored: StoredSession
    expires_at: float
    read_at: float


class SessionCache:
    """Caches sessions: each event reads its session several times.

    **Noted changes.** Beside the session file is `<name>-changes`. A process that has committed a
    change of a session appends the session's key, a line, before its call returns. An entry is
    valid only while the file is as long as this process has read it: then no change has been
    completed since. The check costs one `lseek`.

    The times and sizes of SQLite's own files do not work. SQLite writes to its log before it shows
    the commit to readers, so a process that reads in between sees the new time and the old session,
    and nothing differs afterwards. They also change with each use of any session.

    **Changes that are not noted.** Another program may change the session file, a process may die
    between its commit and its note, or someone may remove the list. Such a change is seen within
    `READ_INTERVAL`: after that time, an entry is read again, unless SQLite says that no other
    process has committed anything (`confirm`).

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
        # Links to one session file share one list.
        self._path = f"{os.path.realpath(session_file)}-changes" if session_file else None
        self._clock = clock
        self._monotonic = monotonic
        self._file = -1  # the open descriptor
        self._read_to = 0  # bytes of the file
        self._changes = 0  # how many have been seen
        self._entries: dict[str, _Entry] = {}
        self._data_version = -1
        self._same_since = float("inf")  # seconds: when this data version was first seen
        self._same_until = float("-inf")

    def get(self, key: str) -> StoredSession | None:
        """Return the session if the entry is current and has not expired."""
        entry = self._entries.get(key) if self._read_changes() else None
        if entry is None:
            return None
        is_same = entry.read_at >= self._same_since
        current_at = max(entry.read_at, self._same_until) if is_same else entry.read_at
        if self._monotonic() - current_at >= READ_INTERVAL:
            return None
        return entry.stored if self._clock() < entry.expires_at else None

    def look(self) -> Look | None:
        """Look for changes, before the session file is read. None if that is impossible."""
        at = self._monotonic()
        if self._path is not None and not self._is_usable():
            with suppress(OSError):
                self._open()
        return Look(self._changes, at) if self._read_changes() else None

    def put(self, key: str, stored: StoredSession, expires_at: float, look: Look | None) -> None:
        """Cache a session that was read after `look`, unless a session has changed since."""
        if look is None or look.changes != self._changes:
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
        if self._file >= 0 and not self._is_usable():
            self.close()  # until the next `look`
        self._read_changes()  # at least once between two times that the list is emptied

    def drop(self, key: str) -> None:
        """Forget a session, so that it is read again."""
        self._changes += 1
        self._entries.pop(key, None)

    def close(self) -> None:
        """Forget everything."""
        self._forget_all()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    async def drop_everywhere(self, key: str) -> None:
        """Make every process read the session again from now on."""
        self.drop(key)
        if self._path is None:
            return
        try:
            self._note(key)
        except OSError:
            await asyncio.sleep(READ_INTERVAL)  # by then, every entry is too old

    def _note(self, key: str) -> None:
        if not self._is_usable():
            self._open()
        # The first newline ends what a full disk may have left of another note.
        line = f"\n{key}\n".encode()
        if os.write(self._file, line) < len(line):
            raise OSError("The file of changes is not complete.")
        end = _seek(self._file, 0, os.SEEK_CUR)
        if end // LONGEST_FILE > (end - len(line)) // LONGEST_FILE:
            # Every process then forgets all of its entries. Only the one whose line crosses the
            # limit does it: a second one could take away what has been noted since.
            os.ftruncate(self._file, 0)

    def _open(self) -> None:
        self.close()
        if self._path is not None:
            self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            self._read_to = os.fstat(self._file).st_size

    def _is_usable(self) -> bool:
        """Whether the file is open, and still the one that other processes open."""
        try:
            return self._file >= 0 and os.fstat(self._file).st_nlink > 0
        except OSError:  # something has closed the descriptor
            self._file = -1
            return False

    def _read_changes(self) -> bool:
        """Drop the sessions that have changed. False if the list is not open."""
        if self._file < 0:
            return self._path is None
        size = _seek(self._file, 0, os.SEEK_END)
        if size == self._read_to:
            return True
        if size < 0:  # the descriptor is no longer this cache's
            self._file = -1
            self._forget_all()
            return False
        changes = os.pread(self._file, max(0, size - self._read_to), self._read_to)
        if len(changes) < size - self._read_to or size < self._read_to:  # it was emptied
            self._forget_all()
            self._read_to = size
        else:
            complete, newline, _ = changes.rpartition(b"\n")
            self._read_to += len(complete + newline)
            for key in complete.decode(errors="replace").split():
                self.drop(key)
        return True

    def _forget_all(self) -> None:
        self._changes += 1
        self._entries.clear()
