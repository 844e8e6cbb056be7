"""Connections with a client certificate to the APIs that want one (RFC 8705 section 3)."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from ..client_certificate import ClientCertificate
from ..errors import ConfigError
from .connection_pool import build_pool
from .url import normalize_url
from .url_checks import AmbiguousURLError


class CertifiedPools(httpx.AsyncBaseTransport):
    """Sends each request by the pool of its origin, which shows that origin's certificate, and the
    others by `plain`, which belongs to its owner.

    Raises:
        ConfigError: an origin is not an https one, or its certificate cannot be used.
    """

    def __init__(
        self, plain: httpx.AsyncBaseTransport, certificates: Mapping[str, ClientCertificate]
    ) -> None:
        self._plain = plain
        self._pools = {
            _origin(text): build_pool(certificate.ssl_context())
            for text, certificate in certificates.items()
        }

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request that carries the user's token."""
        pool = self._pools.get(_key(request.url), self._plain)
        return await pool.handle_async_request(request)

    def has_own(self, url: httpx.URL) -> bool:
        """Whether requests to this URL show a certificate."""
        return _key(url) in self._pools

    async def aclose(self) -> None:
        """Close the pools with a certificate."""
        for pool in self._pools.values():
            await pool.aclose()


def _origin(text: str) -> tuple[str, bytes]:
    try:
        normalize_url(text)
        url = httpx.URL(text)
    except (AmbiguousURLError, httpx.InvalidURL):
        url = httpx.URL()
    if url.scheme != "https" or url.raw_path not in (b"", b"/"):
        raise ConfigError(
            f"client_certificates has {text!r}; write an origin, such as 'https://api.example.com'."
        )
    return _key(url)


def _key(url: httpx.URL) -> tuple[str, bytes]:
    return url.scheme, url.netloc
