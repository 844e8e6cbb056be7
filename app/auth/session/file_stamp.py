"""Whether anybody has written to the session file, for the price of two `stat`s.

They open nothing: to close a file that SQLite has open would drop SQLite's locks on it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

SETTLED = 0.1  # seconds; file systems note the time of a write in steps of some milliseconds

Stamp = tuple[tuple[int, int, int], ...]  # inode, size in bytes, nanoseconds of the last write


class FileStamp:
    """Of a file and of its write-ahead log. `clock` gives epoch seconds."""

    def __init__(self, session_file: Path, *, clock: Callable[[], float]) -> None:
        self._paths = str(session_file), f"{session_file}-wal"
        self._clock = clock

    def read(self) -> Stamp | None:
        """What it is now; None so soon after a write that another one might not show.

        Raises `OSError` when the files cannot be looked at.
        """
        stamp = tuple(map(_stamp_of, self._paths))
        written_at = max(written for *_, written in stamp) / 1e9
        return stamp if self._clock() - written_at > SETTLED else None


def _stamp_of(path: str) -> tuple[int, int, int]:
    try:
        found = os.stat(path)  # a third of what Path.stat takes
    except FileNotFoundError:
        return 0, 0, 0
    return found.st_ino, found.st_size, found.st_mtime_ns
