"""Paths that one server reads in one way and the next in another.

`httpx` removes plain `.` and `..` segments before sending (RFC 3986 section 5.2.4). What is left is
sent as it stands. A server may then decode `%2e%2e`, cut off `;parameters`, turn `\\` into `/`,
decode twice, or fold wide characters into ASCII: each moves the request out of the allowed path.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

from .odd_url import OddURLError

_MOST_ENCODINGS = 8
_PLAIN_DOTS = frozenset({".", ".."})
_NEEDS_A_LOOK = re.compile(r"[%\\]|/\.")
_MALFORMED_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_END_OF_NAME = re.compile(r"[;?#]")


def check_path(path: str) -> None:
    """Raise `OddURLError` unless every server reads the raw `path` (ASCII, no query) alike."""
    if not path.startswith("/"):
        raise OddURLError("has a path that does not start with '/'")
    if not path.isascii():
        raise OddURLError("has a path that is not percent-encoded")
    if _NEEDS_A_LOOK.search(path):
        _check_every_decoding(path)


def check_written_path(path: str) -> None:
    """Raise `OddURLError` when plain dots, which httpx resolves before it sends anything, hide from
    it what another parser makes of the segment before them: `/v1/me/%2e%2e/../`.

    `path` is as the caller wrote it, without query and fragment.
    """
    segments = path.split("/")
    if segments[-1] in _PLAIN_DOTS:
        # RFC 3986 section 5.2.4 leaves a slash in its place, and httpx does not.
        raise OddURLError("ends in a '.' or '..' segment")
    if not _PLAIN_DOTS.isdisjoint(segments):
        for segment in segments:
            if segment not in _PLAIN_DOTS:
                _check_every_decoding(f"/{segment}")


def has_dot_segment(path: str) -> bool:
    """Whether a segment is `.` or `..`, also with a `;parameter` or blanks behind it."""
    names = (_END_OF_NAME.split(segment, maxsplit=1)[0] for segment in path.split("/"))
    return any(name.strip() in {".", ".."} for name in names)


def _check_every_decoding(path: str) -> None:
    if _MALFORMED_ESCAPE.search(path):
        raise OddURLError("has a '%' that starts no percent-encoding")
    for _ in range(_MOST_ENCODINGS):
        _check_reading(path)
        decoded = _decoded(path)
        if decoded == path:
            return
        path = decoded
    raise OddURLError("has a path that is percent-encoded many times over")


def _check_reading(path: str) -> None:
    if _CONTROL.search(path):
        raise OddURLError("has a control character in its path")
    if "\\" in path:
        raise OddURLError("has a backslash in its path")
    if has_dot_segment(path):
        raise OddURLError("has a disguised '.' or '..' segment in its path")


def _decoded(path: str) -> str:
    try:
        return unicodedata.normalize("NFKC", unquote(path, errors="strict"))
    except UnicodeDecodeError:
        raise OddURLError("has percent-encoded bytes in its path that are not UTF-8") from None
