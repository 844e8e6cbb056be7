"""Completes a login: from the provider's answer (OpenID Connect Core 3.1.3) to a session."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..errors import (
    AcrNotMet,
    AuthError,
    CallbackError,
    HookError,
    IdTokenError,
    ProviderUnavailable,
    StoreUnavailable,
    TransactionError,
)
from ..oidc.authentication import acr_of, amr_of, meets
from ..oidc.authorization import code_of, single_parameters, state_of
from ..oidc.id_token import IdTokenExpectations, session_expiry
from ..oidc.jwt import Claims
from ..oidc.token_endpoint import TokenResponse, exchange_code
from ..session import (
    LoginMode,
    Session,
    SessionStore,
    StoredSession,
    Transaction,
    hash_session_id,
    new_session_id,
)
from .access_tokens import issued_token
from .claims import ClaimsSource, ProviderClaims
from .devices import parse_user_agent
from .ended_elsewhere import was_ended_from_elsewhere
from .hooks import Hooks
from .kept_events import KeptEvents
from .provider import Provider, Providers
from .refresh import RefreshLocks
from .session_events import OnSessionEnd, SessionEndReason
from .transactions import Transactions

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CompletedLogin:
    """A new session: its id for the cookie, the user's `sub`, and the path to go to.

    `replaced` is the session id hash of the session that this browser had before, which has been
    deleted. `is_renewed` says that it belonged to the same user, and `mode` (a `LoginMode`) where
    the login took place. `client` is that of the session.
    """

    session_id: str = field(repr=False)
    sub: str
    return_to: str
    replaced: str | None
    is_renewed: bool
    mode: str = LoginMode.REDIRECT
    client: tuple[str, str, str] = ("", "", "")


class Callback:
    """Turns the provider's answer into a session. `jitter` returns numbers in [0, 1)."""

    def __init__(
        self,
        providers: Providers,
        store: SessionStore,
        refresh_locks: RefreshLocks,
        claims: ClaimsSource,
        hooks: Hooks,
        *,
        on_session_end: OnSessionEnd,
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._providers = providers
        self._store = store
        self._transactions = Transactions(store)
        self._kept_events = KeptEvents(store, clock=clock)
        self._refresh_locks = refresh_locks
        self._claims = claims
        self._hooks = hooks
        self._on_session_end = on_session_end
        self._clock = clock
        self._jitter = jitter

    @property
    def route(self) -> str:
        """The path that providers send browsers back to; of several, each has one of its own."""
        return "/auth/callback" if self._providers.is_single else "/auth/callback/{provider}"

    async def complete(
        self,
        browser: str | None,
        items: Sequence[tuple[str, str]],
        *,
        provider: str = "",
        current: str | None = None,
        user_agent: str | None = None,
        address: str = "",
    ) -> CompletedLogin:
        """Check the callback's query `items`, and create a session. `provider` is the name in the
        callback's path.

        The new session replaces `current` (a session id hash) of this browser. If both belong to
        the same user, tokens for other audiences are taken over. `user_agent` is the header,
        `address` that of the client.

        Raises, each with `return_to` and `login_mode` once the transaction is known:
            TransactionError: this browser has no open transaction with this `state`, or the session
                in which it began was ended from elsewhere.
            LoginRefused: the app's hook `before_session` refused the login.
            HookError: a hook of the app failed.
            AuthorizationError: the provider refused (the user declined, for example).
            AcrNotMet: the user logged in, but not as the link requested.
            CallbackError, IdTokenError: the answer does not match the transaction.
            ProviderError, ProviderUnavailable: a request to the provider failed.
            StoreUnavailable: the transaction or the session cannot be read or written.
        """
        parameters = single_parameters(items)
        transaction = await self._transactions.take(browser, state_of(parameters))
        try:
            asked = self._asked(transaction, provider)
            client = (*parse_user_agent(user_agent), address)
            login = await self._complete(asked, parameters, transaction, current, client)
        except AuthError as error:
            error.return_to, error.login_mode = transaction.return_to, transaction.mode
            error.provider = transaction.provider
            raise
        if browser is not None:
            with contextlib.suppress(StoreUnavailable):  # the login is complete without it
                await self._transactions.complete(browser, parameters["state"], transaction)
                await self._transactions.note_session(
                    browser,
                    hash_session_id(login.session_id),
                    transaction.repeats,
                    self._clock(),
                )
        return login

    def _asked(self, transaction: Transaction, provider: str) -> Provider:
        """Return the provider that was asked. Only its own callback takes its answer: a provider
        that forwards the browser to another one's could obtain the code of that one (the mix-up
        attack of RFC 9700 section 4.4)."""
        found = self._providers.named(provider)
        if found is None or transaction.provider != provider:
            raise CallbackError("The callback is of another provider.", code="issuer_mismatch")
        return found

    async def _complete(
        self,
        provider: Provider,
        parameters: Mapping[str, str],
        transaction: Transaction,
        current: str | None,
        client: tuple[str, str, str],
    ) -> CompletedLogin:
        metadata = await provider.metadata()
        code = code_of(parameters, metadata)
        response = await exchange_code(
            provider.client,
            metadata.token_endpoint,
            provider.authentication(metadata),
            code=code,
            redirect_uri=transaction.redirect_uri,
            code_verifier=transaction.code_verifier,
            dpop=provider.token_proofs(transaction.dpop_key),
        )
        await self._check_not_ended(transaction)
        state = parameters["state"]
        claims = await self._check(provider, response, transaction, code=code, state=state)
        user = await self._claims.at_login(
            provider, claims, response.access_token, transaction.scope, transaction.dpop_key
        )
        # Always a new id, against session fixation: an id from before a login never becomes valid.
        session_id = new_session_id()
        session = self._session(response, transaction, claims, user, client)
        parameters = transaction.parameters
        session = await self._hooks.decide(session, parameters=parameters, is_update=False)
        if transaction.kept_event is not None:  # before a tab can come back with the session
            await self._kept_events.hand_over(hash_session_id(session_id), transaction.kept_event)
        before = await self._replace(current, hash_session_id(session_id), session)
        is_renewed = self._of_same_user(before, session) is not None
        login = CompletedLogin(
            session_id,
            session.sub,
            transaction.return_to,
            current,
            is_renewed,
            transaction.mode,
            session.client,
        )
        await self._tell_app(login, session, before)
        return login

    async def _tell_app(
        self, login: CompletedLogin, session: Session, before: StoredSession | None
    ) -> None:
        """Run `after_login`. If it fails, neither the new session nor the replaced one is left."""
        try:
            await self._hooks.logged_in(
                login.session_id,
                session,
                is_renewed=login.is_renewed,
                return_to=login.return_to,
            )
        except HookError:
            session_id_hash = hash_session_id(login.session_id)
            await self._store.delete(session_id_hash)
            reason = SessionEndReason.HOOK
            await self._on_session_end(session_id_hash, session, reason)
            if login.replaced is not None and before is not None:
                await self._on_session_end(login.replaced, before.session, reason)
            raise

    async def return_to_of_completed(
        self, browser: str | None, items: Sequence[tuple[str, str]]
    ) -> str | None:
        """Return the path that a completed login led to when its callback is visited again.

        None if this browser has completed no login with the `state` in `items`, or not recently.
        Raises `StoreUnavailable`.
        """
        state = dict(items).get("state")
        if browser is None or state is None:
            return None
        return await self._transactions.return_to_of_completed(browser, state)

    async def _replace(
        self, current: str | None, new: str, session: Session
    ) -> StoredSession | None:
        """Store `session` in place of `current`, and return that one.

        Tokens are taken over under the refresh lock, since a refresh that runs at the same time
        would use them up. If another request holds the lock for too long, none are taken over.
        """
        if current is None:
            await self._store.create(new, session)
            return None
        try:
            async with self._refresh_locks.hold(current):
                before = await self._store.load(current)
                earlier = self._of_same_user(before, session)
                session = _taking_over(session, earlier, with_tokens=True)
                await self._store.create(new, session, replaces=current)
        except ProviderUnavailable:
            before = await self._store.load(current)
            earlier = self._of_same_user(before, session)
            session = _taking_over(session, earlier, with_tokens=False)
            await self._store.create(new, session, replaces=current)
        return before

    def _of_same_user(self, before: StoredSession | None, session: Session) -> StoredSession | None:
        """Return `before` if it is of the same user, at the same issuer; else None."""
        if before is None or before.session.identity != session.identity:
            return None
        return before if self._providers.of_session(before.session) is not None else None

    async def _check_not_ended(self, transaction: Transaction) -> None:
        """Refuse a login (a step-up, for example) that began in a session which was ended from
        elsewhere since: it did not ask for the password, as a login has to now."""
        begun_in = transaction.session_id_hash
        if begun_in is not None and await was_ended_from_elsewhere(self._store, begun_in):
            raise TransactionError("The session in which it began was ended from elsewhere.")

    async def _check(
        self,
        provider: Provider,
        response: TokenResponse,
        transaction: Transaction,
        *,
        code: str,
        state: str,
    ) -> Claims:
        if response.id_token is None:
            raise IdTokenError("The token response has no ID token.")
        now = self._clock()
        max_age = transaction.max_age
        expected = IdTokenExpectations(
            issuer=provider.config.issuer,
            client_id=provider.config.client_id,
            nonce=transaction.nonce,
            access_token=response.access_token,
            now=now,
            # Measured from the start of the login: the user may spend minutes at the provider.
            max_age=None if max_age is None else max_age + int(now - transaction.created_at),
            organization=transaction.organization,
            trusted_audiences=provider.config.trusted_audiences,
            code=code,
            state=state,
        )
        claims = await provider.check_id_token(response.id_token, expected)
        acr_values = transaction.acr_values
        if acr_values is not None and not meets(acr_values, acr_of(claims), amr_of(claims)):
            raise AcrNotMet("The ID token has no requested acr.", acr_values=acr_values)
        return claims

    def _session(
        self,
        response: TokenResponse,
        transaction: Transaction,
        claims: Claims,
        user: ProviderClaims,
        client: tuple[str, str, str],
    ) -> Session:
        now = self._clock()
        token = issued_token(
            response,
            audience=transaction.audience or "",
            scope=transaction.scope,
            now=now,
            jitter=self._jitter(),
            dpop_key=transaction.dpop_key,
        )
        sid = claims.get("sid")
        session = Session(
            sub=claims["sub"],
            sid=sid if isinstance(sid, str) else None,
            user={},
            access_tokens=(token,),
            created_at=now,
            browser=client[0],
            platform=client[1],
            address=client[2],
            id_token=response.id_token,
            authenticated_at=_authenticated_at(claims, transaction),
            session_expiry=_session_expiry(claims, now),
            claims_at=now,
            acr=acr_of(claims),
            amr=amr_of(claims),
            provider=transaction.provider,
        )
        return user.in_session(session)


def _session_expiry(claims: Claims, now: float) -> float | None:
    """Return `session_expiry`. Raises `IdTokenError` if it is over: there would be no session."""
    ends_at = session_expiry(claims)
    if ends_at is not None and ends_at <= now:
        raise IdTokenError("The ID token's session_expiry is over.")
    return ends_at


def _authenticated_at(claims: Claims, transaction: Transaction) -> float | None:
    """Return `auth_time`. If the provider does not send it, the user of a silent login did so an
    unknown time ago: 0."""
    unknown = 0.0 if transaction.mode == LoginMode.SILENT else None
    return _auth_time(claims) or unknown


def _auth_time(claims: Claims) -> float | None:
    """Return `auth_time` if it is plausible; some providers send 0."""
    value = claims.get("auth_time")
    # JSON's true is an int to Python.
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    return float(value)


def _taking_over(session: Session, before: StoredSession | None, *, with_tokens: bool) -> Session:
    """`session` with the state trees of `before`, the same user's earlier session in this browser,
    if there is one, and, if `with_tokens`, with its tokens for other audiences.

    If the provider does not say when the user authenticated, it may have asked nothing this time:
    the earlier time stays.
    """
    if before is None:
        return session
    authenticated_at = session.authenticated_at or before.session.auth_time
    session = replace(
        session, state_key=before.session.state_key, authenticated_at=authenticated_at
    )
    if not with_tokens:
        return session
    (new,) = session.access_tokens
    return replace(session, access_tokens=before.session.access_tokens).with_token(new)
