"""Sessions that were read a moment ago, served again while nothing in the file has changed."""

from __future__ import annotations

import mmap
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from .shared_mark import SIZE, SharedMark
from .store import StoredSession

MOST = 2000  # sessions; more than are at work between two writes
LOOK_INTERVAL = 0.2  # seconds after which the file is asked even if nobody says that it changed


class RememberedRows:
    """An event looks at its session several times. This saves all but the first reading.

    Nothing that has been changed meanwhile is served, whichever process changed it: whoever has
    changed a session changes the `SharedMark` before saying that it is done. The file itself is
    asked then, and every `LOOK_INTERVAL`, for the sake of those who write to it without this layer
    or died before they could say so. SQLite counts the commits of every other connection
    (`PRAGMA data_version`); after one, `schema` counts whether it changed a session, or only noted
    that one was used.
    """

    def __init__(
        self, path: Path, mark: SharedMark, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = path
        self._mark = mark
        self._monotonic = monotonic
        self._memory: mmap.mmap | None = None
        self._connection: sqlite3.Connection | None = None
        self._seen_mark = b""
        self._asked_at = float("-inf")
        self._commits: int | None = None
        self._changes: int | None = None
        self.sessions: dict[str, tuple[StoredSession, float]] = {}
        """What was read since the last change, by reference, and until when it is good (epoch
        seconds); ask for the `version` first."""

    def version(self) -> int | None:
        """A number that is another one after every change; None while it cannot be had."""
        now = self._monotonic()
        try:
            if self._memory is None:
                self._memory = self._mark.memory()
            mark = self._memory[:SIZE]  # before asking; what changes later is seen later
            if mark != self._seen_mark or now - self._asked_at >= LOOK_INTERVAL:
                self._look()
                self._seen_mark, self._asked_at = mark, now
        except (sqlite3.Error, OSError):
            return None
        return self._changes

    def _look(self) -> None:
        commits = self._number("PRAGMA data_version")
        if commits == self._commits:
            return
        changes = self._number("SELECT number FROM changes")
        if changes != self._changes:
            self.sessions.clear()
        self._commits, self._changes = commits, changes

    def _number(self, statement: str) -> int:
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"file:{self._path}?mode=ro", uri=True, timeout=0, isolation_level=None
            )
        ((number,),) = self._connection.execute(statement).fetchall()
        return int(number)

    def put(self, ref: str, stored: StoredSession, until: float, version: int) -> None:
        """Remember what was read after `version` had been asked for."""
        if version == self._changes and len(self.sessions) < MOST:
            self.sessions[ref] = stored, until

    def close(self) -> None:
        """Forget everything."""
        self.sessions.clear()
        self._commits = self._changes = None
        self._seen_mark = b""
        self._memory = None
        self._mark.close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
