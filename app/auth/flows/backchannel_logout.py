"""The provider ends sessions: OpenID Connect Back-Channel Logout 1.0."""

from __future__ import annotations

import hashlib

from ..errors import LogoutTokenError
from ..oidc.logout import LogoutRequest
from ..session import SessionStore, StoredSession
from .provider import Provider
from .session_events import OnSessionEnd, SessionEndReason


class BackchannelLogout:
    """Carries out what logout tokens say. `on_session_end` is told of each session that ends."""

    def __init__(
        self,
        provider: Provider,
        store: SessionStore,
        *,
        on_session_end: OnSessionEnd,
    ) -> None:
        self._provider = provider
        self._store = store
        self._on_session_end = on_session_end

    async def end(self, logout_token: str) -> int:
        """End the sessions that the token names; how many there were.

        A session at the provider that is not known here has been ended already (section 2.8).

        Raises:
            LogoutTokenError: it failed a check of section 2.6, or was used before.
            ProviderError, ProviderUnavailable, StoreUnavailable: it can be sent once more.
        """
        request = await self._provider.check_logout_token(logout_token)
        key = _key(request)
        if await self._store.is_used(key):
            raise LogoutTokenError("The logout token was used before.")
        ended = [
            ref
            for ref, stored in (await self._named(request)).items()
            if await self._end(ref, stored)
        ]
        # Last, so that a token whose sessions could not be ended can be sent again.
        await self._store.mark_used(key, request.forget_at)
        return len(ended)

    async def _named(self, request: LogoutRequest) -> dict[str, StoredSession]:
        """By `sid` where there is one: of a `sub` that has several sessions only that one ends."""
        if request.sid is None:
            return await self._store.find(sub=request.sub)
        found = await self._store.find(sid=request.sid)
        return {
            ref: stored
            for ref, stored in found.items()
            if request.sub is None or stored.session.sub == request.sub
        }

    async def _end(self, ref: str, stored: StoredSession) -> bool:
        is_ended = await self._store.delete(ref)
        if is_ended:
            await self._on_session_end(ref, stored.session, SessionEndReason.BACKCHANNEL)
        return is_ended


def _key(request: LogoutRequest) -> str:
    return hashlib.sha256(f"logout_token\0{request.jti}".encode()).hexdigest()
