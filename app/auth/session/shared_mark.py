"""A mark that every process with the same session file sees change, for the price of a memory read.

SQLite tells of other processes' commits, too, but to ask it takes locks: Python's, which costs an
event more than all else that is done for it here, and the file's, for which it may have to wait.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

SIZE = 8  # bytes; they are random, so that no two writers ever have to agree on the next one


class SharedMark:
    """Eight bytes of memory in a file of its own beside the session file (mode 0600)."""

    def __init__(self, session_file: Path) -> None:
        self._path = session_file.with_name(f"{session_file.name}-mark")
        self.memory: mmap.mmap | None = None  # the same as it is, once it was read

    def read(self) -> bytes:
        """What it is now. Raises `OSError` when there can be none."""
        memory = self.memory or self._open()
        return memory[:SIZE]

    def change(self) -> None:
        """Make it another one, which every process sees by the time that this returns."""
        memory = self.memory or self._open()
        memory[:SIZE] = os.urandom(SIZE)

    def close(self) -> None:
        """Let go of the file."""
        if self.memory is not None:
            self.memory.close()
            self.memory = None

    def _open(self) -> mmap.mmap:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < SIZE:
                os.write(descriptor, os.urandom(SIZE))  # room on the disk, and not a hole
            self.memory = mmap.mmap(descriptor, SIZE)
        except ValueError as error:  # it is shorter even so
            raise OSError(f"{self._path}: {error}") from error
        finally:
            os.close(descriptor)
        return self.memory
