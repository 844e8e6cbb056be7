"""Refreshing a session's tokens (RFC 6749 section 6): one caller at a time, under a lock."""

from __future__ import annotations

import asyncio
import functools
import logging
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from ..config import AuthConfig
from ..errors import (
    IdTokenError,
    ProviderError,
    ProviderUnavailable,
    SessionEnded,
    StoreUnavailable,
    TokenEndpointError,
)
from ..oidc.id_token import IdTokenExpectations, check_is_same_login
from ..oidc.provider_http import AnswerLostError
from ..oidc.token_endpoint import TokenResponse, refresh
from ..session import Session, SessionStore, StoredSession
from .provider import Provider
from .session_events import OnSessionEnd, SessionEndReason

logger = logging.getLogger(__name__)

LEASE = 5.0  # seconds; so long others wait at most for a holder that was killed
PATIENCE = 20.0  # seconds that others wait for a holder that lives
_RENEWAL = LEASE / 3
_POLL = 0.05  # seconds between two looks at a session that another process has leased


class RefreshLockedError(Exception):
    """Somebody holds the lease, and the caller did not want to wait."""


class RefreshLocks:
    """A lock in the process and a fenced lease between processes, renewed while it is held.

    Rotation makes a refresh token single-use. Whoever waited looks at the session again first, and
    finds what the holder left there.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, ref: str, *, wait: bool = True) -> AsyncIterator[int]:
        """Hold the lease; the value is its fence number for `compare_and_swap`.

        Raises:
            RefreshLockedError: somebody has it, and `wait` is false.
            ProviderUnavailable: another process has kept it for too long.
            StoreUnavailable.
        """
        lock = self._locks.setdefault(ref, asyncio.Lock())
        if lock.locked() and not wait:
            raise RefreshLockedError
        async with lock:
            fence = await self._acquire(ref, wait=wait)
            keeper = asyncio.create_task(self._keep(ref, fence))
            try:
                yield fence
            finally:
                keeper.cancel()
                with suppress(StoreUnavailable):  # it lapses by itself
                    await self._store.release_lease(ref, fence)

    async def _acquire(self, ref: str, *, wait: bool) -> int:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while (fence := await self._store.acquire_lease(ref, LEASE)) is None:
            if not wait:
                raise RefreshLockedError
            if asyncio.get_running_loop().time() > deadline:
                raise ProviderUnavailable("Another process is still refreshing this session.")
            await asyncio.sleep(_POLL)
        return fence

    async def _keep(self, ref: str, fence: int) -> None:
        """Until it is lost: what its holder then writes is refused by its fence number."""
        is_ours = True
        while is_ours:
            await asyncio.sleep(_RENEWAL)
            try:
                is_ours = await self._store.renew_lease(ref, fence, LEASE)
            except StoreUnavailable as error:
                logger.warning("A lease was not renewed: %s", error.code)


logger = logging.getLogger(__name__)


class SupersededError(Exception):
    """Somebody else has changed the session meanwhile: look at it again."""


class Refresher:
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
