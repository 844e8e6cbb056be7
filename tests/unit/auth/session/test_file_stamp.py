"""What tells that nobody has written to a file, and says nothing rather than something wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.auth.session.file_stamp import SETTLED, FileStamp

from ..conftest import Clock


@pytest.fixture
def written(tmp_path: Path, clock: Clock) -> Path:
    """A file and its log, written just now."""
    path = tmp_path / "sessions.sqlite3"
    for part in (path, log_of(path)):
        part.write_bytes(b"12345678")
        os.utime(part, (clock.now, clock.now))
    return path


def log_of(path: Path) -> Path:
    """The write-ahead log of a file."""
    return path.with_name(f"{path.name}-wal")


def test_same(written: Path, clock: Clock) -> None:
    """While nobody writes the stamp stays the same, a log that is not there included."""
    log_of(written).unlink()
    clock.now += 2 * SETTLED
    stamp = FileStamp(written, clock=clock)
    assert stamp.read() is not None
    assert stamp.read() == stamp.read()


def test_fresh(written: Path, clock: Clock) -> None:
    """So soon after a write that another one might bear the same time there is no stamp."""
    os.utime(written, (clock.now - 9, clock.now - 9))
    assert FileStamp(written, clock=clock).read() is None


@pytest.mark.parametrize("part", [Path, log_of])
@pytest.mark.parametrize("change", ["time", "size", "another file"])
def test_changed(written: Path, clock: Clock, part: type[Path], change: str) -> None:
    """A write to the file or to its log, or another one in its place, makes another stamp."""
    path, begun_at = part(written), clock.now
    clock.now += 10
    stamp = FileStamp(written, clock=clock)
    before = stamp.read()
    if change == "another file":
        path.rename(f"{path}-before")
    path.write_bytes(b"123456789" if change == "size" else b"87654321")
    written_at = begun_at + 1 if change == "time" else begun_at
    os.utime(path, (written_at, written_at))
    after = stamp.read()
    assert before is not None
    assert after is not None
    assert after != before


def test_unreadable(written: Path, clock: Clock) -> None:
    """What cannot be looked at is an error, and not a file that is the same."""
    with pytest.raises(NotADirectoryError):
        FileStamp(written / "inside", clock=clock).read()
