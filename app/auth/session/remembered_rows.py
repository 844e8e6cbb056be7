"""Sessions that were read before, served again while nobody has changed them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .file_stamp import FileStamp, Stamp
from .shared_mark import SIZE, SharedMark
from .store import StoredSession

MOST = 2000  # sessions; of more, the one that was read first is forgotten
MOST_ABSENT = 200  # references; likewise
LOOK_INTERVAL = 0.2  # seconds after which the file is looked at even if nobody says that it changed
READ_INTERVAL = 2.0  # seconds after which it is read even if it looks the same
NEVER = -1  # no change has this number


class Look(NamedTuple):
    """The mark, the stamp, and seconds of a monotonic clock, before the file was read."""

    mark: bytes
    stamp: Stamp | None
    read_at: float
    looked_at: float


_NEVER_LOOKED = Look(b"", None, float("-inf"), float("-inf"))


class RememberedRows:
    """An event looks at its session several times. This saves all but the first reading.

    Nothing that has been changed meanwhile is served, whichever process changed it: whoever has
    changed a session changes the `SharedMark` before saying that it is done, and the file is read
    then. Every `LOOK_INTERVAL` it is read for the sake of those who write to it without this layer
    or died before they could say so, if its `FileStamp` shows that anybody has written to it. It
    shows a commit that takes its time to reach the disk too early: hence the `READ_INTERVAL`.

    With the rows comes which sessions were changed since the last reading (`schema`), and those are
    forgotten.
    """

    def __init__(
        self, mark: SharedMark, stamp: FileStamp, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._mark = mark
        self._stamp = stamp
        self._monotonic = monotonic
        self._seen = _NEVER_LOOKED
        self.last_change = NEVER
        """The number of the newest change that is accounted for."""
        self.sessions: dict[str, tuple[StoredSession, float]] = {}
        """What was read, by reference, and until when it is good (epoch seconds); to be served
        only while it `is_current`."""
        self.absent: dict[str, None] = {}
        """References of no session; the same holds for them. Apart, so that made-up ones push none
        of `sessions` out."""

    def is_current(self) -> bool:
        """Whether `sessions` may be served without reading the file."""
        try:
            memory = self._mark.memory
            if (memory[:SIZE] if memory else self._mark.read()) != self._seen.mark:
                return False
            now = self._monotonic()
            return now - self._seen.looked_at < LOOK_INTERVAL or self._looks_the_same(now)
        except OSError:
            return False

    def _looks_the_same(self, now: float) -> bool:
        _, stamp, read_at, _ = self._seen
        if stamp is None or now - read_at >= READ_INTERVAL or self._stamp.read() != stamp:
            return False
        self._seen = self._seen._replace(looked_at=now)
        return True

    def look(self) -> Look | None:
        """To be taken before the file is read; None when nothing may be remembered of it."""
        try:
            now = self._monotonic()
            return Look(self._mark.read(), self._stamp.read(), now, now)
        except OSError:
            return None

    def saw(self, look: Look, changes: Sequence[tuple[int, str]]) -> None:
        """Take in a reading: the number and the reference of each change, in order, from
        `last_change` on. If that one is no longer among them, others may be missing, too."""
        if changes and changes[0][0] == self.last_change:
            for _, ref in changes[1:]:
                self.sessions.pop(ref, None)
                self.absent.pop(ref, None)
        else:
            self.sessions.clear()
            self.absent.clear()
        self.last_change = changes[-1][0] if changes else NEVER
        self._seen = look

    def put(self, ref: str, stored: StoredSession, until: float) -> None:
        """Remember what came with the reading that was taken in last."""
        _make_room(self.sessions, ref, MOST)
        self.sessions[ref] = stored, until

    def put_absent(self, ref: str) -> None:
        """Remember that there was none."""
        _make_room(self.absent, ref, MOST_ABSENT)
        self.absent[ref] = None

    def close(self) -> None:
        """Forget everything."""
        self.sessions.clear()
        self.absent.clear()
        self._seen, self.last_change = _NEVER_LOOKED, NEVER
        self._mark.close()


def _make_room(remembered: dict[str, Any], ref: str, most: int) -> None:
    if ref not in remembered and len(remembered) >= most:
        del remembered[next(iter(remembered))]
