"""Redeeming a refresh token (RFC 6749 section 6) on behalf of a session, and keeping the result."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable

from ..errors import SessionEnded, TokenEndpointError
from ..oidc.http import AnswerLostError
from ..oidc.token_endpoint import TokenResponse, refresh
from ..session import Session, SessionStore, StoredSession
from .provider import Provider

logger = logging.getLogger(__name__)


class SupersededError(Exception):
    """Somebody else has changed the session meanwhile: look at it again."""


class Redemption:
    """Every method is called by whoever holds the session's lease."""

    def __init__(
        self,
        provider: Provider,
        store: SessionStore,
        *,
        rotation_overlap: float,
        clock: Callable[[], float],
        on_session_end: Callable[[str, Session], Awaitable[None]],
    ) -> None:
        """For `rotation_overlap` seconds the provider takes a used refresh token once more."""
        self._rotation_overlap = rotation_overlap
        self._clock = clock
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
        request = functools.partial(
            refresh,
            self._provider.client,
            metadata.token_endpoint,
            self._provider.credentials,
            refresh_token=refresh_token,
            audience=audience,
            scope=scope,
        )
        try:
            return await self._twice_at_most(request)
        except TokenEndpointError as error:
            if error.error == "invalid_grant":
                await self._end(ref, stored, error)
            raise

    async def _twice_at_most(
        self, request: Callable[[], Awaitable[TokenResponse]]
    ) -> TokenResponse:
        """Ask again for an answer that was lost, while that is no reuse of a refresh token.

        After that it is not known which token the provider honours: the session stays as it is.
        """
        sent_at = self._clock()
        try:
            return await request()
        except AnswerLostError as error:
            if self._clock() - sent_at >= self._rotation_overlap:
                raise
            logger.warning("%s Asked once more.", error)
        return await request()

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
        await self._on_session_end(ref, stored.session)
        raise SessionEnded("The provider no longer honours this session.", error=error.error)
