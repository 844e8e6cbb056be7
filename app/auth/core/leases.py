"""The right to redeem a session's refresh tokens: one caller at a time, in all processes."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..errors import ProviderUnavailable
from ..session import SessionStore

LEASE = 20.0  # seconds; longer than a grant can take (connect 3 s + read 10 s)
_POLL = 0.05  # seconds between two looks at a session that another process has leased


class Leases:
    """A lock in the process and a fenced lease between processes.

    Rotation makes a refresh token single-use. Whoever waited looks at the session again first, and
    finds what the holder left there.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, ref: str) -> AsyncIterator[int]:
        """Hold the lease; the value is its fence number for `compare_and_swap`.

        Raises:
            ProviderUnavailable: another process kept it for longer than a lease lasts.
            StoreUnavailable.
        """
        lock = self._locks.setdefault(ref, asyncio.Lock())
        async with lock:
            fence = await self._acquire(ref)
            try:
                yield fence
            finally:
                await self._store.release_lease(ref, fence)

    async def _acquire(self, ref: str) -> int:
        deadline = asyncio.get_running_loop().time() + LEASE
        while (fence := await self._store.acquire_lease(ref, LEASE)) is None:
            if asyncio.get_running_loop().time() > deadline:
                raise ProviderUnavailable("Another process is still refreshing this session.")
            await asyncio.sleep(_POLL)
        return fence
