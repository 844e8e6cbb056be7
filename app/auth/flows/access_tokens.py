"""Access tokens of sessions, refreshed before they expire, once for all callers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field

from ..audit import AuditTrail, Kind
from ..dpop import BoundToken, DPoPKey
from ..errors import (
    ConsentRequired,
    LoginRequired,
    MfaRequired,
    ProviderError,
    ProviderRequired,
    ProviderUnavailable,
    TokenEndpointError,
)
from ..oidc.authentication import acr_of, amr_of
from ..oidc.id_token import session_expiry
from ..oidc.jwt import Claims, JwtError, unverified_claims
from ..oidc.token_endpoint import TokenResponse
from ..session import AccessToken, Session, SessionStore, StoredSession
from .claims_update import ClaimsUpdate
from .provider import Provider, Providers
from .refresh import Refresher, RefreshLockedError, RefreshLocks, SupersededError, key_for

REFRESH_AHEAD = 60.0  # seconds before its expiry at which a token is due for refresh
JITTER = 30.0  # seconds, at most, that are added at random so that refreshes spread out
_LONGEST_SHARE = 0.25  # of the lifetime; else a token that lives for a minute would always be due


def issued_token(
    response: TokenResponse,
    *,
    audience: str,
    scope: str,
    now: float,
    jitter: float,
    refresh_token: str | None = None,
    dpop_key: str | None = None,
) -> AccessToken:
    """Return the access token of a response. `audience` and `scope` are what was requested.

    `scope` applies if the response has none (RFC 6749 section 5.1). `refresh_token` is the one that
    was redeemed; it is kept if the provider does not rotate it. `jitter` is in [0, 1). The token is
    bound to `dpop_key`.
    """
    ahead = min(REFRESH_AHEAD + JITTER * jitter, response.expires_in * _LONGEST_SHARE)
    return AccessToken(
        value=response.access_token,
        audience=audience,
        scope=response.scope if response.scope is not None else scope,
        refresh_at=now + response.expires_in - ahead,
        expires_at=now + response.expires_in,
        refresh_token=response.refresh_token or refresh_token,
        dpop_key=dpop_key,
    )


def names_another_audience(access_token: str, audience: str) -> bool:
    """Whether the `aud` of a token lacks `audience`. An empty `audience` matches every token.

    A provider that does not know the `audience` of a refresh request ignores it and returns a token
    for the first API. To a client, a token is opaque (RFC 6749 section 1.4): `aud` is the only
    claim that is read here, and a token that cannot be read passes.
    """
    claimed = _claimed_audience(access_token) if audience else None
    return claimed is not None and audience not in claimed


def _claimed_audience(access_token: str) -> list[object] | None:
    """Return the unverified `aud` of a JWT (RFC 7519 section 4.1.3), or None if there is none."""
    try:
        audience = unverified_claims(access_token).get("aud")
    except JwtError:
        return None
    return audience if audience is None or isinstance(audience, list) else [audience]


logger = logging.getLogger(__name__)

QUIET = 5.0  # seconds without refreshing valid tokens after the provider did not answer
STOPPING = 5.0  # seconds that an app that stops waits for refreshes under way

# Errors of a refresh request that the user can resolve by logging in again (RFC 6749 section 5.2,
# RFC 8707 section 2, OpenID Connect Core section 3.1.2.6). Auth0 answers access_denied for an
# unknown audience.
_USER_CAN_HELP = frozenset(
    {"access_denied", "consent_required", "interaction_required", "invalid_scope", "invalid_target"}
)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The token that a caller needs. Without an audience it is for the provider's default one.
    `refused` is a token that the API rejected. `provider` is the name of the provider that has to
    issue the token; None stands for that of the session. `dpop` says whether the token has to be
    bound to a key; None stands for the configured default."""

    audience: str | None = None
    scope: str | None = None
    refused: str | None = field(default=None, repr=False)
    provider: str | None = None
    dpop: bool | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The same, for one session. `dpop` None: bound or not."""

    provider: Provider
    audience: str
    scope: str | None
    refused: str | None = field(repr=False)
    dpop: bool | None

    def fits(self, token: AccessToken) -> bool:
        """Whether a token is what the caller needs, apart from its times."""
        return token.covers(self.audience, self.scope, self.dpop)

    def found_in(self, session: Session) -> AccessToken | None:
        """Return such a token of a session, or None."""
        return session.covering(self.audience, self.scope, self.dpop)

    @property
    def is_multi_resource(self) -> bool:
        return self.provider.config.multi_resource_refresh_tokens


class AccessTokens:
    """The access tokens of sessions, one for each audience.

    Rotation makes a refresh token single-use. N callers in M processes therefore send one refresh
    request, and the other callers adopt its result. With `multi_resource_refresh_tokens` (an Auth0
    feature), the refresh token also gets access tokens for further audiences. `on_refresh` is
    called with the session id hash when the session has another access token.
    """

    def __init__(
        self,
        store: SessionStore,
        refresh_locks: RefreshLocks,
        refresher: Refresher,
        claims: ClaimsUpdate,
        audit: AuditTrail,
        providers: Providers,
        *,
        on_refresh: Callable[[str], Awaitable[None]],
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._providers = providers
        self._store = store
        self._on_refresh = on_refresh
        self._refresh_locks = refresh_locks
        self._refresher = refresher
        self._claims = claims
        self._audit = audit
        self._clock = clock
        self._jitter = jitter
        self._quiet_until: dict[str, float] = {}  # by provider
        # The event loop keeps weak references.
        self._refreshes: set[asyncio.Task[AccessToken]] = set()
        self._is_stopping = False

    async def get(self, session_id_hash: str, wanted: TokenRequest) -> str:
        """Return an access token for the wanted audience that has all of the wanted scope.

        A token that is about to expire is refreshed. While another caller refreshes it, and when
        the refresh fails, the old token is returned as long as it is valid. A refused token is
        refreshed regardless of its times, once for all callers that report it. If the session has
        no refresh token for it, it is returned unchanged. A token that is bound to a key is a
        `BoundToken`.

        Raises:
            LoginRequired: there is no session, its token has expired and has no refresh token, or
                its provider is no longer configured.
            ProviderRequired: the session is of another provider than the wanted one.
            ConsentRequired: the session has no such token, and the user can consent to it.
            MfaRequired: the provider renews the token after a login with a second factor.
            SessionEnded: the provider answered `invalid_grant`. The session has been deleted.
            ProviderError, ProviderUnavailable, StoreUnavailable: the session is unchanged.
            ConfigError: the request asks a public client for DPoP, and the configuration does not.
        """
        try:
            return _credential(await self._get(session_id_hash, wanted))
        except SupersededError:
            pass  # once more: the session now has what the other caller has stored
        try:
            return _credential(await self._get(session_id_hash, wanted))
        except SupersededError:
            raise ProviderUnavailable(
                "The session changed twice while it was being refreshed."
            ) from None

    def has_provider_of(self, session: Session) -> bool:
        """Whether the provider of a session is configured."""
        return self._providers.of_session(session) is not None

    def default_audience(self, session: Session) -> str:
        """The default audience of a session's provider; empty if none is configured. Raises
        `LoginRequired` if the provider is no longer configured."""
        return self._providers.of(session).config.authorization_params.audience or ""

    async def _get(self, session_id_hash: str, request: TokenRequest) -> AccessToken:
        session = (await self._load(session_id_hash)).session
        wanted = self._wanted(session, request)
        token = wanted.found_in(session)
        if token is not None and self._needs_nothing(token, wanted):
            return token
        # The refresh token of a Bearer token gets a bound one, too, and the other way round.
        is_held = session.covering(wanted.audience, wanted.scope) is not None
        if not is_held and not wanted.is_multi_resource:
            raise _consent_required(wanted)
        # A caller with a valid token does not wait for another caller's refresh.
        serving = token if token is not None and self._serves(token, wanted) else None
        try:
            redeemed = self._redeemed(session_id_hash, wanted, wait=serving is None)
            return await self._to_its_end(redeemed)
        except RefreshLockedError:
            if serving is None:
                raise
            return serving  # another caller is refreshing it
        except ProviderError as error:
            if isinstance(error, ProviderUnavailable):
                self._quiet_until[wanted.provider.name] = self._clock() + QUIET
            if serving is not None:
                logger.warning("Not renewed (%s); the access token is still valid.", error.code)
                return serving
            if isinstance(error, TokenEndpointError) and error.error in _USER_CAN_HELP:
                raise _consent_required(wanted, error.error) from None
            if isinstance(error, TokenEndpointError) and error.error == "mfa_required":
                raise _mfa_required(wanted) from None
            raise

    def _wanted(self, session: Session, request: TokenRequest) -> _Wanted:
        if request.provider not in (None, session.provider):
            raise ProviderRequired(
                "The request needs a token of another provider than the session's.",
                provider=request.provider,
            )
        audience = request.audience or self.default_audience(session)
        provider = self._providers.of(session)
        dpop = provider.dpop.wanted(audience, request.dpop)
        return _Wanted(provider, audience, request.scope, request.refused, dpop)

    async def _to_its_end(self, refresh: Coroutine[None, None, AccessToken]) -> AccessToken:
        """Await a refresh, which goes on if the caller is cancelled: the refresh token may be used
        up, and its successor not yet stored. None begins in an app that stops, for the same reason;
        then it raises `ProviderUnavailable`."""
        if self._is_stopping:
            refresh.close()
            raise ProviderUnavailable("The app is stopping, and renews no tokens.")
        task = asyncio.create_task(refresh)
        self._refreshes.add(task)
        task.add_done_callback(self._refreshes.discard)
        return await asyncio.shield(task)

    async def stop(self) -> None:
        """Wait for the refreshes under way, `STOPPING` seconds at most. The provider may have
        rotated a refresh token already: with its successor lost, the user would be logged out."""
        self._is_stopping = True
        if self._refreshes:
            await asyncio.wait(self._refreshes, timeout=STOPPING)

    async def _redeemed(self, session_id_hash: str, wanted: _Wanted, *, wait: bool) -> AccessToken:
        """Refresh under the lock, unless another caller has refreshed the token by then."""
        async with self._refresh_locks.hold(session_id_hash, wait=wait) as fence:
            stored = await self._load(session_id_hash)
            token = wanted.found_in(stored.session)
            if token is not None and self._is_fresh(token, wanted):
                return token
            held = token or stored.session.covering(wanted.audience, wanted.scope)
            used = _refresh_token(stored.session, held)
            if used is None:
                return self._last_use(token, wanted)
            new, id_token, claims = await self._recorded(session_id_hash, stored, used, wanted)
            fits = wanted.fits(new) and not names_another_audience(new.value, wanted.audience)
            # The rotated refresh token is saved even if the access token does not fit.
            session = stored.session.rotated(used, new.refresh_token).with_id_token(id_token)
            session = session.with_token(new) if fits else session
            if claims is not None:
                session = session.authenticated_by(acr_of(claims), amr_of(claims))
                session = session.ending_by(session_expiry(claims))
            session = await self._claims.apply(
                wanted.provider, session_id_hash, session, claims, new
            )
            session = session.renewed_from(stored.session)
            await self._refresher.save(session_id_hash, stored, session, fence=fence)
        await self._claims.publish(session_id_hash, stored.session, session)
        if not fits:
            raise _consent_required(wanted)
        await self._publish(session_id_hash)
        return new

    async def _publish(self, session_id_hash: str) -> None:
        try:
            await self._on_refresh(session_id_hash)
        except Exception:  # only for display
            logger.exception("A renewed access token was not published.")

    async def _recorded(
        self, session_id_hash: str, stored: StoredSession, used: str, wanted: _Wanted
    ) -> tuple[AccessToken, str | None, Claims | None]:
        """Request a new token, and record success or failure in the audit trail."""
        session = stored.session
        with self._audit.timed(
            Kind.TOKEN_REFRESH,
            "refreshed",
            sub=session.sub,
            ref=session_id_hash,
            target=wanted.audience or None,
            provider=session.provider,
        ):
            return await self._new_token(session_id_hash, stored, used, wanted)

    async def _new_token(
        self, session_id_hash: str, stored: StoredSession, used: str, wanted: _Wanted
    ) -> tuple[AccessToken, str | None, Claims | None]:
        """Request a new access token. The response may have an ID token with claims, too."""
        scope = _scope_to_ask_for(stored.session, wanted)
        dpop_key = await key_for(wanted.provider, stored.session, used, wanted.dpop)
        response, claims = await self._refresher.redeem(
            wanted.provider,
            session_id_hash,
            stored,
            used,
            # A refresh token for several audiences needs to know which one is requested.
            audience=wanted.audience if wanted.is_multi_resource and wanted.audience else None,
            scope=scope if wanted.is_multi_resource and scope else None,
            dpop_key=dpop_key,
        )
        token = issued_token(
            response,
            audience=wanted.audience,
            scope=scope,
            now=self._clock(),
            jitter=self._jitter(),
            refresh_token=used,
            dpop_key=dpop_key,
        )
        return token, response.id_token, claims

    async def _load(self, session_id_hash: str) -> StoredSession:
        stored = await self._store.load(session_id_hash)
        if stored is None:
            raise LoginRequired("There is no session.")
        return stored

    def _needs_nothing(self, token: AccessToken, wanted: _Wanted) -> bool:
        is_quiet = self._clock() < self._quiet_until.get(wanted.provider.name, 0.0)
        return self._is_fresh(token, wanted) or (is_quiet and self._serves(token, wanted))

    def _is_fresh(self, token: AccessToken, wanted: _Wanted) -> bool:
        return token.value != wanted.refused and token.refresh_at > self._clock()

    def _serves(self, token: AccessToken, wanted: _Wanted) -> bool:
        return token.value != wanted.refused and token.expires_at > self._clock()

    def _last_use(self, token: AccessToken | None, wanted: _Wanted) -> AccessToken:
        """Return a token without a refresh token, while it is valid."""
        if token is None:
            raise _consent_required(wanted)
        if token.expires_at <= self._clock():
            raise LoginRequired("The access token has expired and there is no refresh token.")
        return token


def _credential(token: AccessToken) -> str:
    key = token.dpop_key
    return token.value if key is None else BoundToken(token.value, DPoPKey.load(key))


def _refresh_token(session: Session, token: AccessToken | None) -> str | None:
    """The refresh token of `token`; for a token yet to be issued, any one of the session."""
    return token.refresh_token if token else next(iter(session.refresh_tokens), None)


def _scope_to_ask_for(session: Session, wanted: _Wanted) -> str:
    """The scope that the session has for this audience plus the wanted one, each scope once."""
    held = session.covering(wanted.audience, None)
    scopes = f"{held.scope if held else ''} {wanted.scope or ''}".split()
    return " ".join(dict.fromkeys(scopes))


def _consent_required(wanted: _Wanted, error: str | None = None) -> ConsentRequired:
    return ConsentRequired(
        "The session has no access token for this audience and scope.",
        error=error,
        audience=wanted.audience or None,
        scope=wanted.scope,
    )


def _mfa_required(wanted: _Wanted) -> MfaRequired:
    # Not with the provider's answer: it holds an `mfa_token`.
    return MfaRequired(
        "The provider requires a second factor.",
        error="mfa_required",
        audience=wanted.audience or None,
        scope=wanted.scope,
    )
