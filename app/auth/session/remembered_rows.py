"""Sessions that were read a moment ago, served again while nobody has changed one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from .shared_mark import SharedMark
from .store import StoredSession

MOST = 2000  # sessions; more than are at work between two changes
LOOK_INTERVAL = 0.2  # seconds after which the file is read even if nobody says that it changed


class Look(NamedTuple):
    """The mark, and seconds of a monotonic clock, before the file was read."""

    mark: bytes
    at: float


class RememberedRows:
    """An event looks at its session several times. This saves all but the first reading.

    Nothing that has been changed meanwhile is served, whichever process changed it: whoever has
    changed a session changes the `SharedMark` before saying that it is done. The file itself is
    read then, and every `LOOK_INTERVAL`, for the sake of those who write to it without this layer
    or died before they could say so. With each row comes the number of changes that there have
    been (`schema`); what was read under another number is forgotten.
    """

    def __init__(
        self, mark: SharedMark, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._mark = mark
        self._monotonic = monotonic
        self._seen = Look(b"", float("-inf"))
        self._changes = -1
        self.sessions: dict[str, tuple[StoredSession, float]] = {}
        """What was read since the last change, by reference, and until when it is good (epoch
        seconds); only while it `is_current`."""

    def is_current(self) -> bool:
        """Whether `sessions` may be served without a look at the file."""
        try:
            mark = self._mark.read()
        except OSError:
            return False
        return mark == self._seen.mark and self._monotonic() - self._seen.at < LOOK_INTERVAL

    def look(self) -> Look | None:
        """To be taken before the file is read; None when nothing may be remembered of it."""
        try:
            return Look(self._mark.read(), self._monotonic())
        except OSError:
            return None

    def saw(self, look: Look, changes: int) -> bool:
        """Note how many changes the file had; False if another reading has seen more by now, so
        that what came with this one may be out of date."""
        if changes < self._changes:
            return False
        if changes > self._changes:
            self.sessions.clear()
            self._changes = changes
        self._seen = look
        return True

    def put(self, ref: str, stored: StoredSession, until: float) -> None:
        """Remember what came with the newest number of changes."""
        if len(self.sessions) < MOST:
            self.sessions[ref] = stored, until

    def close(self) -> None:
        """Forget everything."""
        self.sessions.clear()
        self._seen, self._changes = Look(b"", float("-inf")), -1
        self._mark.close()
