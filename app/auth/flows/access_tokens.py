"""Access tokens of sessions: renewed before they expire, once, for all callers."""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from ..audit import AuditTrail, Kind, Outcome
from ..errors import (
    AuthError,
    ConsentRequired,
    LoginRequired,
    ProviderError,
    ProviderUnavailable,
    TokenEndpointError,
)
from ..oidc.token_endpoint import TokenResponse
from ..session import AccessToken, Session, SessionStore, StoredSession
from .refresh import Refresher, RefreshLockedError, RefreshLocks, SupersededError

REFRESH_AHEAD = 60.0  # seconds before expiry at which a token is renewed at the latest
JITTER = 30.0  # up to this many seconds earlier, so that tokens of one moment spread out
_LONGEST_SHARE = 0.25  # of a short lifetime: a token of one minute is not always old


def issued_token(
    response: TokenResponse,
    *,
    audience: str,
    scope: str,
    now: float,
    jitter: float,
    refresh_token: str | None = None,
) -> AccessToken:
    """The access token of a response; `audience` and `scope` are what was asked for.

    `scope` holds where the response names none (RFC 6749 section 5.1), and `refresh_token`, the one
    that was redeemed, where the provider does not rotate. `jitter` is from 0 up to 1.
    """
    ahead = min(REFRESH_AHEAD + JITTER * jitter, response.expires_in * _LONGEST_SHARE)
    return AccessToken(
        value=response.access_token,
        audience=audience,
        scope=response.scope if response.scope is not None else scope,
        refresh_at=now + response.expires_in - ahead,
        expires_at=now + response.expires_in,
        refresh_token=response.refresh_token or refresh_token,
    )


def names_another_audience(access_token: str, audience: str) -> bool:
    """Whether a token says that it is for somebody else than `audience` (empty: for anybody).

    A provider that does not know `audience` in a refresh request ignores it and answers with a
    token for the first API. To a client a token is opaque (RFC 6749 section 1.4), so one that
    cannot be read is taken at the provider's word, and nothing is concluded from one that can but
    this.
    """
    claimed = _claimed_audience(access_token) if audience else None
    return claimed is not None and audience not in claimed


def _claimed_audience(access_token: str) -> list[object] | None:
    """`aud` of a JWT (RFC 7519 section 4.1.3), unverified; None when there is none to read."""
    parts = access_token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    audience = claims.get("aud") if isinstance(claims, dict) else None
    if audience is None:
        return None
    return audience if isinstance(audience, list) else [audience]


logger = logging.getLogger(__name__)

QUIET = 5.0  # seconds for which a provider that did not answer is not asked while a token serves

# Answers to a refresh request that the user can do something about (RFC 6749 section 5.2, RFC 8707
# section 2, OpenID Connect Core section 3.1.2.6; Auth0 says access_denied of an unknown audience).
_USER_CAN_HELP = frozenset(
    {"access_denied", "consent_required", "interaction_required", "invalid_scope", "invalid_target"}
)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a caller needs; `refused` is a token that the API did not take."""

    audience: str
    scope: str | None = None
    refused: str | None = field(default=None, repr=False)


class AccessTokens:
    """The access tokens of sessions, one for each audience.

    Rotation makes a refresh token single-use, so N callers in M processes make one grant, and the
    losers take the winner's result. A token for another audience is asked for with the refresh
    token where the provider allows it (Auth0's multi-resource refresh tokens).
    """

    def __init__(
        self,
        store: SessionStore,
        refresh_locks: RefreshLocks,
        refresher: Refresher,
        audit: AuditTrail,
        *,
        multi_resource_refresh_tokens: bool,
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._store = store
        self._refresh_locks = refresh_locks
        self._refresher = refresher
        self._audit = audit
        self._multi_resource = multi_resource_refresh_tokens
        self._clock = clock
        self._jitter = jitter
        self._quiet_until = float("-inf")

    async def get(self, ref: str, wanted: TokenRequest) -> str:
        """An access token for the wanted audience that has all of the wanted scope.

        A token that is about to expire is renewed; while somebody else does that, and when it
        fails, it is served as long as it is valid. A refused token is renewed whatever its times
        say, once for all who were refused, and comes back as it is when nothing renews it.

        Raises:
            LoginRequired: there is no session, or its token has expired and nothing renews it.
            ConsentRequired: the session has no such token, and the user can allow it.
            SessionEnded: the provider answered `invalid_grant`; the session is gone.
            ProviderError, ProviderUnavailable, StoreUnavailable: the session is untouched.
        """
        try:
            return await self._get(ref, wanted)
        except SupersededError:
            pass
        try:
            return await self._get(ref, wanted)
        except SupersededError:
            raise ProviderUnavailable("The session changes too fast to be renewed.") from None

    async def _get(self, ref: str, wanted: TokenRequest) -> str:
        token = (await self._load(ref)).session.covering(wanted.audience, wanted.scope)
        if token is not None and self._needs_nothing(token, wanted):
            return token.value
        if token is None and not self._multi_resource:
            raise _consent_required(wanted)
        serving = token if token is not None and self._serves(token, wanted) else None
        try:
            return await self._redeemed(ref, wanted, wait=serving is None)
        except RefreshLockedError:
            if serving is None:
                raise
            return serving.value  # somebody is renewing it
        except ProviderError as error:
            if isinstance(error, ProviderUnavailable):
                self._quiet_until = self._clock() + QUIET
            if serving is not None:
                logger.warning("Not renewed (%s); the access token still serves.", error.code)
                return serving.value
            if isinstance(error, TokenEndpointError) and error.error in _USER_CAN_HELP:
                raise _consent_required(wanted, error.error) from None
            raise

    async def _redeemed(self, ref: str, wanted: TokenRequest, *, wait: bool) -> str:
        """Lease, look again, redeem, save. What somebody else has renewed meanwhile is taken."""
        async with self._refresh_locks.hold(ref, wait=wait) as fence:
            stored = await self._load(ref)
            token = stored.session.covering(wanted.audience, wanted.scope)
            if token is not None and self._is_fresh(token, wanted):
                return token.value
            used = _refresh_token(stored.session, token)
            if used is None:
                return self._last_use(token, wanted)
            new, id_token = await self._recorded(ref, stored, used, wanted)
            fits = new.covers(wanted.audience, wanted.scope) and not names_another_audience(
                new.value, wanted.audience
            )
            session = stored.session.rotated(used, new.refresh_token).with_id_token(id_token)
            session = session.with_token(new) if fits else session
            await self._refresher.save(ref, stored, session, fence=fence)
        if not fits:
            raise _consent_required(wanted)
        return new.value

    async def _recorded(
        self, ref: str, stored: StoredSession, used: str, wanted: TokenRequest
    ) -> tuple[AccessToken, str | None]:
        """A new token, and an entry in the record of whether there was one."""
        began_at, sub, target = self._clock(), stored.session.sub, wanted.audience or None
        try:
            new = await self._new_token(ref, stored, used, wanted)
        except AuthError as error:
            self._audit.failed(Kind.TOKEN_REFRESH, error, sub=sub, ref=ref, target=target)
            raise
        self._audit.record(
            Kind.TOKEN_REFRESH,
            Outcome.SUCCESS,
            "refreshed",
            sub=sub,
            ref=ref,
            target=target,
            milliseconds=(self._clock() - began_at) * 1000,
        )
        return new

    async def _new_token(
        self, ref: str, stored: StoredSession, used: str, wanted: TokenRequest
    ) -> tuple[AccessToken, str | None]:
        """The access token, and the ID token that came with it if one did."""
        scope = _scope_to_ask_for(stored.session, wanted)
        response = await self._refresher.redeem(
            ref,
            stored,
            used,
            # One that serves several audiences has to be told which one is meant.
            audience=wanted.audience if self._multi_resource and wanted.audience else None,
            scope=scope if self._multi_resource and scope else None,
        )
        token = issued_token(
            response,
            audience=wanted.audience,
            scope=scope,
            now=self._clock(),
            jitter=self._jitter(),
            refresh_token=used,
        )
        return token, response.id_token

    async def _load(self, ref: str) -> StoredSession:
        stored = await self._store.load(ref)
        if stored is None:
            raise LoginRequired("There is no session.")
        return stored

    def _needs_nothing(self, token: AccessToken, wanted: TokenRequest) -> bool:
        is_quiet = self._clock() < self._quiet_until
        return self._is_fresh(token, wanted) or (is_quiet and self._serves(token, wanted))

    def _is_fresh(self, token: AccessToken, wanted: TokenRequest) -> bool:
        return token.value != wanted.refused and token.refresh_at > self._clock()

    def _serves(self, token: AccessToken, wanted: TokenRequest) -> bool:
        return token.value != wanted.refused and token.expires_at > self._clock()

    def _last_use(self, token: AccessToken | None, wanted: TokenRequest) -> str:
        """There is nothing to renew it with; while it is valid there is no need to, either."""
        if token is None:
            raise _consent_required(wanted)
        if token.expires_at <= self._clock():
            raise LoginRequired("The access token has expired and there is no refresh token.")
        return token.value


def _refresh_token(session: Session, token: AccessToken | None) -> str | None:
    """The token's own; for a token that is not there yet, any that the session has."""
    return token.refresh_token if token else next(iter(session.refresh_tokens), None)


def _scope_to_ask_for(session: Session, wanted: TokenRequest) -> str:
    """What the session has for this audience and what is wanted besides; each scope once."""
    held = session.covering(wanted.audience, None)
    scopes = f"{held.scope if held else ''} {wanted.scope or ''}".split()
    return " ".join(dict.fromkeys(scopes))


def _consent_required(wanted: TokenRequest, error: str | None = None) -> ConsentRequired:
    return ConsentRequired(
        "The session has no access token for this audience and scope.",
        error=error,
        audience=wanted.audience or None,
        scope=wanted.scope,
    )
