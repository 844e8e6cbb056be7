"""The provider's metadata: fetched, checked and kept.

OpenID Connect Discovery 1.0 sections 3 and 4, RFC 8414 section 2.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from ..errors import ProviderError, ProviderUnavailable
from ..signing_key import SIGNATURE_ALGORITHMS
from ..urls import is_loopback
from .provider_http import NotReachedError, send_json, string_member

logger = logging.getLogger(__name__)

LIFETIME = 600.0  # seconds for which the metadata is used without being fetched again
COOL_DOWN = 30.0  # seconds for which the last good copy is used after a failed fetch

_REQUIRED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_ENDPOINTS = (
    *_REQUIRED,
    "end_session_endpoint",
    "pushed_authorization_request_endpoint",
    "revocation_endpoint",
    "userinfo_endpoint",
)
_WITH_ALIASES = (
    "pushed_authorization_request_endpoint",
    "revocation_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
)
_FLAGS = (
    "authorization_response_iss_parameter_supported",
    "require_pushed_authorization_requests",
)
_DEFAULT_ALGORITHM = "RS256"  # OpenID Connect Core section 3.1.3.7 rule 7


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """The members that this client uses, spelled as in discovery."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = None
    pushed_authorization_request_endpoint: str | None = None
    revocation_endpoint: str | None = None
    userinfo_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False
    require_pushed_authorization_requests: bool = False
    id_token_signing_alg_values_supported: tuple[str, ...] = (_DEFAULT_ALGORITHM,)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ()
    dpop_signing_alg_values_supported: tuple[str, ...] = ()

    @classmethod
    def from_document(cls, document: Mapping[str, Any], *, issuer: str) -> ProviderMetadata:
        """Check a discovery document.

        Raises:
            ProviderError: it is of another issuer, lacks an endpoint, has an endpoint without TLS
                (allowed if it and the issuer are on loopback), or announces no accepted algorithm.
        """
        if document.get("issuer") != issuer:
            raise ProviderError(
                f"Discovery announces another issuer than {issuer}: check AUTH0_DOMAIN or "
                "OIDC_ISSUER.",
                code="issuer_mismatch",
            )
        endpoints = {name: _endpoint(document, name, issuer) for name in _ENDPOINTS}
        missing = [name for name in _REQUIRED if endpoints[name] is None]
        if missing:
            raise ProviderError(f"Discovery lacks {', '.join(missing)}.")
        return cls(
            issuer=issuer,
            id_token_signing_alg_values_supported=_signing_algorithms(document),
            token_endpoint_auth_methods_supported=_strings(
                document, "token_endpoint_auth_methods_supported"
            ),
            dpop_signing_alg_values_supported=_strings(
                document, "dpop_signing_alg_values_supported"
            ),
            **{name: document.get(name) is True for name in _FLAGS},  # type: ignore[arg-type]
            **endpoints,  # type: ignore[arg-type]
        )


class Discovery:
    """Caches the metadata, and keeps the last good copy while the provider is down."""

    def __init__(
        self,
        issuer: str,
        client: httpx.AsyncClient,
        *,
        clock: Callable[[], float],
        has_certificate: bool = False,
    ) -> None:
        """With `has_certificate`, the metadata has the endpoints for a client certificate."""
        self._has_certificate = has_certificate
        self._issuer = issuer
        self._client = client
        self._clock = clock
        self._metadata: ProviderMetadata | None = None
        self._fetched_at = float("-inf")
        self._fetches = 0
        self._lock = asyncio.Lock()

    async def metadata(self) -> ProviderMetadata:
        """The metadata. While the provider is down, the last good copy, however old it is.

        Raises:
            ProviderUnavailable: the provider is down and there is no copy.
            ProviderError: the response cannot be used.
        """
        return await self._not_older_than(LIFETIME, fatal=())

    async def reachable_metadata(self) -> ProviderMetadata:
        """The metadata of a provider that accepts connections now. Ask before sending a browser.

        A provider that answers with an error may still be able to log users in, so the last good
        copy is used. Raises as `metadata` does, and `ProviderUnavailable` without a connection.
        """
        return await self._not_older_than(0.0, fatal=NotReachedError)

    async def _not_older_than(
        self, age: float, *, fatal: type[Exception] | tuple[()]
    ) -> ProviderMetadata:
        seen = self._fetches
        async with self._lock:
            is_recent = self._clock() - self._fetched_at < age or self._fetches != seen
            if self._metadata is not None and is_recent:
                return self._metadata
            try:
                self._metadata = await self._fetch()
                self._fetched_at = self._clock()
                self._fetches += 1  # callers that waited for the lock use this copy
            except ProviderUnavailable as error:
                if self._metadata is None or isinstance(error, fatal):
                    raise
                retry_after_cool_down = self._clock() - LIFETIME + COOL_DOWN
                self._fetched_at = max(self._fetched_at, retry_after_cool_down)
                logger.warning("%s The last good copy of the metadata is used.", error)
            return self._metadata

    async def _fetch(self) -> ProviderMetadata:
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        request = self._client.build_request("GET", url)
        status, document = await send_json(self._client, request, purpose="discovery")
        if status != 200:
            raise ProviderError(
                f"Discovery at {url} answered {status}: check AUTH0_DOMAIN or OIDC_ISSUER."
            )
        if self._has_certificate:
            document |= _mtls_endpoints(document)
        return ProviderMetadata.from_document(document, issuer=self._issuer)


def _endpoint(document: Mapping[str, Any], name: str, issuer: str) -> str | None:
    url = string_member(document, name)
    if url is None:
        return None
    if not _is_secure(url, issuer):
        raise ProviderError(f"Discovery's {name} is not an https URL.")
    return url


def _mtls_endpoints(document: Mapping[str, Any]) -> dict[str, Any]:
    """The endpoints that ask for a client certificate (RFC 8705 section 5)."""
    aliases = document.get("mtls_endpoint_aliases")
    if aliases is None:
        return {}
    if not isinstance(aliases, dict):
        raise ProviderError("Discovery's mtls_endpoint_aliases is not an object.")
    return {name: aliases[name] for name in _WITH_ALIASES if name in aliases}


def _is_secure(url: str, issuer: str) -> bool:
    """https, or http on loopback if the issuer is plain http, too (hence on loopback)."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    is_local = is_loopback(parts.hostname) and urlsplit(issuer).scheme == "http"
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_local)
    has_more = parts.username is not None or bool(parts.fragment)
    return is_safe and bool(parts.hostname) and not has_more and url.isprintable()


def _signing_algorithms(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The announced algorithms that this client accepts: never `none`, never a symmetric one."""
    announced = _strings(document, "id_token_signing_alg_values_supported") or (_DEFAULT_ALGORITHM,)
    accepted = tuple(algorithm for algorithm in announced if algorithm in SIGNATURE_ALGORITHMS)
    if not accepted:
        raise ProviderError("Discovery announces no signature algorithm that this client accepts.")
    return accepted


def _strings(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = document.get(name)
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ProviderError(f'"{name}" in the provider\'s answer is not a list of strings.')
    return tuple(values)
