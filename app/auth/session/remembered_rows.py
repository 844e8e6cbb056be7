"""Sessions that were read before, served again while nobody has changed them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .shared_mark import SharedMark
from .store import StoredSession

MOST = 2000  # sessions; of more, the one that was read first is forgotten
LOOK_INTERVAL = 0.2  # seconds after which the file is read even if nobody says that it changed
NEVER = -1  # no change has this number


class Look(NamedTuple):
    """The mark, and seconds of a monotonic clock, before the file was read."""

    mark: bytes
    at: float


class RememberedRows:
    """An event looks at its session several times. This saves all but the first reading.

    Nothing that has been changed meanwhile is served, whichever process changed it: whoever has
    changed a session changes the `SharedMark` before saying that it is done. The file itself is
    read then, and every `LOOK_INTERVAL`, for the sake of those who write to it without this layer
    or died before they could say so. With the rows comes which sessions were changed since the
    last reading (`schema`), and those are forgotten.
    """

    def __init__(
        self, mark: SharedMark, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._mark = mark
        self._monotonic = monotonic
        self._seen = Look(b"", float("-inf"))
        self.last_change = NEVER
        """The number of the newest change that is accounted for."""
        self.sessions: dict[str, tuple[StoredSession, float]] = {}
        """What was read, by reference, and until when it is good (epoch seconds); to be served
        only while it `is_current`."""

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

    def saw(self, look: Look, changes: Sequence[tuple[int, str]]) -> None:
        """Take in a reading: the number and the reference of each change, in order, from
        `last_change` on. If that one is no longer among them, others may be missing, too."""
        if changes and changes[0][0] == self.last_change:
            for _, ref in changes[1:]:
                self.sessions.pop(ref, None)
        else:
            self.sessions.clear()
        self.last_change = changes[-1][0] if changes else NEVER
        self._seen = look

    def put(self, ref: str, stored: StoredSession, until: float) -> None:
        """Remember what came with the reading that was taken in last."""
        if ref not in self.sessions and len(self.sessions) >= MOST:
            del self.sessions[next(iter(self.sessions))]
        self.sessions[ref] = stored, until

    def close(self) -> None:
        """Forget everything."""
        self.sessions.clear()
        self._seen, self.last_change = Look(b"", float("-inf")), NEVER
        self._mark.close()
