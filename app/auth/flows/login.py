"""Starts a login: the code flow (OpenID Connect Core section 3.1) up to the provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from ..config import AuthorizationParams
from ..errors import AuthError, LoginLinkError
from ..oidc.authorization import AuthorizationState, authorization_request, push
from ..oidc.discovery import ProviderMetadata
from ..session import LoginMode, Session, SessionStore, Transaction
from ..urls import with_query
from .dpop_rule import new_key
from .ended_elsewhere import was_ended_from_elsewhere
from .kept_events import KeptEvents
from .login_link import (
    check_issuer,
    kept_parameters,
    login_mode,
    login_parameters,
    login_scope,
    requested_acr_values,
    safe_return_to,
)
from .lost_cookie import logins_in_vain
from .provider import Provider, Providers
from .transactions import Transactions


class Login:
    """Sends browsers to a provider."""

    def __init__(
        self, providers: Providers, store: SessionStore, *, clock: Callable[[], float]
    ) -> None:
        self._providers = providers
        self._store = store
        self._transactions = Transactions(store)
        self._kept_events = KeptEvents(store, clock=clock)
        self._clock = clock

    async def provider_of(
        self, query: Mapping[str, str], current: str | None = None
    ) -> Provider | None:
        """Return the provider that a login link is for; None if the user has to choose one.

        That is the one that the link names, by `provider` or by `iss` (a login that a third party
        starts); else that of the browser's session, which `current` names, so that a step-up or a
        further consent asks there; else, of a silent login, the default.

        Raises:
            LoginLinkError: the link names a provider that this app does not have.
            StoreUnavailable: the session cannot be read.
        """
        if self._providers.is_single:
            check_issuer(query, self._providers.default.config.issuer)
            return self._providers.default
        if "provider" in query or "iss" in query:
            named = self._providers.named(query.get("provider", ""))
            found = named if "provider" in query else self._providers.of_issuer(query["iss"])
            if found is None:
                raise LoginLinkError(
                    "The link is for a login provider that this app does not have."
                )
            check_issuer(query, found.config.issuer)
            return found
        session = await self._load(current)
        if session is not None:
            return self._providers.of_session(session)
        default = self._providers.default
        is_silent = login_mode(default.config.authorization_params, query) == LoginMode.SILENT
        return default if is_silent else None

    async def begin(
        self,
        provider: Provider,
        browser: str,
        return_to: str | None,
        *,
        query: Mapping[str, str] | None = None,
        current: str | None = None,
        tabs_of: str | None = None,
        host: str | None = None,
    ) -> str:
        """Store a transaction of this browser, and return the URL at the provider to redirect to.

        `browser` is the value of the browser cookie. `query` has the parameters of the link;
        `audience` and `scope` in it request more than the default. `current` is the session id hash
        of the browser's session. If that was ended from elsewhere (from another device, for
        example), the user has to enter the password: the session that the provider may still have
        does not suffice. `tabs_of` is the hash of the cookie that the browser's tabs share. An
        event that this browser has kept (`replay` in the query) goes along. `host` is the `Host`
        header, by which the provider is told the base URL to return to.

        Raises, each with the `login_mode` of the link:
            LoginLinkError: the link is not well-formed, or requests what this app does not use.
            CallbackError: this browser does not send the session cookie.
            ProviderError, ProviderUnavailable: discovery or pushing the request failed.
            StoreUnavailable: the session cannot be read, or the transaction cannot be stored.
        """
        query = query or {}
        mode = login_mode(provider.config.authorization_params, query)
        transaction = partial(self._transaction, provider, safe_return_to(return_to), mode, host)
        try:
            return await self._begin(provider, browser, query, current, tabs_of, transaction)
        except AuthError as error:
            error.login_mode = mode
            raise

    async def _begin(
        self,
        provider: Provider,
        browser: str,
        query: Mapping[str, str],
        current: str | None,
        tabs_of: str | None,
        new_transaction: Callable[..., Transaction],
    ) -> str:
        session, config = await self._load(current), provider.config
        others = login_parameters(config.authorization_params, query)
        is_gone = current is not None and session is None
        if is_gone and await was_ended_from_elsewhere(self._store, str(current)):
            others["max_age"] = "0"
        params = login_scope(
            config.authorization_params,
            provider.audiences,
            session if session and session.provider == provider.name else None,
            audience=query.get("audience"),
            scope=query.get("scope"),
        )
        repeats = 0
        if login_mode(config.authorization_params, query) == LoginMode.REDIRECT:
            repeats = await logins_in_vain(self._store, browser, query, self._clock())
        metadata = await provider.discovery.reachable_metadata()
        login = AuthorizationState.new()
        # New for each login: the user is not known yet, so no other session's key will do.
        key = new_key(metadata) if provider.dpop.at_login(params.audience) else None
        transaction = replace(
            new_transaction(login, params, others),
            kept_event=await self._kept_events.claim(tabs_of, query.get("replay")),
            parameters=kept_parameters(query),
            repeats=repeats,
            session_id_hash=current if session else None,
            dpop_key=key.text if key else None,
        )
        await self._transactions.open(browser, login.state, transaction)
        parameters = authorization_request(
            login,
            client_id=config.client_id,
            redirect_uri=transaction.redirect_uri,
            scope=params.scope,
            audience=params.audience,
            others=others,
            dpop_jkt=key.thumbprint if key else None,
        )
        pushed = await self._pushed(provider, metadata, parameters)
        return with_query(metadata.authorization_endpoint, pushed)

    def _transaction(
        self,
        provider: Provider,
        return_to: str,
        mode: LoginMode,
        host: str | None,
        login: AuthorizationState,
        params: AuthorizationParams,
        others: Mapping[str, str],
    ) -> Transaction:
        return Transaction(
            nonce=login.nonce,
            code_verifier=login.code_verifier,
            redirect_uri=provider.config.at_host(host).redirect_uri,
            return_to=return_to,
            scope=params.scope,
            audience=params.audience,
            created_at=self._clock(),
            max_age=int(others["max_age"]) if "max_age" in others else None,
            organization=others.get("organization"),
            mode=mode,
            acr_values=requested_acr_values(provider.config.authorization_params, others),
            provider=provider.name,
        )

    async def _pushed(
        self, provider: Provider, metadata: ProviderMetadata, parameters: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Return the parameters for the browser, or a reference to them if pushed (RFC 9126)."""
        endpoint = metadata.pushed_authorization_request_endpoint
        is_wanted = (
            metadata.require_pushed_authorization_requests
            or provider.config.pushed_authorization_requests
        )
        if endpoint is None or not is_wanted:
            return parameters
        authentication = provider.authentication(metadata)
        return await push(provider.client, endpoint, authentication, parameters)

    async def _load(self, session_id_hash: str | None) -> Session | None:
        stored = await self._store.load(session_id_hash) if session_id_hash else None
        return stored.session if stored else None
