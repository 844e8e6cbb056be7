"""The provider, as one configured client sees it: metadata, keys, credentials and a connection."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from ..config import AuthConfig
from ..oidc.discovery import Discovery, ProviderMetadata
from ..oidc.http import provider_client
from ..oidc.jwks import Jwks
from ..oidc.token_endpoint import ClientCredentials


class Provider:
    """What every exchange with the provider needs; `pool` is shared and closed elsewhere."""

    def __init__(
        self, config: AuthConfig, pool: httpx.AsyncBaseTransport, *, clock: Callable[[], float]
    ) -> None:
        self.client = provider_client(pool)
        self.discovery = Discovery(config.issuer, self.client, clock=clock)
        self.jwks = Jwks(self._jwks_uri, self.client, clock=clock)
        self.credentials = ClientCredentials(config.client_id, config.client_secret)

    async def metadata(self) -> ProviderMetadata:
        """The provider's metadata, cached."""
        return await self.discovery.metadata()

    async def _jwks_uri(self) -> str:
        return (await self.metadata()).jwks_uri
