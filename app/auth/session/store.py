"""What a session store promises, whatever it is made of."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from .models import Session, Transaction


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds: without use, from login on, and of an open login attempt."""

    idle: float = 3 * 24 * 3600.0
    absolute: float = 30 * 24 * 3600.0
    transaction: float = 600.0


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as loaded; `version` grows with each change, times are epoch seconds."""

    session: Session
    version: int
    last_seen_at: float


class SessionStore(Protocol):
    """Keys are references (`handle.reference`), never handles; values are sealed.

    Every method raises `StoreUnavailable` when the store cannot be reached. That ends no session.
    """

    async def create(self, ref: str, session: Session, *, replaces: str | None = None) -> None:
        """Store a new session as version 1. It takes the place of `replaces`, if that is given, in
        one step: at no moment are there both, or neither."""

    def cached(self, ref: str) -> StoredSession | None:
        """What `load` would return now, where that is known without waiting; None says nothing."""

    async def load(self, ref: str) -> StoredSession | None:
        """The session, or None if it is unknown, expired, or cannot be opened."""

    async def touch(self, ref: str) -> None:
        """Note that the session was used now."""

    async def compare_and_swap(
        self, ref: str, version: int, session: Session, *, fence: int | None = None
    ) -> bool:
        """Replace the session if it still is at `version` and no newer `fence` was handed out."""

    async def delete(self, ref: str) -> bool:
        """End the session; False if there was none."""

    async def find(
        self, *, sub: str | None = None, sid: str | None = None
    ) -> dict[str, StoredSession]:
        """The sessions of a user (`sub`), or of a session at the provider (`sid`), by reference."""

    async def put_transaction(self, key: str, transaction: Transaction) -> None:
        """Remember a login attempt."""

    async def take_transaction(self, key: str) -> Transaction | None:
        """Take a login attempt out, exactly once; None if it is unknown, taken, or expired."""

    async def mark_used(self, key: str, until: float) -> None:
        """Remember a name (a hash of what must not be used twice) until then, epoch seconds."""

    async def is_used(self, key: str) -> bool:
        """Whether it is remembered still."""

    async def acquire_lease(self, ref: str, ttl: float) -> int | None:
        """The right to refresh this session for `ttl` seconds: a fence number that only grows, or
        None while somebody else has it."""

    async def renew_lease(self, ref: str, fence: int, ttl: float) -> bool:
        """Keep the right for another `ttl` seconds from now; False if it was lost meanwhile."""

    async def release_lease(self, ref: str, fence: int) -> None:
        """Give the right back, if it is still ours."""

    async def publish(self, news: str) -> None:
        """Tell every process that listens, this one included; nothing is kept for later."""

    def listen(self) -> AsyncGenerator[str]:
        """An empty text, from which on nothing is missed; then what is published, until the store
        fails (`StoreUnavailable`)."""

    async def purge(self) -> dict[str, Session | None]:
        """Free what has expired. The sessions that have, by reference, each told to one process and
        once; None for one of which only the reference is left."""

    async def ping(self) -> None:
        """Return if the store can be read."""

    async def close(self) -> None:
        """Let go of files and connections."""
