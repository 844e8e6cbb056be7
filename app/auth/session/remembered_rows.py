"""Sessions that were read a moment ago, served again while nothing in the file has changed."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

from .store import StoredSession

MOST = 2000  # sessions; more than are at work between two writes


class RememberedRows:
    """An event looks at its session several times. This saves all but the first reading.

    Nothing that has been changed meanwhile is served, whichever process changed it. SQLite counts
    the commits of every other connection to the file (`PRAGMA data_version`), which takes
    microseconds to ask for and no other thread; after a commit, `schema` counts whether it changed
    a session, or only noted that one was used. Both are asked for once in each turn of the event
    loop: whatever waits for a commit goes on in a later one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._commits: int | None = None
        self._changes: int | None = None
        self._has_asked = False
        self._sessions: dict[str, StoredSession] = {}

    def version(self) -> int | None:
        """A number that is another one after every change; None while it cannot be had."""
        if self._has_asked:
            return self._changes
        try:
            commits = self._number("PRAGMA data_version")
            if commits != self._commits:
                changes = self._number("SELECT number FROM changes")
                if changes != self._changes:
                    self._sessions.clear()
                self._commits, self._changes = commits, changes
        except sqlite3.Error:
            return None
        self._has_asked = True
        asyncio.get_running_loop().call_soon(self._ask_again)
        return self._changes

    def _number(self, statement: str) -> int:
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"file:{self._path}?mode=ro", uri=True, timeout=0, isolation_level=None
            )
        ((number,),) = self._connection.execute(statement).fetchall()
        return int(number)

    def get(self, ref: str) -> StoredSession | None:
        """What was read since the last commit; ask for the `version` first."""
        return self._sessions.get(ref)

    def put(self, ref: str, stored: StoredSession, version: int) -> None:
        """Remember what was read after `version` had been asked for."""
        if version == self._changes and len(self._sessions) < MOST:
            self._sessions[ref] = stored

    def used(self, ref: str, last_seen_at: float) -> None:
        """Note that a session was used; that is no change."""
        known = self._sessions.get(ref)
        if known is not None:
            self._sessions[ref] = replace(known, last_seen_at=last_seen_at)

    def _ask_again(self) -> None:
        self._has_asked = False

    def close(self) -> None:
        """Forget everything."""
        self._sessions.clear()
        self._commits = self._changes = None
        self._has_asked = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
