"""Sessions that were read a moment ago, served again while nothing in the file has changed."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from .store import StoredSession

MOST = 2000  # sessions; more than are at work between two writes


class RememberedRows:
    """An event looks at its session several times. This saves all but the first reading.

    Nothing that has been changed meanwhile is served, whichever process changed it: SQLite counts
    the commits of every other connection to the file (`PRAGMA data_version`), and asking for that
    number takes microseconds and no other thread. It is asked once in each turn of the event loop:
    whatever waits for a commit goes on in a later one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._at: int | None = None
        self._has_asked = False
        self._sessions: dict[str, StoredSession] = {}

    def version(self) -> int | None:
        """A number that is another one after every commit; None while it cannot be had."""
        if self._has_asked:
            return self._at
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    f"file:{self._path}?mode=ro", uri=True, timeout=0, isolation_level=None
                )
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return None
        if version != self._at:
            self._sessions.clear()
            self._at = version
        self._has_asked = True
        asyncio.get_running_loop().call_soon(self._ask_again)
        return self._at

    def get(self, ref: str) -> StoredSession | None:
        """What was read since the last commit; ask for the `version` first."""
        return self._sessions.get(ref)

    def put(self, ref: str, stored: StoredSession, version: int) -> None:
        """Remember what was read after `version` had been asked for."""
        if version == self._at and len(self._sessions) < MOST:
            self._sessions[ref] = stored

    def _ask_again(self) -> None:
        self._has_asked = False

    def close(self) -> None:
        """Forget everything."""
        self._sessions.clear()
        self._at, self._has_asked = None, False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
