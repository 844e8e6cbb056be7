"""What happens to a session, told to every process that may have tabs of it open."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from enum import StrEnum

from ..errors import StoreUnavailable
from ..session import SessionStore

logger = logging.getLogger(__name__)

PAUSE = 0.5  # seconds before listening again to a store that failed


class News(StrEnum):
    """What can happen to a session."""

    ENDED = "ended"  # its tabs are nobody's from now on
    REPLACED = "replaced"  # another login in the same browser: its tabs have another cookie now
    CHANGED = "changed"  # something about its user is not as it was


class Announcements:
    """Handles news here at once, and lets the other processes that share the store handle them.

    `handle` is called with the news and the session's reference. `look_again` is called when news
    may have been missed, because the store could not be listened to for a while.
    """

    def __init__(
        self,
        store: SessionStore,
        *,
        handle: Callable[[News, str], Awaitable[None]],
        look_again: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._handle = handle
        self._look_again = look_again
        self._origin = secrets.token_hex(8)

    async def tell(self, news: News, ref: str) -> None:
        """Handle it here, then tell the others; they do not miss it for good if that fails."""
        await self._handle(news, ref)
        try:
            await self._store.publish(f"{self._origin} {news} {ref}")
        except StoreUnavailable as error:
            logger.warning("Other processes were not told that a session %s: %s", news, error.code)

    async def listen(self) -> None:
        """Handle what other processes tell; runs until it is cancelled."""
        has_missed_some = False
        while True:
            try:
                async with aclosing(self._store.listen()) as heard:
                    async for text in heard:
                        if text:
                            await self._hear(text)
                        elif has_missed_some:
                            await self._look_again()
            except StoreUnavailable as error:
                if not has_missed_some:
                    logger.warning("Not listening for news of sessions: %s", error)
            has_missed_some = True
            await asyncio.sleep(PAUSE)

    async def _hear(self, text: str) -> None:
        origin, _, rest = text.partition(" ")
        kind, _, ref = rest.partition(" ")
        if origin == self._origin or kind not in set(News):
            return
        try:
            await self._handle(News(kind), ref)
        except Exception:  # one that cannot be handled must not keep the next from being heard
            logger.exception("News of a session could not be handled.")
