"""OpenID Connect Back-Channel Logout 1.0: the provider ends sessions of this app."""

from __future__ import annotations

import hashlib

from ..errors import LogoutTokenError
from ..oidc.logout import LogoutRequest
from ..session import SessionStore, StoredSession
from .ended_elsewhere import end_from_elsewhere
from .provider import Provider
from .session_events import OnSessionEnd, SessionEndReason


class BackchannelLogout:
    """Carries out logout tokens. Calls `on_session_end` for each session that it has ended."""

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
        """End the sessions that the token names, and return their number.

        A session that is unknown here has already ended, which is no error (section 2.8).

        Raises:
            LogoutTokenError: the token failed a check of section 2.6, or was used before.
            ProviderError, ProviderUnavailable, StoreUnavailable: the provider can send it again.
        """
        request = await self._provider.check_logout_token(logout_token)
        key = _key(request)
        if await self._store.is_used(key):
            raise LogoutTokenError("The logout token was used before.")
        ended = [
            session_id_hash
            for session_id_hash, stored in (await self._named(request)).items()
            if await self._end(session_id_hash, stored)
        ]
        # Marked last: if a session cannot be ended, the provider can send the token again.
        await self._store.mark_used(key, request.forget_at)
        return len(ended)

    async def _named(self, request: LogoutRequest) -> dict[str, StoredSession]:
        """Find the sessions by `sid` if there is one: the user's other sessions do not end."""
        if request.sid is None:
            return await self._store.find(sub=request.sub)
        found = await self._store.find(sid=request.sid)
        return {
            session_id_hash: stored
            for session_id_hash, stored in found.items()
            if request.sub is None or stored.session.sub == request.sub
        }

    async def _end(self, session_id_hash: str, stored: StoredSession) -> bool:
        is_ended = await end_from_elsewhere(self._store, session_id_hash, stored)
        if is_ended:
            await self._on_session_end(
                session_id_hash, stored.session, SessionEndReason.BACKCHANNEL
            )
        return is_ended


def _key(request: LogoutRequest) -> str:
    return hashlib.sha256(f"logout_token\0{request.jti}".encode()).hexdigest()
