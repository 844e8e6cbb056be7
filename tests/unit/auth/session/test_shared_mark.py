"""The mark beside a session file."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.auth.session import Sealer, SQLiteSessionStore

from ..conftest import LIFETIMES, SECRET, Clock, session


@pytest.mark.parametrize("size", [0, 3])
async def test_short_mark(file: Path, clock: Clock, size: int) -> None:
    """A mark that was not written to its end is written again."""
    file.parent.mkdir()
    mark = file.with_name(f"{file.name}-mark")
    mark.write_bytes(b"x" * size)
    store = SQLiteSessionStore(file, Sealer((SECRET,)), lifetimes=LIFETIMES, clock=clock)
    await store.create("ref", session(clock))
    assert await store.load("ref") is await store.load("ref")
    assert mark.stat().st_size == 8
    await store.close()
