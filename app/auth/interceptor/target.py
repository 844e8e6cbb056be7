"""Where `httpx` would really send a request: scheme, host, port and path, or no answer at all.

A URL is odd (`OddURLError`) when two parsers may disagree on its target. That is judged twice: on
the text as the caller wrote it, where there is text, and on what `httpx` made of it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import httpx

from .host import comparable_host, is_loopback
from .odd_path import check_path, check_written_path
from .odd_url import OddURLError

Origin = tuple[str, str, int]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ABSOLUTE = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_PATH = re.compile(r"(?:https?:/)?(/[^?#]*)", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s@%:\[\]]+)(?::[0-9]*)?")


class Target(NamedTuple):
    """The parts of a URL that decide who receives a request, in the form they are compared in.

    `host` is lower-case ASCII (punycode), an IPv6 address in its RFC 5952 form without brackets.
    `port` is the effective one. `path` is raw, as on the request line. `query` decides nothing.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: str | None

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
    def address(self) -> str:
        """The URL without its query: fit for a log."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def url(self) -> str:
        """The whole URL as it is sent; never with userinfo or a fragment."""
        return self.address if self.query is None else f"{self.address}?{self.query}"

    @property
    def is_confidential(self) -> bool:
        """Whether nobody on the network can read along: https, or http that stays on this host."""
        return self.scheme == "https" or is_loopback(self.host)


def parse_target(url: str | httpx.URL, base_url: httpx.URL | None = None) -> Target:
    """The target of `url`, a `/path` being appended to `base_url` as httpx does it.

    Raises `OddURLError` when there is no single answer, or when the URL is not http or https.
    """
    parsed = _parsed(url) if isinstance(url, str) else url
    try:
        return _target(parsed if parsed.is_absolute_url else _resolved(parsed, base_url))
    except UnicodeEncodeError:  # httpx keeps such a host until somebody asks for it
        raise OddURLError("has a host that cannot be sent") from None


def _parsed(text: str) -> httpx.URL:
    _check_text(text)
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        raise OddURLError("is not a URL that can be sent") from None


def _check_text(text: str) -> None:
    if _CONTROL.search(text):
        raise OddURLError("has a control character")
    if "\\" in text:
        raise OddURLError("has a backslash")
    if text != text.strip():
        raise OddURLError("has blanks around it")
    if path := _PATH.match(text):
        check_written_path(path[1])
    if text.startswith("/") and not text.startswith("//"):
        return
    absolute = _ABSOLUTE.match(text)
    if absolute is None:
        raise OddURLError("starts with neither http:// nor https://")
    _check_authority(absolute[1])


def _check_authority(authority: str) -> None:
    if "@" in authority:
        raise OddURLError("has userinfo before its host")
    if not _AUTHORITY.fullmatch(authority):
        raise OddURLError("has a malformed host or port")


def _resolved(url: httpx.URL, base_url: httpx.URL | None) -> httpx.URL:
    if url.scheme or url.raw_host or not url.raw_path.startswith(b"/"):
        raise OddURLError("is neither absolute nor a path")
    if base_url is None:
        raise OddURLError("is relative and there is no base_url")
    base_path = base_url.raw_path.removesuffix(b"/") + b"/"
    try:
        return base_url.copy_with(raw_path=base_path + url.raw_path.lstrip(b"/"))
    except (httpx.InvalidURL, ValueError):
        raise OddURLError("is not a URL that can be sent") from None


def _target(url: httpx.URL) -> Target:
    if url.scheme not in _DEFAULT_PORTS:
        raise OddURLError("is neither http nor https")
    if url.userinfo:
        raise OddURLError("has userinfo before its host")
    path, has_query, query = url.raw_path.decode("ascii").partition("?")
    check_path(path)
    host, port = comparable_host(url.raw_host.decode("ascii")), _port(url)
    return Target(url.scheme, host, port, path, query if has_query else None)


def _port(url: httpx.URL) -> int:
    port = _DEFAULT_PORTS[url.scheme] if url.port is None else url.port
    if not 0 < port < 65536:
        raise OddURLError("has a port outside 1-65535")
    return port
