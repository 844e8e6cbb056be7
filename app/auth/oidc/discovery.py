"""Provider metadata: OpenID Connect Discovery 1.0 section 4 and RFC 8414."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from ..config import is_loopback
from ..errors import ProviderError, ProviderUnavailable
from .http import send_json, string_member


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """The members this client uses, spelled as in discovery."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = None
    revocation_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False

    @classmethod
    def from_document(cls, document: Mapping[str, Any], *, issuer: str) -> ProviderMetadata:
        """Judge a discovery document.

        Raises:
            ProviderError: another issuer, a missing endpoint, or one without TLS off loopback.
        """
        if document.get("issuer") != issuer:
            raise ProviderError(
                f"Discovery announces another issuer than {issuer}: check AUTH0_DOMAIN.",
                code="issuer_mismatch",
            )
        endpoints = {name: _endpoint(document, name) for name in _ENDPOINTS}
        missing = [name for name in _REQUIRED if endpoints[name] is None]
        if missing:
            raise ProviderError(f"Discovery lacks {', '.join(missing)}.")
        return cls(
            issuer=issuer,
            authorization_response_iss_parameter_supported=(
                document.get("authorization_response_iss_parameter_supported") is True
            ),
            **endpoints,  # type: ignore[arg-type]
        )


_REQUIRED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_ENDPOINTS = (*_REQUIRED, "end_session_endpoint", "revocation_endpoint")


def _endpoint(document: Mapping[str, Any], name: str) -> str | None:
    url = string_member(document, name)
    if url is None:
        return None
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    if not secure or not parts.hostname or parts.username is not None or parts.fragment:
        raise ProviderError(f"Discovery's {name} is not an https URL.")
    return url


class Discovery:
    """Keeps the metadata for `lifetime` seconds, and the last good copy for longer."""

    def __init__(
        self,
        issuer: str,
        client: httpx.AsyncClient,
        *,
        clock: Callable[[], float],
        lifetime: float = 600.0,
    ) -> None:
        self._issuer = issuer
        self._client = client
        self._clock = clock
        self._lifetime = lifetime
        self._metadata: ProviderMetadata | None = None
        self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()

    async def metadata(self) -> ProviderMetadata:
        """The metadata; when the provider is down, the last good copy however old it is."""
        if self._metadata and self._clock() - self._fetched_at < self._lifetime:
            return self._metadata
        async with self._lock:
            try:
                return await self._fetch()
            except ProviderUnavailable:
                if self._metadata is None:
                    raise
                return self._metadata

    async def reachable_metadata(self) -> ProviderMetadata:
        """The metadata, freshly fetched: a browser must not be sent to a provider that is down."""
        async with self._lock:
            return await self._fetch()

    async def _fetch(self) -> ProviderMetadata:
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        request = self._client.build_request("GET", url, headers={"Accept": "application/json"})
        status, document = await send_json(self._client, request, purpose="discovery")
        if status != 200:
            raise ProviderError(f"Discovery at {url} answered {status}: check AUTH0_DOMAIN.")
        self._metadata = ProviderMetadata.from_document(document, issuer=self._issuer)
        self._fetched_at = self._clock()
        return self._metadata
