"""Reading together: fewer readings, and nobody is given what was true before they asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from app.auth.session.batch import Batch


class Table:
    """Rows that can be read while a gate is open; `readings` are the keys of each reading."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.readings: list[set[str]] = []
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def read(self, keys: Sequence[str]) -> dict[str, int]:
        """What the rows are at the beginning of the reading."""
        self.readings.append(set(keys))
        found = {key: self.rows[key] for key in keys if key in self.rows}
        self.begun.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return found


async def test_together() -> None:
    """Whoever asks while a reading is under way shares the next one; a missing row is None."""
    table = Table()
    table.rows = {"a": 1, "b": 2}
    batch = Batch(table.read)
    first = asyncio.create_task(batch.get("a"))
    await table.begun.wait()
    others = [asyncio.create_task(batch.get(key)) for key in ("a", "b", "b", "c")]
    await asyncio.sleep(0)
    table.rows["a"] = 10
    table.gate.set()
    assert await first == 1
    assert await asyncio.gather(*others) == [10, 2, 2, None]
    assert table.readings == [{"a"}, {"a", "b", "c"}]


async def test_failure() -> None:
    """A reading that fails fails for those who waited for it, and for nobody after them."""
    table = Table()
    table.error, table.rows = OSError("away"), {"a": 1}
    table.gate.set()
    batch = Batch(table.read)
    results = await asyncio.gather(batch.get("a"), batch.get("b"), return_exceptions=True)
    assert [type(result) for result in results] == [OSError, OSError]
    table.error = None
    assert await batch.get("a") == 1


async def test_one_who_leaves() -> None:
    """Somebody who stops waiting takes nothing from the others."""
    table = Table()
    table.rows = {"a": 1}
    batch = Batch(table.read)
    leaver, stayer = (asyncio.create_task(batch.get("a")) for _ in range(2))
    await table.begun.wait()
    leaver.cancel()
    table.gate.set()
    assert await stayer == 1
    with pytest.raises(asyncio.CancelledError):
        await leaver
