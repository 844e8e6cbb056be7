"""The interface of a session store, and what every store promises."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from .models import Session, Transaction


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """In seconds. A session ends `idle` after its last use and `absolute` after its login; a
    transaction (a login that has not come back yet) ends after `transaction`."""

    idle: float = 3 * 24 * 3600.0
    absolute: float = 30 * 24 * 3600.0
    transaction: float = 600.0


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as loaded. `version` starts at 1 and grows with each change; `last_seen_at` is in
    epoch seconds."""

    session: Session
    version: int
    last_seen_at: float


class SessionStore(Protocol):
    """Several processes may use one store. Times are epoch seconds.

    A session's key is `session_id_hash` (`hash_session_id`, 64 hexadecimal digits); the store never
    sees a session id. Values are encrypted (`Sealer`). Once a method that changes a session has
    returned, no process gets the earlier state from `cached` or from a `load` that begins then.

    Every method but `cached` raises `StoreUnavailable` when the store cannot be used now. This ends
    no session; the call may be repeated.
    """

    async def create(
        self, session_id_hash: str, session: Session, *, replaces: str | None = None
    ) -> None:
        """Store a new session as version 1. The session whose key is `replaces`, if given, is
        deleted in the same step: no reader sees both, or neither."""

    def cached(self, session_id_hash: str) -> StoredSession | None:
        """What `load` would return, if this process knows that without waiting; a few microseconds.
        None says nothing: call `load`."""

    async def load(self, session_id_hash: str) -> StoredSession | None:
        """The session; None if it is unknown, expired, or cannot be decrypted."""

    async def touch(self, session_id_hash: str) -> None:
        """Set `last_seen_at` to now. Nothing happens if there is no such session."""

    async def compare_and_swap(
        self, session_id_hash: str, version: int, session: Session, *, fence: int | None = None
    ) -> bool:
        """Replace the session and count its version up.

        False, and no change, if it is no longer at `version`, or if a lease with a greater number
        than `fence` has been given out.
        """

    async def delete(self, session_id_hash: str) -> bool:
        """End the session; False if there was none."""

    async def find(
        self, *, sub: str | None = None, sid: str | None = None
    ) -> dict[str, StoredSession]:
        """A user's sessions (`sub`), or those of one session at the provider (`sid`), by key."""

    async def put_transaction(self, key: str, transaction: Transaction) -> None:
        """Store a transaction."""

    async def take_transaction(self, key: str) -> Transaction | None:
        """Remove a transaction and return it, to one caller only; None if it is unknown, taken, or
        expired."""

    async def mark_used(self, key: str, until: float) -> None:
        """Note, until that time, that `key` (the hash of a single-use token) has been used."""

    async def is_used(self, key: str) -> bool:
        """Whether `key` is marked as used at this time."""

    async def acquire_lease(self, session_id_hash: str, ttl: float) -> int | None:
        """The exclusive right to refresh the session's tokens for `ttl` seconds: its fence number,
        greater than every earlier one; None while another caller holds the lease."""

    async def renew_lease(self, session_id_hash: str, fence: int, ttl: float) -> bool:
        """Extend the lease to `ttl` seconds from now; False if it is no longer held."""

    async def release_lease(self, session_id_hash: str, fence: int) -> None:
        """Give the lease back, if it is still held."""

    async def publish(self, news: str) -> None:
        """Send a text to every process that listens, this one included. It is not kept for later
        listeners."""

    def listen(self) -> AsyncGenerator[str]:
        """Yields an empty text once no later text can be missed, then each published text in order.
        Ends with `StoreUnavailable` when the store fails."""

    async def purge(self) -> dict[str, Session | None]:
        """Free what has expired.

        Returns the expired sessions by key, each to one process and once; None for a session of
        which only the key is left.
        """

    async def ping(self) -> None:
        """Return if the store can be read."""

    async def close(self) -> None:
        """Close files and connections."""
