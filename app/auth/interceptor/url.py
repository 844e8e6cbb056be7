"""The URL that `httpx` really sends to: scheme, host, port and path.

A URL that two parsers may read differently has no such answer (`AmbiguousURLError`). It is checked
twice: the text as the caller wrote it, if it is text, and what `httpx` made of it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import httpx

from .url_checks import (
    AmbiguousURLError,
    check_path,
    check_text,
    comparable_host,
    is_loopback,
    with_backslashes_as_slashes,
)

Origin = tuple[str, str, int]

_DEFAULT_PORTS = {"http": 80, "https": 443}


class NormalizedURL(NamedTuple):
    """The parts of a URL that decide who receives a request, in the form they are compared in.

    `host` is lower-case ASCII (punycode), an IPv6 address in its RFC 5952 form without brackets.
    `port` is the effective one. `path` is raw, as on the request line. `query` decides nothing.
    `other_path` is the path as servers read it that take an encoded backslash in its last segment
    for a slash; None if there is none.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: str | None
    other_path: str | None = None

    @property
    def origin(self) -> Origin:
        """Scheme, host and port (RFC 6454 section 4)."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """`host`, with `:port` unless that is the scheme's default (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def without_query(self) -> str:
        """The URL without its query: fit for a log."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def text(self) -> str:
        """The whole URL as it is sent; never with userinfo or a fragment."""
        return self.without_query if self.query is None else f"{self.without_query}?{self.query}"

    @property
    def is_confidential(self) -> bool:
        """Whether the network cannot read the request: https, or http that stays on this host."""
        return self.scheme == "https" or is_loopback(self.host)


def normalize_url(
    url: str | httpx.URL, base_url: httpx.URL | None = None, *, with_other_path: bool = False
) -> NormalizedURL:
    """Normalize `url`; a `/path` is appended to `base_url` as httpx does it.

    A caller that decides about both readings of an encoded backslash in the last segment passes
    `with_other_path`; for any other caller such a URL is ambiguous.

    Raises `AmbiguousURLError` when parsers may disagree, or when the URL is not http or https.
    """
    parsed = _parsed(url) if isinstance(url, str) else url
    try:
        absolute = parsed if parsed.is_absolute_url else _resolved(parsed, base_url)
        return _normalized(absolute, with_other_path)
    except UnicodeEncodeError:  # httpx accepts such a host and fails when it is first read
        raise AmbiguousURLError("has a host that cannot be sent") from None


def _parsed(text: str) -> httpx.URL:
    check_text(text)
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        raise AmbiguousURLError("is not a URL that can be sent") from None


def _resolved(url: httpx.URL, base_url: httpx.URL | None) -> httpx.URL:
    if url.scheme or url.raw_host or not url.raw_path.startswith(b"/"):
        raise AmbiguousURLError("is neither absolute nor a path")
    if base_url is None:
        raise AmbiguousURLError("is relative and there is no base_url")
    base_path = base_url.raw_path.removesuffix(b"/") + b"/"
    try:
        return base_url.copy_with(raw_path=base_path + url.raw_path.lstrip(b"/"))
    except (httpx.InvalidURL, ValueError):
        raise AmbiguousURLError("is not a URL that can be sent") from None


def _normalized(url: httpx.URL, with_other_path: bool) -> NormalizedURL:
    if url.scheme not in _DEFAULT_PORTS:
        raise AmbiguousURLError("is neither http nor https")
    if url.userinfo:
        raise AmbiguousURLError("has userinfo before its host")
    path, has_query, query = url.raw_path.decode("ascii").partition("?")
    other_path = with_backslashes_as_slashes(path) if with_other_path and "%" in path else None
    check_path(other_path or path)
    scheme, host, port = _origin(url.scheme, url.raw_host, url.port)
    return NormalizedURL(scheme, host, port, path, query if has_query else None, other_path)


@lru_cache(maxsize=1024)  # an app calls few origins
def _origin(scheme: str, raw_host: bytes, port: int | None) -> Origin:
    host = comparable_host(raw_host.decode("ascii"))
    effective_port = _DEFAULT_PORTS[scheme] if port is None else port
    if not 0 < effective_port < 65536:
        raise AmbiguousURLError("has a port outside 1-65535")
    return scheme, host, effective_port
