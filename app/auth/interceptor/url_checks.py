"""Checks for URLs that two parsers read differently. Such a URL never gets a token.

`httpx` removes plain `.` and `..` segments before sending (RFC 3986 section 5.2.4). What is left is
sent as it stands. A server may then decode `%2e%2e`, cut off `;parameters`, turn `\\` into `/`,
decode twice, or fold wide characters into ASCII: each moves the request out of the allowed path.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

_MOST_ENCODINGS = 8
_PLAIN_DOTS = frozenset({".", ".."})
_NEEDS_A_LOOK = re.compile(r"[%\\]|/\.")
_MALFORMED_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ENCODED_BACKSLASH = re.compile(r"%5C", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_END_OF_NAME = re.compile(r"[;?#]")
_ABSOLUTE = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_PATH = re.compile(r"(?:https?:/)?(/[^?#]*)", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s@%:\[\]]+)(?::[0-9]*)?")
_LABEL = r"[a-z0-9_][a-z0-9_-]{0,62}"
_NAME = re.compile(rf"(?!.{{254}}){_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_CACHED_HOSTS = 1024  # addresses are slow to parse


class AmbiguousURLError(ValueError):
    """The URL has something that parsers read in different ways, so it never gets a token.

    The message says what, in words that fit after "the URL ...", and quotes none of it.
    """


def check_text(text: str) -> None:
    """Raise `AmbiguousURLError` for a URL as the caller wrote it, before httpx has parsed it."""
    if _CONTROL.search(text):
        raise AmbiguousURLError("has a control character")
    if "\\" in text:
        raise AmbiguousURLError("has a backslash")
    if text != text.strip():
        raise AmbiguousURLError("has blanks around it")
    if path := _PATH.match(text):
        _check_written_path(path[1])
    if text.startswith("/") and not text.startswith("//"):
        return
    absolute = _ABSOLUTE.match(text)
    if absolute is None:
        raise AmbiguousURLError("starts with neither http:// nor https://")
    _check_authority(absolute[1])


def check_path(path: str) -> None:
    """Raise `AmbiguousURLError` unless every server reads the raw `path` (no query) alike."""
    if not path.startswith("/"):
        raise AmbiguousURLError("has a path that does not start with '/'")
    if not path.isascii():
        raise AmbiguousURLError("has a path that is not percent-encoded")
    if _NEEDS_A_LOOK.search(path):
        _check_every_decoding(path)


def with_backslashes_as_slashes(path: str) -> str | None:
    """Return `path` as a server reads it that takes the `%5C` in its last segment for a slash. None
    if there is none, or if one does not stand between two names.

    In an identifier such as `CORP\\bob` an encoded backslash is data. `check_path` accepts none;
    the caller checks this reading instead, and allows what both readings allow.
    """
    folder, _, name = path.rpartition("/")
    names = _ENCODED_BACKSLASH.split(name)
    return "/".join((folder, *names)) if len(names) > 1 and all(names) else None


def decoded_path(path: str) -> str:
    """Return a path that `check_path` accepts in the one spelling that all of its spellings have in
    common: without percent-encoding, empty segments and capitals."""
    for _ in range(_MOST_ENCODINGS):
        path, before = _decoded(path), path
        if path == before:
            break
    segments = [segment.strip() for segment in path.casefold().split("/")]
    return "/" + "/".join([*filter(None, segments[:-1]), segments[-1]])


def without_parameters(path: str) -> str:
    """Return a decoded path as a server reads it that cuts off `;parameters` in each segment."""
    return "/".join(segment.partition(";")[0] for segment in path.split("/"))


def has_dot_segment(path: str) -> bool:
    """Whether a segment is `.` or `..`, also with a `;parameter` or blanks behind it."""
    names = (_END_OF_NAME.split(segment, maxsplit=1)[0] for segment in path.split("/"))
    return any(name.strip() in {".", ".."} for name in names)


def comparable_host(host: str) -> str:
    """`host` as httpx has it (lower-case, punycode, no brackets), an IPv6 address compressed.

    Raises `AmbiguousURLError` for what resolvers and parsers read differently: a percent sign, a
    trailing dot, an empty label, an IPv4 address in octal, hexadecimal or with fewer than four
    parts.
    """
    if ":" in host:
        return _ipv6(host)
    if not _NAME.fullmatch(host):
        raise AmbiguousURLError("has a host that is not a plain name or address")
    if _NUMBER.fullmatch(host.rpartition(".")[2]) and not _is_ipv4(host):
        raise AmbiguousURLError("has an IPv4 address in an unusual notation")
    return host


@lru_cache(maxsize=_CACHED_HOSTS)
def is_loopback(host: str) -> bool:
    """`localhost`, `127.0.0.0/8` and `::1`; no other spelling of them."""
    if host in {"localhost", "::1"}:
        return True
    return host.startswith("127.") and _is_ipv4(host)


def _check_written_path(path: str) -> None:
    """Raise when plain dots, which httpx resolves before it sends anything, hide from it what
    another parser makes of the segment before them: `/v1/me/%2e%2e/../`."""
    segments = path.split("/")
    if segments[-1] in _PLAIN_DOTS:
        # RFC 3986 section 5.2.4 leaves a slash in its place, and httpx does not.
        raise AmbiguousURLError("ends in a '.' or '..' segment")
    if not _PLAIN_DOTS.isdisjoint(segments):
        for segment in segments:
            if segment not in _PLAIN_DOTS:
                _check_every_decoding(f"/{segment}")


def _check_authority(authority: str) -> None:
    if "@" in authority:
        raise AmbiguousURLError("has userinfo before its host")
    if not _AUTHORITY.fullmatch(authority):
        raise AmbiguousURLError("has a malformed host or port")


def _check_every_decoding(path: str) -> None:
    if _MALFORMED_ESCAPE.search(path):
        raise AmbiguousURLError("has a '%' that starts no percent-encoding")
    for _ in range(_MOST_ENCODINGS):
        _check_reading(path)
        decoded = _decoded(path)
        if decoded == path:
            return
        path = decoded
    raise AmbiguousURLError("has a path that is percent-encoded many times over")


def _check_reading(path: str) -> None:
    if _CONTROL.search(path):
        raise AmbiguousURLError("has a control character in its path")
    if "\\" in path:
        raise AmbiguousURLError("has a backslash in its path")
    if has_dot_segment(path):
        raise AmbiguousURLError("has a disguised '.' or '..' segment in its path")


def _decoded(path: str) -> str:
    try:
        return unicodedata.normalize("NFKC", unquote(path, errors="strict"))
    except UnicodeDecodeError:
        raise AmbiguousURLError(
            "has percent-encoded bytes in its path that are not UTF-8"
        ) from None


def _ipv6(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        raise AmbiguousURLError("has a malformed IPv6 address") from None
    if address.scope_id is not None:
        raise AmbiguousURLError("has an IPv6 address with a zone")
    return address.compressed


def _is_ipv4(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
