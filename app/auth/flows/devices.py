"""The sessions of a user on all devices: listing and ending them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ..session import Session, SessionStore, StoredSession
from .ended_elsewhere import end_from_elsewhere
from .session_events import OnSessionEnd, SessionEndReason

_LONGEST = 512  # characters of a User-Agent that are parsed


def parse_user_agent(user_agent: str | None) -> tuple[str, str]:
    """Return browser and platform of a `User-Agent` (RFC 9110 section 10.1.5), such as `("Firefox",
    "Windows")`, or empty texts. For display only: a client can send any value.

    It takes ua-parser, which the extra `reflex-oidc[devices]` installs; without it, both are empty.
    """
    if not user_agent:
        return "", ""
    try:
        from ua_parser import parse
    except ImportError:
        return "", ""
    result = parse(user_agent[:_LONGEST])
    browser = result.user_agent.family if result.user_agent else ""
    return browser, result.os.family if result.os else ""


@dataclass(frozen=True, slots=True)
class Device:
    """A session of a user, for display.

    `id` names it for `AuthService.end_device` only. `browser` and `platform` come from the
    `User-Agent` at login and may be empty. `address` is the network address of that login (of IPv6,
    the /64 network), or empty. `logged_in_at` and `last_seen_at` are in epoch seconds;
    `last_seen_at` is exact to a minute. `is_current` marks the session that the list was requested
    for.
    """

    id: str
    browser: str
    platform: str
    logged_in_at: float
    last_seen_at: float
    is_current: bool
    address: str = ""


class Devices:
    """The sessions of one user, named by any one of them (`session_id_hash`).

    Every method raises `StoreUnavailable` when sessions cannot be read.
    """

    def __init__(self, store: SessionStore, *, on_session_end: OnSessionEnd) -> None:
        """`on_session_end` is called for each session that has been ended."""
        self._store = store
        self._on_session_end = on_session_end

    async def of(self, session_id_hash: str) -> list[Device]:
        """List the sessions of this session's user: this one first, then the last seen first."""
        devices = [
            _device(other, stored, session_id_hash)
            for other, stored in (await self._all(session_id_hash)).items()
        ]
        return sorted(devices, key=lambda d: (not d.is_current, -d.last_seen_at, d.id))

    async def end(self, session_id_hash: str, device_id: str) -> bool:
        """End the user's session with this id. Return False if the user has none."""
        for other, stored in (await self._all(session_id_hash)).items():
            if public_id(other) == device_id:
                return await self._end(other, stored)
        return False

    async def end_others(self, session_id_hash: str) -> int:
        """End every session of the user but this one, and return their number."""
        others = {
            o: stored
            for o, stored in (await self._all(session_id_hash)).items()
            if o != session_id_hash
        }
        return sum([await self._end(other, stored) for other, stored in others.items()])

    async def references(self, session_id_hash: str, ended: Session | None = None) -> list[str]:
        """The session id hashes of this session's user. `ended` is this session, if deleted."""
        if ended is not None:
            return list(await self._of_user(ended))
        return list(await self._all(session_id_hash))

    async def _all(self, session_id_hash: str) -> dict[str, StoredSession]:
        current = await self._store.load(session_id_hash)
        return await self._of_user(current.session) if current else {}

    async def _of_user(self, session: Session) -> dict[str, StoredSession]:
        found = await self._store.find(sub=session.sub)
        return {k: each for k, each in found.items() if each.session.identity == session.identity}

    async def _end(self, session_id_hash: str, stored: StoredSession) -> bool:
        is_ended = await end_from_elsewhere(self._store, session_id_hash, stored)
        if is_ended:
            await self._on_session_end(
                session_id_hash, stored.session, SessionEndReason.OTHER_DEVICE
            )
        return is_ended


def _device(session_id_hash: str, stored: StoredSession, current: str) -> Device:
    session = stored.session
    return Device(
        id=public_id(session_id_hash),
        browser=session.browser,
        platform=session.platform,
        logged_in_at=session.created_at,
        last_seen_at=stored.last_seen_at,
        is_current=session_id_hash == current,
        address=session.address,
    )


def public_id(session_id_hash: str) -> str:
    """An id for the page. The session id hash is the store's key and never leaves the server."""
    return hashlib.sha256(f"device\0{session_id_hash}".encode()).hexdigest()[:16]
