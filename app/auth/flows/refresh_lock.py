"""The right to redeem a session's refresh tokens: one caller at a time, in all processes."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from ..errors import ProviderUnavailable, StoreUnavailable
from ..session import SessionStore

logger = logging.getLogger(__name__)

LEASE = 5.0  # seconds; so long others wait at most for a holder that was killed
PATIENCE = 20.0  # seconds that others wait for a holder that lives
_RENEWAL = LEASE / 3
_POLL = 0.05  # seconds between two looks at a session that another process has leased


class LeaseTakenError(Exception):
    """Somebody holds the lease, and the caller did not want to wait."""


class Leases:
    """A lock in the process and a fenced lease between processes, renewed while it is held.

    Rotation makes a refresh token single-use. Whoever waited looks at the session again first, and
    finds what the holder left there.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, ref: str, *, wait: bool = True) -> AsyncIterator[int]:
        """Hold the lease; the value is its fence number for `compare_and_swap`.

        Raises:
            LeaseTakenError: somebody has it, and `wait` is false.
            ProviderUnavailable: another process has kept it for too long.
            StoreUnavailable.
        """
        lock = self._locks.setdefault(ref, asyncio.Lock())
        if lock.locked() and not wait:
            raise LeaseTakenError
        async with lock:
            fence = await self._acquire(ref, wait=wait)
            keeper = asyncio.create_task(self._keep(ref, fence))
            try:
                yield fence
            finally:
                keeper.cancel()
                with suppress(StoreUnavailable):  # it lapses by itself
                    await self._store.release_lease(ref, fence)

    async def _acquire(self, ref: str, *, wait: bool) -> int:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while (fence := await self._store.acquire_lease(ref, LEASE)) is None:
            if not wait:
                raise LeaseTakenError
            if asyncio.get_running_loop().time() > deadline:
                raise ProviderUnavailable("Another process is still refreshing this session.")
            await asyncio.sleep(_POLL)
        return fence

    async def _keep(self, ref: str, fence: int) -> None:
        """Until it is lost: what its holder then writes is refused by its fence number."""
        is_ours = True
        while is_ours:
            await asyncio.sleep(_RENEWAL)
            try:
                is_ours = await self._store.renew_lease(ref, fence, LEASE)
            except StoreUnavailable as error:
                logger.warning("A lease was not renewed: %s", error.code)
