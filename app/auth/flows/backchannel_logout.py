"""OpenID Connect Back-Channel Logout 1.0: the provider ends sessions of this app."""

from __future__ import annotations

import hashlib

from ..errors import LogoutTokenError
from ..oidc.jwt import JwtError, unverified_claims
from ..oidc.logout import LogoutRequest
from ..session import SessionStore, StoredSession
from .ended_elsewhere import end_from_elsewhere
from .provider import Provider, Providers
from .session_events import OnSessionEnd, SessionEndReason


class BackchannelLogout:
    """Carries out logout tokens. Calls `on_session_end` for each session that it has ended."""

    def __init__(
        self,
        providers: Providers,
        store: SessionStore,
        *,
        on_session_end: OnSessionEnd,
    ) -> None:
        self._providers = providers
        self._store = store
        self._on_session_end = on_session_end

    async def end(self, logout_token: str) -> int:
        """End the sessions that the token names, and return their number.

        A session that is unknown here has already ended, which is no error (section 2.8).

        Raises:
            LogoutTokenError: the token failed a check of section 2.6, was used before, or is of
                none of this app's providers.
            ProviderError, ProviderUnavailable, StoreUnavailable: the provider can send it again.
        """
        provider = self._issuer_of(logout_token)
        request = await provider.check_logout_token(logout_token)
        key = _key(provider.name, request)
        if await self._store.is_used(key):
            raise LogoutTokenError("The logout token was used before.")
        ended = [
            session_id_hash
            for session_id_hash, stored in (await self._named(provider, request)).items()
            if await self._end(session_id_hash, stored)
        ]
        # Marked last: if a session cannot be ended, the provider can send the token again.
        await self._store.mark_used(key, request.forget_at)
        return len(ended)

    def _issuer_of(self, logout_token: str) -> Provider:
        """Return the provider whose keys and client id the token is checked with. Its `iss` is not
        verified yet; the check of the token does that."""
        if self._providers.is_single:
            return self._providers.default
        try:
            provider = self._providers.of_issuer(unverified_claims(logout_token).get("iss"))
        except JwtError:
            provider = None
        if provider is None:
            raise LogoutTokenError("The logout token is of none of this app's providers.")
        return provider

    async def _named(self, provider: Provider, request: LogoutRequest) -> dict[str, StoredSession]:
        """Find the provider's sessions by `sid` if there is one: the user's other sessions do not
        end."""
        if request.sid is None:
            found = await self._store.find(sub=request.sub)
        else:
            found = await self._store.find(sid=request.sid)
        return {
            session_id_hash: stored
            for session_id_hash, stored in found.items()
            if stored.session.provider == provider.name
            and request.sub in (None, stored.session.sub)
        }

    async def _end(self, session_id_hash: str, stored: StoredSession) -> bool:
        is_ended = await end_from_elsewhere(self._store, session_id_hash, stored)
        if is_ended:
            await self._on_session_end(
                session_id_hash, stored.session, SessionEndReason.BACKCHANNEL
            )
        return is_ended


def _key(provider: str, request: LogoutRequest) -> str:
    name = f"logout_token\0{provider}\0" if provider else "logout_token\0"
    return hashlib.sha256(f"{name}{request.jti}".encode()).hexdigest()
