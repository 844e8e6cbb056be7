"""Starts a login: the code flow (OpenID Connect Core section 3.1) up to the provider."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from ..config import AuthConfig, AuthorizationParams
from ..errors import AuthError
from ..oidc.authorization import AuthorizationState, authorization_request, push
from ..oidc.discovery import ProviderMetadata
from ..session import LoginMode, Session, SessionStore, Transaction
from ..urls import with_query
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
from .provider import Provider
from .transactions import Transactions


class Login:
    """Sends browsers to the provider. `audiences` are those that a link may request."""

    def __init__(
        self,
        config: AuthConfig,
        provider: Provider,
        store: SessionStore,
        *,
        audiences: Collection[str],
        clock: Callable[[], float],
    ) -> None:
        self._config = config
        self._provider = provider
        self._store = store
        self._transactions = Transactions(store)
        self._kept_events = KeptEvents(store, clock=clock)
        self._audiences = frozenset(audiences)
        self._clock = clock

    async def begin(
        self,
        browser: str,
        return_to: str | None,
        *,
        query: Mapping[str, str] | None = None,
        current: str | None = None,
        tabs_of: str | None = None,
    ) -> str:
        """Store a transaction of this browser, and return the URL at the provider to redirect to.

        `browser` is the value of the browser cookie. `query` has the parameters of the link;
        `audience` and `scope` in it request more than the default. `current` is the session id hash
        of the browser's session. If that was ended from elsewhere (from another device, for
        example), the user has to enter the password: the session that the provider may still have
        does not suffice. `tabs_of` is the hash of the cookie that the browser's tabs share. An
        event that this browser has kept (`replay` in the query) goes along.

        Raises, each with the `login_mode` of the link:
            LoginLinkError: the link is not well-formed, or requests what this app does not use.
            ProviderError, ProviderUnavailable: discovery or pushing the request failed.
            StoreUnavailable: the session cannot be read, or the transaction cannot be stored.
        """
        query = query or {}
        mode = login_mode(self._config.authorization_params, query)
        try:
            return await self._begin(browser, return_to, query, current, tabs_of, mode)
        except AuthError as error:
            error.login_mode = mode
            raise

    async def _begin(
        self,
        browser: str,
        return_to: str | None,
        query: Mapping[str, str],
        current: str | None,
        tabs_of: str | None,
        mode: LoginMode,
    ) -> str:
        session = await self._load(current)
        check_issuer(query, self._config.issuer)
        others = login_parameters(self._config.authorization_params, query)
        is_gone = current is not None and session is None
        if is_gone and await was_ended_from_elsewhere(self._store, str(current)):
            others["max_age"] = "0"
        params = login_scope(
            self._config.authorization_params,
            self._audiences,
            session,
            audience=query.get("audience"),
            scope=query.get("scope"),
        )
        metadata = await self._provider.discovery.reachable_metadata()
        login = AuthorizationState.new()
        transaction = replace(
            self._transaction(login, params, others, safe_return_to(return_to), mode),
            kept_event=await self._kept_events.claim(tabs_of, query.get("replay")),
            parameters=kept_parameters(query),
        )
        await self._transactions.open(browser, login.state, transaction)
        parameters = authorization_request(
            login,
            client_id=self._config.client_id,
            redirect_uri=transaction.redirect_uri,
            scope=params.scope,
            audience=params.audience,
            others=others,
        )
        return with_query(metadata.authorization_endpoint, await self._pushed(metadata, parameters))

    def _transaction(
        self,
        login: AuthorizationState,
        params: AuthorizationParams,
        others: Mapping[str, str],
        return_to: str,
        mode: LoginMode,
    ) -> Transaction:
        return Transaction(
            nonce=login.nonce,
            code_verifier=login.code_verifier,
            redirect_uri=self._config.redirect_uri,
            return_to=return_to,
            scope=params.scope,
            audience=params.audience,
            created_at=self._clock(),
            max_age=int(others["max_age"]) if "max_age" in others else None,
            organization=others.get("organization"),
            mode=mode,
            acr_values=requested_acr_values(self._config.authorization_params, others),
        )

    async def _pushed(
        self, metadata: ProviderMetadata, parameters: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Return the parameters for the browser, or a reference to them if pushed (RFC 9126)."""
        endpoint = metadata.pushed_authorization_request_endpoint
        is_wanted = (
            metadata.require_pushed_authorization_requests
            or self._config.pushed_authorization_requests
        )
        if endpoint is None or not is_wanted:
            return parameters
        authentication = self._provider.authentication(metadata)
        return await push(self._provider.client, endpoint, authentication, parameters)

    async def _load(self, session_id_hash: str | None) -> Session | None:
        stored = await self._store.load(session_id_hash) if session_id_hash else None
        return stored.session if stored else None
