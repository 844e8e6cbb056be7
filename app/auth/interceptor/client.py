"""The `httpx` client of one user."""

from __future__ import annotations

import urllib.request
from http.client import HTTPResponse
from http.cookiejar import CookieJar

import httpx

MAX_REDIRECTS = 5
_TIMEOUT = httpx.Timeout(10.0, connect=3.0)


class _NoCookies(CookieJar):
    """Stores and sends no cookies, so that no answer to one user reaches another's request."""

    def extract_cookies(self, response: HTTPResponse, request: urllib.request.Request) -> None:
        """Store none."""

    def add_cookie_header(self, request: urllib.request.Request) -> None:
        """Send none."""


def build_client(
    transport: httpx.AsyncBaseTransport, base_url: str | None = None
) -> httpx.AsyncClient:
    """A client without cookies, and without proxies from the environment; it follows redirects only
    if the caller asks for it."""
    return httpx.AsyncClient(
        transport=transport,
        base_url=base_url or "",
        cookies=_NoCookies(),
        timeout=_TIMEOUT,
        max_redirects=MAX_REDIRECTS,
        follow_redirects=False,
        trust_env=False,
    )
