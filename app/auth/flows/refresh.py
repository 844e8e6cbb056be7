"""Refreshes a session's tokens (RFC 6749 section 6), one caller at a time, under a lock."""

from __future__ import annotations

import asyncio
import functools
import logging
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import replace

from ..errors import (
    IdTokenError,
    ProviderError,
    ProviderUnavailable,
    SessionEnded,
    StoreUnavailable,
    TokenEndpointError,
)
from ..oidc.id_token import IdTokenExpectations, check_is_same_login, session_expiry
from ..oidc.jwt import Claims
from ..oidc.provider_http import AnswerLostError
from ..oidc.token_endpoint import TokenResponse, refresh
from ..session import Session, SessionStore, StoredSession
from .dpop_rule import new_key
from .provider import Provider
from .session_events import OnSessionEnd, SessionEndReason

logger = logging.getLogger(__name__)

LEASE = 5.0  # seconds; after a holder was killed, other callers wait at most for so long
PATIENCE = 20.0  # seconds that other callers wait for a holder that is alive
_RENEWAL = LEASE / 3
_POLL = 0.05  # seconds between two attempts while another process holds the lease

_held: ContextVar[frozenset[str]] = ContextVar("held refresh locks", default=frozenset())


class RefreshLockedError(Exception):
    """Another caller holds the lock, and this caller does not wait."""


class RefreshLocks:
    """A lock in the process and a fenced lease between processes, renewed while it is held.

    Rotation makes a refresh token single-use. A caller that has waited for the lock loads the
    session again before it refreshes: the session then has the tokens of the previous holder.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, session_id_hash: str, *, wait: bool = True) -> AsyncIterator[int]:
        """Hold the lock. The value is the lease's fence number, for `compare_and_swap`.

        Raises:
            RuntimeError: this task holds the lock. It would wait for itself: the app's hook
                `before_session` asked for a token of the session whose claims it decides about.
            RefreshLockedError: another caller holds the lock, and `wait` is false.
            ProviderUnavailable: another process has held the lease for longer than `PATIENCE`.
            StoreUnavailable: the lease cannot be acquired now.
        """
        lock = self._locks.setdefault(session_id_hash, asyncio.Lock())
        if lock.locked() and session_id_hash in _held.get():
            raise RuntimeError("This session is being refreshed by the caller itself.")
        if lock.locked() and not wait:
            raise RefreshLockedError
        async with lock:  # first, so that one caller of this process at most polls the store
            fence = await self._acquire(session_id_hash, wait=wait)
            keeper = asyncio.create_task(self._keep(session_id_hash, fence))
            before = _held.set(_held.get() | {session_id_hash})
            try:
                yield fence
            finally:
                _held.reset(before)
                keeper.cancel()
                with suppress(StoreUnavailable):  # the lease expires by itself
                    await self._store.release_lease(session_id_hash, fence)

    async def _acquire(self, session_id_hash: str, *, wait: bool) -> int:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while (fence := await self._store.acquire_lease(session_id_hash, LEASE)) is None:
            if not wait:
                raise RefreshLockedError
            if asyncio.get_running_loop().time() > deadline:
                raise ProviderUnavailable("Another process is still refreshing this session.")
            await asyncio.sleep(_POLL)
        return fence

    async def _keep(self, session_id_hash: str, fence: int) -> None:
        """Renew the lease until it is lost. `save` then refuses the old fence number."""
        is_ours = True
        while is_ours:
            await asyncio.sleep(_RENEWAL)
            try:
                is_ours = await self._store.renew_lease(session_id_hash, fence, LEASE)
            except StoreUnavailable as error:
                logger.warning("The refresh lease was not renewed: %s", error.code)


async def key_for(
    provider: Provider, session: Session, refresh_token: str, dpop: bool | None
) -> str | None:
    """Return the key for a new access token: the one that the refresh token came with, or a new one
    if that came with a Bearer token. None if the new one is not to be bound (`dpop`; None: as the
    earlier one was). Raises `ProviderError` if the provider does not accept such a key."""
    if dpop is False:
        return None
    key = session.dpop_key_of(refresh_token)
    return new_key(await provider.metadata()).text if key is None and dpop else key


class SupersededError(Exception):
    """Another caller has changed the session since it was loaded: load it again."""


class Refresher:
    """Redeems refresh tokens. Callers hold the session's refresh lock."""

    def __init__(
        self,
        store: SessionStore,
        *,
        clock: Callable[[], float],
        on_session_end: OnSessionEnd,
    ) -> None:
        self._clock = clock
        self._store = store
        self._on_session_end = on_session_end

    async def redeem(
        self,
        provider: Provider,
        session_id_hash: str,
        stored: StoredSession,
        refresh_token: str,
        *,
        audience: str | None,
        scope: str | None,
        dpop_key: str | None,
    ) -> tuple[TokenResponse, Claims | None]:
        """Redeem a refresh token at the session's provider. `audience` and `scope` are sent unless
        they are None. With `dpop_key`, the access token has to be bound to it. Return the response
        and, if it has an ID token, the claims of that.

        Raises:
            SessionEnded: the answer was `invalid_grant`, and only then. The session is deleted.
            SupersededError: the answer was `invalid_grant`, but another caller had redeemed it.
            ProviderError: the new ID token failed its checks. The response is not used.
            TokenEndpointError: the token endpoint answered with another error.
            ProviderUnavailable, StoreUnavailable: the session is unchanged.
        """
        metadata = await provider.metadata()
        request = functools.partial(
            refresh,
            provider.client,
            metadata.token_endpoint,
            provider.authentication(metadata),
            refresh_token=refresh_token,
            audience=audience,
            scope=scope,
            dpop=provider.token_proofs(dpop_key),
        )
        try:
            response = await self._twice_at_most(request, provider.config.rotation_overlap)
            return await self._checked(provider, response, stored.session)
        except TokenEndpointError as error:
            if error.error == "invalid_grant":
                await self._end(session_id_hash, stored, error)
            raise

    async def _twice_at_most(
        self, request: Callable[[], Awaitable[TokenResponse]], rotation_overlap: float
    ) -> TokenResponse:
        """Send the request again if its answer was lost and `rotation_overlap` has not passed.

        Later, the provider would take it for reuse of a refresh token. The session is then left as
        it is, since it is unknown which token the provider honours.
        """
        sent_at = self._clock()
        try:
            return await request()
        except AnswerLostError as error:
            if self._clock() - sent_at >= rotation_overlap:
                raise
            logger.warning("%s The request is sent again.", error)
        return await request()

    async def _checked(
        self, provider: Provider, response: TokenResponse, session: Session
    ) -> tuple[TokenResponse, Claims | None]:
        """Check that a new ID token is of the same user and login (OpenID Connect Core 12.2).

        If the provider's keys cannot be fetched, the new tokens are used and the earlier ID token
        stays: the refresh token is used up, and its successor is in this response only.
        """
        if response.id_token is None:
            return response, None
        try:
            claims = await self._check(provider, response.id_token, response.access_token, session)
        except ProviderUnavailable as error:
            logger.warning("[%s] A refreshed ID token is ignored: %s", error.error_id, error)
            return replace(response, id_token=None), None
        except IdTokenError as error:
            raise ProviderError(str(error), code=error.code) from None
        return response, claims

    async def _check(
        self, provider: Provider, id_token: str, access_token: str, session: Session
    ) -> Claims:
        expected = IdTokenExpectations(
            issuer=provider.config.issuer,
            client_id=provider.config.client_id,
            nonce=None,
            access_token=access_token,
            now=self._clock(),
            trusted_audiences=provider.config.trusted_audiences,
        )
        claims = await provider.check_id_token(id_token, expected)
        session_expiry(claims)  # has a form that can be kept
        if session.id_token is not None:
            check_is_same_login(claims, session.id_token)
        elif claims["sub"] != session.sub:
            raise IdTokenError("The refreshed ID token has another sub.")
        return claims

    async def save(
        self, session_id_hash: str, stored: StoredSession, session: Session, *, fence: int
    ) -> None:
        """Replace `stored` by `session`.

        Raises:
            SupersededError: a logout or the next holder of the lease was faster.
        """
        if not await self._store.compare_and_swap(
            session_id_hash, stored.version, session, fence=fence
        ):
            raise SupersededError

    async def _end(
        self, session_id_hash: str, stored: StoredSession, error: TokenEndpointError
    ) -> None:
        """End the session, unless another caller has changed it since it was loaded."""
        current = await self._store.load(session_id_hash)
        if current is not None and current.version != stored.version:
            raise SupersededError from error
        await self._store.delete(session_id_hash)
        await self._on_session_end(session_id_hash, stored.session, SessionEndReason.REFUSED)
        raise SessionEnded("The provider no longer honours this session.", error=error.error)
