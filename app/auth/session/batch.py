"""Reading together what is asked for at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

Row = TypeVar("Row")

MOST = 500  # keys of one reading


class Batch(Generic[Row]):
    """Asks `read` for many keys at once: those that came up while the last reading was under way.

    A key that comes up during a reading waits for the next one, so that nobody is given what was
    true before they asked.
    """

    def __init__(self, read: Callable[[Sequence[str]], Awaitable[Mapping[str, Row]]]) -> None:
        self._read = read
        self._waiting: dict[str, asyncio.Future[Row | None]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def get(self, key: str) -> Row | None:
        """The row of a key, or None; raises what `read` raises."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_on())
        return await asyncio.shield(future)  # others may wait for it, too

    async def _read_on(self) -> None:
        while self._waiting:
            keys = list(self._waiting)[:MOST]
            futures = {key: self._waiting.pop(key) for key in keys}
            try:
                rows = await self._read(keys)
            except Exception as error:
                for future in futures.values():
                    future.set_exception(error)
                    future.exception()  # whoever asked may have gone
            else:
                for key, future in futures.items():
                    future.set_result(rows.get(key))
        self._reading = None
