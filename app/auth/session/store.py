"""The interface of a session store, and what every store guarantees."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from ..lifetimes import Lifetimes
from .activity import Activity
from .models import Session, Transaction


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as loaded. `version` starts at 1 and increases with each change; `last_seen_at` is
    in epoch seconds."""

    session: Session
    version: int
    last_seen_at: float

    def ends_at(self, lifetimes: Lifetimes) -> float:
        """When the session ends however much it is used, in epoch seconds."""
        ends_at = self.session.created_at + lifetimes.absolute
        ceiling = self.session.session_expiry
        return ends_at if ceiling is None else min(ends_at, ceiling)

    def expires_at(self, lifetimes: Lifetimes) -> float:
        """When the session ends if it is not used again, in epoch seconds."""
        return min(self.last_seen_at + lifetimes.idle, self.ends_at(lifetimes))


class SessionStore(Protocol):
    """Several processes may use one store. Times are epoch seconds.

    A session's key is `session_id_hash` (`hash_session_id`, 64 hexadecimal digits); the store never
    sees a session id. Values are encrypted (`Sealer`). Once a method that changes a session has
    returned, no process gets the earlier state from `cached` or from a `load` that begins then.

    Every method but `cached` raises `StoreUnavailable` if the store cannot be used now. No session
    ends, and the caller may retry.

    A session ends by `lifetimes`, and at its `session_expiry` at the latest: after that, no method
    returns it.
    """

    @property
    def lifetimes(self) -> Lifetimes:
        """The lifetimes of its sessions."""
        ...

    async def create(
        self, session_id_hash: str, session: Session, *, replaces: str | None = None
    ) -> None:
        """Store a new session as version 1. The session whose key is `replaces`, if given, is
        deleted in the same step: no reader sees both, or neither."""

    def cached(self, session_id_hash: str) -> StoredSession | None:
        """Return what `load` would return if it is cached, within a few microseconds. None means
        unknown: call `load`."""

    async def load(self, session_id_hash: str) -> StoredSession | None:
        """Return the session; None if it is unknown, expired, or cannot be decrypted."""

    async def touch(self, session_id_hash: str) -> None:
        """Set `last_seen_at` to now. Does nothing if there is no such session."""

    async def compare_and_swap(
        self, session_id_hash: str, version: int, session: Session, *, fence: int | None = None
    ) -> bool:
        """Replace the session and increase its version.

        Returns False, without a change, if it is no longer at `version`, or if a lease with a
        greater number than `fence` has been acquired.
        """
        ...

    async def delete(self, session_id_hash: str) -> bool:
        """Delete the session. Returns False if there was none."""
        ...

    async def find(
        self, *, sub: str | None = None, sid: str | None = None
    ) -> dict[str, StoredSession]:
        """Return a user's sessions (`sub`), or those of a provider session (`sid`), by key."""
        ...

    async def put_transaction(self, key: str, transaction: Transaction) -> None:
        """Store a transaction."""

    async def take_transaction(self, key: str) -> Transaction | None:
        """Remove a transaction and return it, to one caller only. None if it is unknown, taken, or
        expired."""

    async def mark_used(self, key: str, until: float) -> None:
        """Mark `key` as used until that time: the hash of a single-use token, or of a session that
        was ended from elsewhere."""

    async def is_used(self, key: str) -> bool:
        """Whether `key` is marked as used now."""
        ...

    async def add_activity(self, user: str, entry: Activity) -> None:
        """Keep an entry of a user's recent activity: the latest `MOST_ACTIVITY`, for
        `ACTIVITY_AGE`. `user` names the user across providers; it is stored as an HMAC."""

    async def activity(self, user: str) -> list[Activity]:
        """Return what is kept of a user, the latest first."""
        ...

    async def acquire_lease(self, session_id_hash: str, ttl: float) -> int | None:
        """Acquire the exclusive right to refresh the session's tokens for `ttl` seconds.

        Returns its fence number, which is greater than every earlier one; None while another caller
        holds the lease.
        """

    async def renew_lease(self, session_id_hash: str, fence: int, ttl: float) -> bool:
        """Extend the lease to `ttl` seconds from now. Returns False if it is no longer held."""
        ...

    async def release_lease(self, session_id_hash: str, fence: int) -> None:
        """Release the lease, if it is still held."""

    async def publish(self, news: str) -> None:
        """Send a text to every process that listens, including this one. Later listeners do not get
        it."""

    def listen(self) -> AsyncGenerator[str]:
        """Yield an empty text once no later text can be missed, then each published text in order.
        Raises `StoreUnavailable` when the store fails."""
        ...

    async def purge(self) -> dict[str, Session | None]:
        """Delete what has expired.

        Returns the expired sessions by key, each to one process and once. The value is None if only
        the key of a session is left.
        """
        ...

    async def ping(self) -> None:
        """Return normally if the store can be read."""

    async def close(self) -> None:
        """Close files and connections for good. Every other method raises `StoreUnavailable` from
        then on."""
