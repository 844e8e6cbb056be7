"""Work that goes on beside the requests, and ends with the app."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


class Background:
    """Holds its tasks, so that none is collected while it works."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Begin; an exception is reported by the event loop, as that of any task."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cancel whatever still runs, and wait until it has ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
