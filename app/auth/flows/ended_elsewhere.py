"""Sessions that were ended from elsewhere: another device, an administrator, or the provider.

The browser of such a session still has its cookie. Its next login has to ask for the password: the
session that the provider may still have does not suffice. A cookie whose session has expired, or is
unknown, asks for nothing more than a first login does.
"""

from __future__ import annotations

import hashlib

from ..session import SessionStore, StoredSession


async def end_from_elsewhere(
    store: SessionStore, session_id_hash: str, stored: StoredSession
) -> bool:
    """Delete a session, and mark it for as long as its cookie may live. Return False if another
    caller has deleted it. Raises `StoreUnavailable`."""
    # Marked first, so that no login in between misses the mark. Of a session that exists, nothing
    # reads it.
    cookie_expires_at = stored.session.created_at + store.lifetimes.absolute
    await store.mark_used(_key(session_id_hash), cookie_expires_at)
    return await store.delete(session_id_hash)


async def was_ended_from_elsewhere(store: SessionStore, session_id_hash: str) -> bool:
    """Whether `end_from_elsewhere` has ended this session. Raises `StoreUnavailable`."""
    return await store.is_used(_key(session_id_hash))


def _key(session_id_hash: str) -> str:
    return hashlib.sha256(f"ended from elsewhere\0{session_id_hash}".encode()).hexdigest()
