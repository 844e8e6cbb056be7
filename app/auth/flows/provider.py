"""The provider as one client uses it: metadata, keys, client authentication, HTTP client."""

from __future__ import annotations

from collections.abc import Callable, Collection

import httpx

from ..config import AuthConfig
from ..oidc.client_authentication import ClientAuthentication
from ..oidc.discovery import Discovery, ProviderMetadata
from ..oidc.id_token import IdTokenExpectations, check_id_token
from ..oidc.jwks import Jwks
from ..oidc.jwt import Claims
from ..oidc.logout import LogoutRequest, check_logout_token
from ..oidc.provider_http import provider_client
from ..signing_key import import_signing_key


class Provider:
    """What every exchange with the provider needs. `pool` is shared; its owner closes it.

    Raises:
        ConfigError: the key that signs the client assertions is invalid.
    """

    def __init__(
        self, config: AuthConfig, pool: httpx.AsyncBaseTransport, *, clock: Callable[[], float]
    ) -> None:
        self._config = config
        self._clock = clock
        self.client = provider_client(pool)
        self.discovery = Discovery(config.issuer, self.client, clock=clock)
        self._jwks = Jwks(self._jwks_uri, self.client, clock=clock)
        self._authentication = _client_authentication(config, clock)

    async def metadata(self) -> ProviderMetadata:
        """The provider's metadata, cached."""
        return await self.discovery.metadata()

    def authentication(self, metadata: ProviderMetadata) -> ClientAuthentication:
        """Return how this client authenticates at the token endpoint."""
        return self._authentication.with_method_from(metadata.token_endpoint_auth_methods_supported)

    async def check_id_token(self, id_token: str, expected: IdTokenExpectations) -> Claims:
        """Run `oidc.id_token.check_id_token` with this provider's keys and algorithms."""
        algorithms = self._algorithms(await self.metadata())
        return await check_id_token(id_token, self._jwks, expected, algorithms=algorithms)

    async def check_logout_token(self, logout_token: str) -> LogoutRequest:
        """Run `oidc.logout.check_logout_token` for this client."""
        return await check_logout_token(
            logout_token,
            self._jwks,
            issuer=self._config.issuer,
            client_id=self._config.client_id,
            now=self._clock(),
            algorithms=self._algorithms(await self.metadata()),
        )

    def _algorithms(self, metadata: ProviderMetadata) -> Collection[str]:
        configured = self._config.id_token_signed_response_alg
        return (configured,) if configured else metadata.id_token_signing_alg_values_supported

    async def _jwks_uri(self) -> str:
        return (await self.metadata()).jwks_uri


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
