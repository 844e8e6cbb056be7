"""The `httpx` client of one user."""

from __future__ import annotations

import functools
import urllib.request
from http.client import HTTPResponse
from http.cookiejar import CookieJar

import httpx

MAX_REDIRECTS = 5
_TIMEOUT = httpx.Timeout(10.0, connect=3.0)


class _NoCookies(CookieJar):
    """Takes none and gives none, so that no answer to one user can reach another's request."""

    def extract_cookies(self, response: HTTPResponse, request: urllib.request.Request) -> None:
        """Leave them where they are."""

    def add_cookie_header(self, request: urllib.request.Request) -> None:
        """There are none."""


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
    """Parsed once, with the slash at its end that httpx would otherwise put there for each client:
    most of what a client costs. An app has one or two of them."""
    url = httpx.URL(base_url)
    is_ready = url.raw_path.endswith(b"/")
    return url if is_ready else url.copy_with(raw_path=url.raw_path + b"/")
