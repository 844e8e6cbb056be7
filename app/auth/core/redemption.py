"""Redeeming a refresh token (RFC 6749 section 6) on behalf of a session, and keeping the result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..errors import SessionEnded, TokenEndpointError
from ..oidc.token_endpoint import TokenResponse, refresh
from ..session import Session, SessionStore, StoredSession
from .provider import Provider


class SupersededError(Exception):
    """Somebody else has changed the session meanwhile: look at it again."""


class Redemption:
    """Every method is called by whoever holds the session's lease."""

    def __init__(
        self,
        provider: Provider,
        store: SessionStore,
        *,
        on_session_end: Callable[[str], Awaitable[None]],
    ) -> None:
        self._provider = provider
        self._store = store
        self._on_session_end = on_session_end

    async def redeem(
        self,
        ref: str,
        stored: StoredSession,
        refresh_token: str,
        *,
        audience: str | None,
        scope: str | None,
    ) -> TokenResponse:
        """Redeem it; `audience` and `scope` are sent where they are given.

        Raises:
            SessionEnded: `invalid_grant`, and only that; the session is gone.
            SupersededError: it was refused because somebody else had redeemed it.
            TokenEndpointError, ProviderError, ProviderUnavailable, StoreUnavailable: as named.
        """
        metadata = await self._provider.metadata()
        try:
            return await refresh(
                self._provider.client,
                metadata.token_endpoint,
                self._provider.credentials,
                refresh_token=refresh_token,
                audience=audience,
                scope=scope,
            )
        except TokenEndpointError as error:
            if error.error == "invalid_grant":
                await self._end(ref, stored, error)
            raise

    async def save(self, ref: str, stored: StoredSession, session: Session, *, fence: int) -> None:
        """Put `session` in the place of `stored`.

        Raises:
            SupersededError: a logout, or whoever took the lease over, was faster.
        """
        if not await self._store.compare_and_swap(ref, stored.version, session, fence=fence):
            raise SupersededError

    async def _end(self, ref: str, stored: StoredSession, error: TokenEndpointError) -> None:
        """The provider no longer honours it; unless somebody has redeemed it meanwhile."""
        current = await self._store.load(ref)
        if current is not None and current.version != stored.version:
            raise SupersededError from error
        await self._store.delete(ref)
        await self._on_session_end(ref)
        raise SessionEnded("The provider no longer honours this session.", error=error.error)
