"""Tokens in exchange for those of a session: token exchange (RFC 8693), and Auth0's tokens of an
identity provider behind it. The session keeps them until shortly before they expire."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from ..audit import AuditTrail, Kind
from ..errors import (
    AuthError,
    ConsentRequired,
    LoginRequired,
    MfaRequired,
    ProviderUnavailable,
    TokenEndpointError,
    TokenExchangeError,
)
from ..oidc.token_endpoint import ACCESS_TOKEN_TYPE, TokenResponse, exchange_token
from ..session import Session, SessionStore, StoredSession
from .access_tokens import AccessTokens, TokenRequest, issued_token
from .provider import Provider, Providers
from .refresh import Refresher, RefreshLocks, SupersededError

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
CONNECTION = "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token"
CONNECTION_TOKEN_TYPE = "http://auth0.com/oauth/token-type/federated-connection-access-token"  # noqa: S105
_REFRESH_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:refresh_token"  # noqa: S105
_JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt"
_MOST = 32  # tokens in one session

# The user can resolve these by logging in again (OpenID Connect Core section 3.1.2.6).
_USER_CAN_HELP = frozenset({"consent_required", "interaction_required", "login_required"})


@dataclass(frozen=True, slots=True)
class ExchangeRequest:
    """A token in exchange for `subject_token`, or for the session's access token if that is None.
    `audience` and `scope` are sent unless they are None."""

    subject_token: str | None = field(default=None, repr=False)
    subject_token_type: str = ACCESS_TOKEN_TYPE
    audience: str | None = None
    scope: str | None = None

    grant_type = EXCHANGE
    issued_token_types = (ACCESS_TOKEN_TYPE, _JWT_TYPE)

    @property
    def target(self) -> str | None:
        """What the audit trail calls it."""
        return self.audience

    def form(self, own_token: str | None, session: Session) -> dict[str, str]:
        """Return the parameters of RFC 8693 section 2.1."""
        form = {
            "subject_token": self.subject_token or own_token or "",
            "subject_token_type": self.subject_token_type,
            "requested_token_type": ACCESS_TOKEN_TYPE,
        }
        others = {"audience": self.audience, "scope": self.scope}
        return form | {name: value for name, value in others.items() if value is not None}


@dataclass(frozen=True, slots=True)
class ConnectionRequest:
    """The access token of the identity provider behind Auth0 that `connection` names."""

    connection: str
    login_hint: str | None = None

    grant_type = CONNECTION
    issued_token_types = (CONNECTION_TOKEN_TYPE, ACCESS_TOKEN_TYPE)
    scope = None

    @property
    def target(self) -> str | None:
        """What the audit trail calls it."""
        return self.connection

    def form(self, own_token: str | None, session: Session) -> dict[str, str]:
        """Return the parameters. Raises `LoginRequired` if the session has no refresh token."""
        refresh_token = next(iter(session.refresh_tokens), None)
        if refresh_token is None:
            raise LoginRequired("The session has no refresh token to exchange.")
        form = {
            "subject_token": refresh_token,
            "subject_token_type": _REFRESH_TOKEN_TYPE,
            "requested_token_type": CONNECTION_TOKEN_TYPE,
            "connection": self.connection,
        }
        return form if self.login_hint is None else {**form, "login_hint": self.login_hint}


AnyRequest = ExchangeRequest | ConnectionRequest


class TokenExchange:
    """Exchanges tokens, once for all callers of a session that want the same."""

    def __init__(
        self,
        store: SessionStore,
        refresh_locks: RefreshLocks,
        refresher: Refresher,
        tokens: AccessTokens,
        providers: Providers,
        audit: AuditTrail,
        *,
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._store = store
        self._refresh_locks = refresh_locks
        self._refresher = refresher
        self._tokens = tokens
        self._providers = providers
        self._audit = audit
        self._clock = clock
        self._jitter = jitter

    async def get(self, session_id_hash: str, request: AnyRequest) -> str:
        """Return the token in exchange, from the session if it is there.

        Raises:
            LoginRequired: there is no session, or it has no token to exchange.
            ConsentRequired, MfaRequired: the user can get it by a login.
            TokenExchangeError: the provider refused. The session stays, whatever `error` says.
            ProviderError, ProviderUnavailable, StoreUnavailable: the session is unchanged.
        """
        for _ in range(2):
            found = self._fresh((await self._load(session_id_hash)).session, request)
            if found is not None:
                return found
            own = None
            if isinstance(request, ExchangeRequest) and request.subject_token is None:
                # Before the lock: it may have to be refreshed, under the same one.
                own = str(await self._tokens.get(session_id_hash, TokenRequest()))
            try:
                return await self._exchanged(session_id_hash, request, own)
            except SupersededError:
                continue  # once more: another caller has changed the session
        raise ProviderUnavailable("The session changed twice during an exchange.")

    async def _exchanged(self, session_id_hash: str, request: AnyRequest, own: str | None) -> str:
        async with self._refresh_locks.hold(session_id_hash) as fence:
            stored = await self._load(session_id_hash)
            found = self._fresh(stored.session, request)
            if found is not None:
                return found
            response = await self._recorded(session_id_hash, stored, request, own)
            token = issued_token(
                response,
                audience=_key(request),
                scope=request.scope or "",
                now=self._clock(),
                jitter=self._jitter(),
            )
            session = stored.session.with_exchanged(token, now=self._clock(), most=_MOST)
            await self._refresher.save(session_id_hash, stored, session, fence=fence)
            return token.value

    async def _recorded(
        self, session_id_hash: str, stored: StoredSession, request: AnyRequest, own: str | None
    ) -> TokenResponse:
        """Send the request, and record success or failure in the audit trail."""
        session = stored.session
        with self._audit.timed(
            Kind.TOKEN_EXCHANGE,
            "exchanged",
            sub=session.sub,
            ref=session_id_hash,
            target=request.target,
            provider=session.provider,
        ):
            provider = self._providers.of(session)
            return await self._sent(provider, session, request, request.form(own, session))

    async def _sent(
        self, provider: Provider, session: Session, request: AnyRequest, form: dict[str, str]
    ) -> TokenResponse:
        metadata = await provider.metadata()
        # A refresh token may be bound to a key (RFC 9449 section 5), which no token in exchange is.
        is_refresh = form["subject_token_type"] == _REFRESH_TOKEN_TYPE
        key = session.dpop_key_of(form["subject_token"]) if is_refresh else None
        try:
            return await exchange_token(
                provider.client,
                metadata.token_endpoint,
                provider.authentication(metadata),
                {"grant_type": request.grant_type, **form},
                issued_token_types=request.issued_token_types,
                dpop=provider.token_proofs(key),
            )
        except TokenEndpointError as error:
            raise _refused(error, request) from None

    def _fresh(self, session: Session, request: AnyRequest) -> str | None:
        token = session.exchanged(_key(request))
        return token.value if token is not None and token.refresh_at > self._clock() else None

    async def _load(self, session_id_hash: str) -> StoredSession:
        stored = await self._store.load(session_id_hash)
        if stored is None:
            raise LoginRequired("There is no session.")
        return stored


def _key(request: AnyRequest) -> str:
    """The name of the token in the session: a hash of the request, which may hold a token."""
    if isinstance(request, ConnectionRequest):
        parts = ["connection", request.connection, request.login_hint]
    else:
        kind, subject = request.subject_token_type, request.subject_token
        parts = ["exchange", kind, subject, request.audience, request.scope]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _refused(error: TokenEndpointError, request: AnyRequest) -> AuthError:
    audience = request.audience if isinstance(request, ExchangeRequest) else None
    if error.error in _USER_CAN_HELP:
        return ConsentRequired(
            "The provider asks for the user's consent.",
            error=error.error,
            audience=audience,
            scope=request.scope,
        )
    if error.error == "mfa_required":  # without the description: it holds an `mfa_token`
        return MfaRequired("The provider requires a second factor.", error=error.error)
    return TokenExchangeError(
        "The provider refused the exchange.",
        error=error.error,
        error_description=error.error_description,
    )
