"""Fetching the provider's metadata and keeping it: OpenID Connect Discovery 1.0 section 4."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import httpx

from ..errors import ProviderError, ProviderUnavailable
from .http import NotReachedError, send_json
from .provider_metadata import ProviderMetadata

logger = logging.getLogger(__name__)

LIFETIME = 600.0  # seconds for which the metadata counts without being fetched anew
COOL_DOWN = 30.0  # seconds for which the last good copy serves before a silent provider is asked


class Discovery:
    """Keeps the metadata, and the last good copy for as long as the provider is down."""

    def __init__(
        self, issuer: str, client: httpx.AsyncClient, *, clock: Callable[[], float]
    ) -> None:
        self._issuer = issuer
        self._client = client
        self._clock = clock
        self._metadata: ProviderMetadata | None = None
        self._fetched_at = float("-inf")
        self._fetches = 0
        self._lock = asyncio.Lock()

    async def metadata(self) -> ProviderMetadata:
        """The metadata; when the provider is down, the last good copy however old it is.

        Raises:
            ProviderUnavailable: there is no copy yet.
            ProviderError: discovery answers something that cannot be trusted.
        """
        return await self._not_older_than(LIFETIME, never_tolerated=())

    async def reachable_metadata(self) -> ProviderMetadata:
        """The metadata of a provider that can be connected to now, for sending a browser there.

        One that answers, but not with its metadata, may still be able to log people in. Raises as
        `metadata` does, and `ProviderUnavailable` when there is no connection.
        """
        return await self._not_older_than(0.0, never_tolerated=NotReachedError)

    async def _not_older_than(
        self, age: float, *, never_tolerated: type[Exception] | tuple[()]
    ) -> ProviderMetadata:
        seen = self._fetches
        async with self._lock:
            is_recent = self._clock() - self._fetched_at < age or self._fetches != seen
            if self._metadata is not None and is_recent:
                return self._metadata
            try:
                self._metadata = await self._fetch()
                self._fetched_at = self._clock()
                self._fetches += 1  # whoever has waited for it takes it
            except ProviderUnavailable as error:
                if self._metadata is None or isinstance(error, never_tolerated):
                    raise
                quiet = self._clock() - LIFETIME + COOL_DOWN
                self._fetched_at = max(self._fetched_at, quiet)
                logger.warning("%s The last good copy of the metadata serves.", error)
            return self._metadata

    async def _fetch(self) -> ProviderMetadata:
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        request = self._client.build_request("GET", url)
        status, document = await send_json(self._client, request, purpose="discovery")
        if status != 200:
            raise ProviderError(f"Discovery at {url} answered {status}: check AUTH0_DOMAIN.")
        return ProviderMetadata.from_document(document, issuer=self._issuer)
