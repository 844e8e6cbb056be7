"""The `httpx` client of one user, and the connection pool of all of them."""

from __future__ import annotations

import functools
import ssl
import urllib.request
from http.client import HTTPResponse
from http.cookiejar import CookieJar

import httpx

MAX_REDIRECTS = 5
_TIMEOUT = httpx.Timeout(10.0, connect=3.0)
# Shorter than the five seconds after which common servers (Node's, uvicorn, Apache's) close an idle
# connection: what is sent on one that is just being closed fails, and a PATCH is not sent again.
_KEEPALIVE_EXPIRY = 4.0
# As many may be idle as there are: beyond httpx's own 20, each request would open a new connection.
_LIMITS = httpx.Limits(
    max_connections=100, max_keepalive_connections=100, keepalive_expiry=_KEEPALIVE_EXPIRY
)


class _NoCookies(CookieJar):
    """Takes none and gives none, so that no answer to one user can reach another's request."""

    def extract_cookies(self, response: HTTPResponse, request: urllib.request.Request) -> None:
        """Leave them where they are."""

    def add_cookie_header(self, request: urllib.request.Request) -> None:
        """There are none."""


def build_pool(verify: ssl.SSLContext | bool = True) -> httpx.AsyncHTTPTransport:
    """A bounded pool that takes no proxy and no certificates from the environment, nor retries.

    Whoever builds it closes it (`await pool.aclose()`).
    """
    return httpx.AsyncHTTPTransport(verify=verify, trust_env=False, limits=_LIMITS, retries=0)


def build_client(
    transport: httpx.AsyncBaseTransport, base_url: str | None = None
) -> httpx.AsyncClient:
    """A client without cookies or proxies of the environment, that redirects only if asked."""
    return httpx.AsyncClient(
        transport=transport,
        base_url=_parsed(base_url or ""),
        cookies=_NoCookies(),
        timeout=_TIMEOUT,
        max_redirects=MAX_REDIRECTS,
        follow_redirects=False,
        trust_env=False,
    )


@functools.cache
def _parsed(base_url: str) -> httpx.URL:
    """Parsed once: half of what a client costs. An app has one or two of them."""
    return httpx.URL(base_url)
