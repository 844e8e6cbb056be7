"""Having a fresh access token: refreshed before it expires, once, whoever asks."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import replace

from ..errors import LoginRequired, ProviderUnavailable, SessionEnded, TokenEndpointError
from ..oidc.token_endpoint import TokenResponse, refresh
from ..session import AccessToken, Session, SessionStore, StoredSession
from .provider import Provider

logger = logging.getLogger(__name__)

REFRESH_AHEAD = 60.0  # seconds before expiry at which a token counts as old
LEASE = 20.0  # seconds; longer than a grant can take (connect 3 s + read 10 s)
_POLL = 0.05  # seconds between two looks at a session that another process is refreshing


class AccessTokens:
    """Access tokens of sessions. Rotation makes a refresh token single-use, so N callers in
    M processes make one grant: a lock in the process, a fenced lease between processes, and the
    losers adopt the winner's result."""

    def __init__(
        self,
        provider: Provider,
        store: SessionStore,
        *,
        clock: Callable[[], float],
        on_session_end: Callable[[str], Awaitable[None]],
    ) -> None:
        self._provider = provider
        self._store = store
        self._clock = clock
        self._on_session_end = on_session_end
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def get(self, ref: str, audience: str, scope: str | None = None) -> str:
        """An access token for `audience` that covers `scope` (space-separated).

        A token that is about to expire is refreshed; if that fails for a passing reason while it
        is still valid, it is served.

        Raises:
            LoginRequired: no session, or none of its tokens fits and none can be had.
            SessionEnded: the provider answered `invalid_grant`; the session is gone.
            ProviderUnavailable, StoreUnavailable: try again; the session is untouched.
        """
        stored = await self._load(ref)
        token = _fitting(stored.session, audience, scope)
        if self._is_fresh(token):
            return token.value
        lock = self._locks.setdefault(ref, asyncio.Lock())
        async with lock:
            try:
                return await self._refreshed(ref, audience, scope)
            except ProviderUnavailable:
                if token.expires_at > self._clock():
                    logger.warning("Refresh failed for now; the current access token still serves.")
                    return token.value
                raise

    async def _load(self, ref: str) -> StoredSession:
        stored = await self._store.load(ref)
        if stored is None:
            raise LoginRequired("There is no session.")
        return stored

    def _is_fresh(self, token: AccessToken) -> bool:
        return token.expires_at - REFRESH_AHEAD > self._clock()

    async def _refreshed(self, ref: str, audience: str, scope: str | None) -> str:
        """Look, lease, look again, grant, save. Another process's new token ends the loop."""
        deadline = asyncio.get_running_loop().time() + LEASE
        while True:
            fence = await self._store.acquire_lease(ref, LEASE)
            if fence is not None:
                break
            if asyncio.get_running_loop().time() > deadline:
                raise ProviderUnavailable("Another process is still refreshing this session.")
            await asyncio.sleep(_POLL)
        try:
            stored = await self._load(ref)
            token = _fitting(stored.session, audience, scope)
            if not self._is_fresh(token):
                token = await self._grant(ref, stored, token, fence)
            return token.value
        finally:
            await self._store.release_lease(ref, fence)

    async def _grant(
        self, ref: str, stored: StoredSession, old: AccessToken, fence: int
    ) -> AccessToken:
        if stored.session.refresh_token is None:
            if old.expires_at > self._clock():
                return old
            raise LoginRequired("The access token has expired and there is no refresh token.")
        metadata = await self._provider.metadata()
        try:
            response = await refresh(
                self._provider.client,
                metadata.token_endpoint,
                self._provider.credentials,
                refresh_token=stored.session.refresh_token,
            )
        except TokenEndpointError as error:
            return await self._refused(ref, stored, old, error)
        new = self._token(response, old)
        session = _with_tokens(stored.session, old, new, response.refresh_token)
        if not await self._store.compare_and_swap(ref, stored.version, session, fence=fence):
            # Somebody logged out meanwhile, or took the lease over: theirs is the truth.
            token = _fitting((await self._load(ref)).session, old.audience, old.scope)
            return token if self._is_fresh(token) else new
        return new

    async def _refused(
        self, ref: str, stored: StoredSession, old: AccessToken, error: TokenEndpointError
    ) -> AccessToken:
        """Only `invalid_grant` ends a session, and only if nobody rotated the token meanwhile."""
        if error.error != "invalid_grant":
            raise error
        current = await self._load(ref)
        if current.version != stored.version:
            token = _fitting(current.session, old.audience, old.scope)
            if self._is_fresh(token):
                return token
        await self._store.delete(ref)
        await self._on_session_end(ref)
        raise SessionEnded("The provider no longer honours this session.", error=error.error)

    def _token(self, response: TokenResponse, old: AccessToken) -> AccessToken:
        return replace(
            old,
            value=response.access_token,
            scope=response.scope or old.scope,
            expires_at=self._clock() + response.expires_in,
        )


def _fitting(session: Session, audience: str, scope: str | None) -> AccessToken:
    """The token for this audience whose scope includes `scope`."""
    wanted = set((scope or "").split())
    for token in session.access_tokens:
        if token.audience == audience and wanted <= set(token.scope.split()):
            return token
    raise LoginRequired("The session has no access token for this audience and scope.")


def _with_tokens(
    session: Session, old: AccessToken, new: AccessToken, refresh_token: str | None
) -> Session:
    tokens = tuple(new if token == old else token for token in session.access_tokens)
    return replace(
        session, access_tokens=tokens, refresh_token=refresh_token or session.refresh_token
    )
