"""Logging in: the authorization code flow (OpenID Connect Core section 3.1) from end to end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..config import AuthConfig
from ..errors import IdTokenError, TransactionError
from ..oidc.authorization_request import LoginSecrets, authorization_url
from ..oidc.authorization_response import code_of, single_parameters, state_of
from ..oidc.id_token import Expected, check_id_token
from ..oidc.token_endpoint import TokenResponse, exchange_code
from ..session import AccessToken, Session, SessionStore, Transaction, new_handle, reference
from .provider import Provider
from .return_to import safe_return_to

# Claims that are about the token and not about the person; the rest is the app's `user`.
_PROTOCOL_CLAIMS = frozenset(
    {"iss", "aud", "exp", "iat", "nbf", "nonce", "azp", "at_hash", "c_hash", "s_hash"}
    | {"auth_time", "acr", "amr", "sid", "jti", "typ"}
)


@dataclass(frozen=True, slots=True)
class CompletedLogin:
    """A new session: the handle for the cookie, and the path to go to."""

    handle: str = field(repr=False)
    return_to: str


class Login:
    """Begins and completes logins. Attempts are independent, so two tabs can log in at once."""

    def __init__(
        self,
        config: AuthConfig,
        provider: Provider,
        store: SessionStore,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._config = config
        self._provider = provider
        self._store = store
        self._clock = clock

    async def begin(self, browser: str, return_to: str | None) -> str:
        """Remember a login attempt of the browser that holds `browser`; return the URL to go to.

        Raises:
            ProviderError, ProviderUnavailable: discovery failed.
            StoreUnavailable: the attempt cannot be remembered.
        """
        metadata = await self._provider.discovery.reachable_metadata()
        login = LoginSecrets.new()
        params = self._config.authorization_params
        transaction = Transaction(
            nonce=login.nonce,
            code_verifier=login.code_verifier,
            redirect_uri=self._config.redirect_uri,
            return_to=safe_return_to(return_to),
            scope=params.scope,
            audience=params.audience,
            created_at=self._clock(),
        )
        await self._store.put_transaction(_transaction_key(browser, login.state), transaction)
        return authorization_url(
            metadata,
            login,
            client_id=self._config.client_id,
            redirect_uri=transaction.redirect_uri,
            scope=params.scope,
            audience=params.audience,
        )

    async def complete(
        self, browser: str | None, items: Sequence[tuple[str, str]]
    ) -> CompletedLogin:
        """Judge the callback's query `items` and turn a good one into a session.

        Raises:
            TransactionError: `state` is not of an open attempt of this browser.
            AuthorizationError: the provider refused (the person declined, for example).
            CallbackError, IdTokenError: the answer does not fit the attempt.
            ProviderError, ProviderUnavailable, StoreUnavailable: as named.
        """
        parameters = single_parameters(items)
        transaction = await self._take(browser, state_of(parameters))
        metadata = await self._provider.metadata()
        response = await exchange_code(
            self._provider.client,
            metadata.token_endpoint,
            self._provider.credentials,
            code=code_of(parameters, metadata),
            redirect_uri=transaction.redirect_uri,
            code_verifier=transaction.code_verifier,
        )
        claims = await self._check(response, transaction)
        handle = new_handle()
        await self._store.create(reference(handle), self._session(response, transaction, claims))
        return CompletedLogin(handle, transaction.return_to)

    async def _take(self, browser: str | None, state: str) -> Transaction:
        transaction = None
        if browser is not None:
            transaction = await self._store.take_transaction(_transaction_key(browser, state))
        if transaction is None:
            raise TransactionError("No open login attempt of this browser has this state.")
        return transaction

    async def _check(self, response: TokenResponse, transaction: Transaction) -> dict[str, Any]:
        if response.id_token is None:
            raise IdTokenError("The token response has no ID token.")
        expected = Expected(
            issuer=self._config.issuer,
            client_id=self._config.client_id,
            nonce=transaction.nonce,
            access_token=response.access_token,
            now=self._clock(),
            max_age=transaction.max_age,
        )
        return await check_id_token(response.id_token, self._provider.jwks, expected)

    def _session(
        self, response: TokenResponse, transaction: Transaction, claims: Mapping[str, Any]
    ) -> Session:
        now = self._clock()
        token = AccessToken(
            value=response.access_token,
            audience=transaction.audience or "",
            scope=response.scope or transaction.scope,
            expires_at=now + response.expires_in,
        )
        sid = claims.get("sid")
        return Session(
            sub=claims["sub"],
            sid=sid if isinstance(sid, str) else None,
            user={name: value for name, value in claims.items() if name not in _PROTOCOL_CLAIMS},
            access_tokens=(token,),
            refresh_token=response.refresh_token,
            created_at=now,
        )


def _transaction_key(browser: str, state: str) -> str:
    """The key of an attempt: only the browser that began it can know both halves."""
    return hashlib.sha256(f"login\0{browser}\0{state}".encode()).hexdigest()
