"""The providers as this client uses them: metadata, keys, client authentication, HTTP client."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache

import httpx

from ..config import AuthConfig
from ..dpop import DPoPKey, Nonces, Proofs
from ..errors import LoginRequired
from ..oidc.client_authentication import ClientAuthentication
from ..oidc.discovery import Discovery, ProviderMetadata
from ..oidc.id_token import IdTokenExpectations, check_id_token
from ..oidc.jwks import Jwks
from ..oidc.jwt import Claims, JwtError, unverified_claims
from ..oidc.logout import LogoutRequest, check_logout_token
from ..oidc.provider_http import provider_client
from ..session import Session
from ..signing_key import import_signing_key
from .dpop_rule import DPoPRule


class Provider:
    """What every exchange with the provider needs. `pool` is shared; its owner closes it.

    `audiences` are those that a login link may request; `dpop` says which of its access tokens are
    bound to a key. `certified_pool` shows this client's certificate, if it has one.

    Raises:
        ConfigError: the key that signs the client assertions is invalid.
    """

    def __init__(
        self,
        config: AuthConfig,
        pool: httpx.AsyncBaseTransport,
        *,
        audiences: Collection[str],
        dpop: DPoPRule,
        certified_pool: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float],
    ) -> None:
        self.config = config
        self.name = config.provider
        self.audiences = frozenset(audiences)
        self.dpop = dpop
        self._clock = clock
        self.client = provider_client(certified_pool or pool)
        """Sends to the endpoints at which this client authenticates, and to UserInfo."""
        public = provider_client(pool)
        self.discovery = Discovery(
            config.issuer, public, clock=clock, has_certificate=certified_pool is not None
        )
        self._jwks = Jwks(self._jwks_uri, public, clock=clock)
        self._authentication = _client_authentication(config, clock)
        self._token_nonces, self._userinfo_nonces = Nonces(), Nonces()

    async def metadata(self) -> ProviderMetadata:
        """The provider's metadata, cached."""
        return await self.discovery.metadata()

    def authentication(self, metadata: ProviderMetadata) -> ClientAuthentication:
        """Return how this client authenticates at the token endpoint."""
        return self._authentication.with_method_from(metadata.token_endpoint_auth_methods_supported)

    def token_proofs(self, dpop_key: str | None) -> Proofs | None:
        """Return what proves to the token endpoint that this client has a key, if there is one."""
        return self._proofs(dpop_key, self._token_nonces)

    def userinfo_proofs(self, dpop_key: str | None) -> Proofs | None:
        """The same for the UserInfo endpoint."""
        return self._proofs(dpop_key, self._userinfo_nonces)

    def _proofs(self, dpop_key: str | None, nonces: Nonces) -> Proofs | None:
        return Proofs(DPoPKey.load(dpop_key), nonces, self._clock) if dpop_key else None

    async def check_id_token(self, id_token: str, expected: IdTokenExpectations) -> Claims:
        """Run `oidc.id_token.check_id_token` with this provider's keys and algorithms."""
        algorithms = self._algorithms(await self.metadata())
        return await check_id_token(id_token, self._jwks, expected, algorithms=algorithms)

    async def check_logout_token(self, logout_token: str) -> LogoutRequest:
        """Run `oidc.logout.check_logout_token` for this client."""
        return await check_logout_token(
            logout_token,
            self._jwks,
            issuer=self.config.issuer,
            client_id=self.config.client_id,
            now=self._clock(),
            algorithms=self._algorithms(await self.metadata()),
        )

    def _algorithms(self, metadata: ProviderMetadata) -> Collection[str]:
        configured = self.config.id_token_signed_response_alg
        return (configured,) if configured else metadata.id_token_signing_alg_values_supported

    async def _jwks_uri(self) -> str:
        return (await self.metadata()).jwks_uri


class Providers:
    """The providers of an app by name, the first of which is the default. A single one has an empty
    name."""

    def __init__(self, providers: Collection[Provider]) -> None:
        self._by_name: Mapping[str, Provider] = {each.name: each for each in providers}

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._by_name.values())

    @property
    def is_single(self) -> bool:
        """Whether the app has only one."""
        return len(self._by_name) == 1

    @property
    def default(self) -> Provider:
        """The first one."""
        return next(iter(self._by_name.values()))

    def named(self, name: str) -> Provider | None:
        """Return the one with this name."""
        return self._by_name.get(name)

    def of_issuer(self, issuer: object) -> Provider | None:
        """Return the one with this issuer identifier."""
        return next((each for each in self if each.config.issuer == issuer), None)

    def of_session(self, session: Session) -> Provider | None:
        """Return the provider of a session; None if it is no longer configured. One that has only
        its name, and is another issuer, gets none of the session's tokens."""
        provider = self.named(session.provider)
        issuer = _issuer_of(session.id_token) if session.id_token else None
        if provider is None or issuer not in (None, provider.config.issuer):
            return None
        return provider

    def of(self, session: Session) -> Provider:
        """Return the provider of a session.

        Raises:
            LoginRequired: it is no longer configured. No other one gets the session's tokens.
        """
        provider = self.of_session(session)
        if provider is None:
            raise LoginRequired("The login provider of this session is no longer configured.")
        return provider


@lru_cache(maxsize=512)
def _issuer_of(id_token: str) -> object:
    """The `iss` of an ID token that was checked at the login; None if it cannot be read."""
    try:
        return unverified_claims(id_token).get("iss")
    except JwtError:
        return None


def _client_authentication(config: AuthConfig, clock: Callable[[], float]) -> ClientAuthentication:
    method = config.client_authentication.token_endpoint_auth_method
    key = config.client_authentication.signing_key
    return ClientAuthentication(
        config.client_id,
        config.issuer,
        clock,
        client_secret=config.client_secret,
        signing_key=import_signing_key(key or "") if method == "private_key_jwt" else None,
        method=method,
    )
