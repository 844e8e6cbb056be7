"""The methods of an entry and of a request."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_HTTP = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "PURGE"})
_WEBDAV = frozenset(
    {"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH"}
)
_KNOWN = _HTTP | _WEBDAV
_WITHOUT_CREDENTIALS = frozenset({"TRACE", "CONNECT"})


def normalised_method(method: str) -> str | None:
    """The method in upper case, or `None` when such a request never gets a token.

    TRACE sends back what it receives, so it must carry no credentials (RFC 9110 section 9.3.8), and
    CONNECT asks for a tunnel. What is not a token (RFC 9110 section 5.6.2) is not a method.
    """
    if method in _KNOWN:
        return method
    if not _TOKEN.fullmatch(method):
        return None
    upper = method.upper()
    return None if upper in _WITHOUT_CREDENTIALS else upper


def allowed_methods(http_method: str | Sequence[str] | None) -> frozenset[str] | None:
    """The methods of an entry in upper case; `None` stands for all."""
    if http_method is None:
        return None
    listed = (http_method,) if isinstance(http_method, str) else http_method
    return frozenset(method.upper() for method in listed)


def method_problems(http_method: str | Sequence[str] | None) -> list[str]:
    """One sentence part for each problem; empty when `http_method` is sound."""
    listed = () if isinstance(http_method, str) else http_method or ()
    if not all(isinstance(method, str) for method in listed):
        return ["has an http_method that is not text; write one method, as in 'GET', or several"]
    methods = allowed_methods(http_method)
    if methods is None:
        return []
    if not methods:
        return ["can never match, because http_method is empty; leave it out to allow every method"]
    return [_method_problem(method) for method in sorted(methods - _KNOWN)]


def _method_problem(method: str) -> str:
    if method in _WITHOUT_CREDENTIALS:
        return f"can never match {method} requests, which carry no token; leave that method out"
    return (
        f"has the unknown http_method {method!r};"
        " write one method, as in 'GET', or several, as in ['GET', 'POST']"
    )
