"""Where a user is logged in, and logging out there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ..session import Session, SessionStore, StoredSession
from .session_events import OnSessionEnd, SessionEndReason


@dataclass(frozen=True, slots=True)
class Device:
    """A session of the user, as they may see it.

    `id` names it for `Devices.end` and is of no other use. `browser` and `platform` are as the
    browser said at its login, or empty. Times are epoch seconds; `last_seen_at` is exact to a
    minute. `is_current` marks the session that asks.
    """

    id: str
    browser: str
    platform: str
    logged_in_at: float
    last_seen_at: float
    is_current: bool


class Devices:
    """The sessions of one user, found through any of them (`ref`).

    Every method raises `StoreUnavailable` when sessions cannot be read.
    """

    def __init__(self, store: SessionStore, *, on_session_end: OnSessionEnd) -> None:
        """`on_session_end` is told of each session that is ended, after it is gone."""
        self._store = store
        self._on_session_end = on_session_end

    async def of(self, ref: str) -> list[Device]:
        """Where the user of this session is logged in: here first, then as last seen."""
        devices = [_device(other, stored, ref) for other, stored in (await self._all(ref)).items()]
        return sorted(devices, key=lambda d: (not d.is_current, -d.last_seen_at, d.id))

    async def end(self, ref: str, device_id: str) -> bool:
        """End the user's session that is called so; False if the user has none of that name."""
        for other, stored in (await self._all(ref)).items():
            if _public_id(other) == device_id:
                return await self._end(other, stored)
        return False

    async def end_others(self, ref: str) -> int:
        """End every session of the user but this one; how many that were."""
        others = {o: stored for o, stored in (await self._all(ref)).items() if o != ref}
        return sum([await self._end(other, stored) for other, stored in others.items()])

    async def references(self, ref: str, ended: Session | None = None) -> list[str]:
        """The references of all sessions of the user of this one, which may have `ended`."""
        if ended is not None:
            return list(await self._store.find(sub=ended.sub))
        return list(await self._all(ref))

    async def _all(self, ref: str) -> dict[str, StoredSession]:
        current = await self._store.load(ref)
        return await self._store.find(sub=current.session.sub) if current else {}

    async def _end(self, ref: str, stored: StoredSession) -> bool:
        is_ended = await self._store.delete(ref)
        if is_ended:
            await self._on_session_end(ref, stored.session, SessionEndReason.OTHER_DEVICE)
        return is_ended


def _device(ref: str, stored: StoredSession, current: str) -> Device:
    session = stored.session
    return Device(
        id=_public_id(ref),
        browser=session.browser,
        platform=session.platform,
        logged_in_at=session.created_at,
        last_seen_at=stored.last_seen_at,
        is_current=ref == current,
    )


def _public_id(ref: str) -> str:
    """Not the reference itself: that is the store's key, and nothing of it leaves the server."""
    return hashlib.sha256(f"device\0{ref}".encode()).hexdigest()[:16]
