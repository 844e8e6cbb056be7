"""Redeeming a refresh token (RFC 6749 section 6) on behalf of a session, and keeping the result."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from ..config import AuthConfig
from ..errors import (
    IdTokenError,
    ProviderError,
    ProviderUnavailable,
    SessionEnded,
    TokenEndpointError,
)
from ..oidc.id_token import IdTokenExpectations, check_is_same_login
from ..oidc.provider_http import AnswerLostError
from ..oidc.token_endpoint import TokenResponse, refresh
from ..session import Session, SessionStore, StoredSession
from .provider import Provider
from .session_events import OnSessionEnd, SessionEndReason

logger = logging.getLogger(__name__)


class SupersededError(Exception):
    """Somebody else has changed the session meanwhile: look at it again."""


class Redemption:
    """Every method is called by whoever holds the session's lease."""

    def __init__(
        self,
        config: AuthConfig,
        provider: Provider,
        store: SessionStore,
        *,
        clock: Callable[[], float],
        on_session_end: OnSessionEnd,
    ) -> None:
        self._config = config
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
            ProviderError: the answer's ID token is not this session's; nothing of it is used.
            TokenEndpointError, ProviderUnavailable, StoreUnavailable: as named.
        """
        metadata = await self._provider.metadata()
        request = functools.partial(
            refresh,
            self._provider.client,
            metadata.token_endpoint,
            self._provider.authentication(metadata),
            refresh_token=refresh_token,
            audience=audience,
            scope=scope,
        )
        try:
            return await self._checked(await self._twice_at_most(request), stored.session)
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
            if self._clock() - sent_at >= self._config.rotation_overlap:
                raise
            logger.warning("%s Asked once more.", error)
        return await request()

    async def _checked(self, response: TokenResponse, session: Session) -> TokenResponse:
        """A new ID token is of the same person and the same login (OpenID Connect Core 12.2).

        While the provider's keys cannot be had, the new tokens count and the earlier ID token
        stays: the refresh token has been used, and its successor is in this answer only.
        """
        if response.id_token is None:
            return response
        try:
            await self._check(response.id_token, response.access_token, session)
        except ProviderUnavailable as error:
            logger.warning("[%s] A refreshed ID token is left aside: %s", error.error_id, error)
            return replace(response, id_token=None)
        except IdTokenError as error:
            raise ProviderError(str(error), code=error.code) from None
        return response

    async def _check(self, id_token: str, access_token: str, session: Session) -> None:
        expected = IdTokenExpectations(
            issuer=self._config.issuer,
            client_id=self._config.client_id,
            nonce=None,
            access_token=access_token,
            now=self._clock(),
            trusted_audiences=self._config.trusted_audiences,
        )
        claims = await self._provider.check_id_token(id_token, expected)
        if session.id_token is not None:
            check_is_same_login(claims, session.id_token)

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
        await self._on_session_end(ref, stored.session, SessionEndReason.REFUSED)
        raise SessionEnded("The provider no longer honours this session.", error=error.error)
