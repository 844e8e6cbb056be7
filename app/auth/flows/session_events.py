"""Session events, published to every process that may have tabs of the session open."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum

from ..errors import StoreUnavailable
from ..session import Session, SessionStore

logger = logging.getLogger(__name__)

PAUSE = 0.5  # seconds after a failure of the store before listening again


class SessionEventKind(StrEnum):
    """What can happen to a session, or to a browser."""

    ENDED = "ended"  # its user is signed out
    REPLACED = "replaced"  # by another user's login in the same browser
    RENEWED = "renewed"  # by the same user's login in the same browser: a step-up, or more scopes
    CHANGED = "changed"  # something about its user has changed
    CLAIMS_CHANGED = "claims_changed"  # what the session says about its user has changed
    TOKENS_RENEWED = "tokens_renewed"  # a request has renewed one of its access tokens
    SIGNED_IN = "signed_in"  # in this browser, which had no session before


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """`subject` is the hash of the session's id; for `SIGNED_IN` with that of the browser's before
    it, and a dot between them."""

    kind: SessionEventKind
    subject: str


class SessionEndReason(StrEnum):
    """Why a session ended before it expired, as stable codes."""

    LOGOUT = "user"  # the user logged out here
    OTHER_DEVICE = "other_device"  # the user ended it from another session
    BACKCHANNEL = "backchannel"  # the provider said so (Back-Channel Logout 1.0)
    HOOK = "hook"  # a hook of the app refused it, or failed
    REFUSED = "invalid_grant"  # the provider refused its refresh token (RFC 6749 section 5.2)


OnSessionEnd = Callable[[str, Session, SessionEndReason], Awaitable[None]]
"""Called with the session id hash of a deleted session, the session, and the reason."""


class SessionEvents:
    """Handles events in this process, and publishes them to the others that share the store.

    `look_again` is called after an interruption of the store, when events may have been missed.
    """

    def __init__(
        self,
        store: SessionStore,
        *,
        handle: Callable[[SessionEvent], Awaitable[None]],
        look_again: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._handle = handle
        self._look_again = look_again
        self._origin = secrets.token_hex(8)

    async def publish(self, kind: SessionEventKind, subject: str) -> None:
        """Handle an event here, and publish it to the other processes. If the store fails, they
        notice at the next event of a tab, which checks the session."""
        try:
            await self._handle(SessionEvent(kind, subject))
        finally:
            await self._tell_others(f"{kind} {subject}")

    async def listen(self) -> None:
        """Handle what other processes publish; runs until it is cancelled."""
        has_missed_some = False
        while True:
            try:
                async with aclosing(self._store.listen()) as heard:
                    async for text in heard:
                        if text:
                            await self._hear(text)
                        elif has_missed_some:  # an empty text: from now on none is missed
                            await self._look_again()
            except StoreUnavailable as error:
                if not has_missed_some:
                    logger.warning("Not listening for session events: %s", error)
            except Exception:  # whatever fails must not end the subscription
                logger.exception("Listening for session events failed; it begins again.")
            has_missed_some = True
            await asyncio.sleep(PAUSE)

    async def _tell_others(self, event: str) -> None:
        try:
            await self._store.publish(f"{self._origin} {event}")
        except StoreUnavailable as error:
            logger.warning("A session event was not published: %s", error.code)

    async def _hear(self, text: str) -> None:
        origin, _, rest = text.partition(" ")
        kind, _, subject = rest.partition(" ")
        # `publish` has handled this process's own; another version may send other kinds.
        if origin == self._origin or kind not in set(SessionEventKind):
            return
        try:
            await self._handle(SessionEvent(SessionEventKind(kind), subject))
        except Exception:  # one event that fails must not end the subscription
            logger.exception("A session event could not be handled.")
