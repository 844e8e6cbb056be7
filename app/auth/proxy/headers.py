"""Which headers pass a proxy. Those that do are listed: any other may be a credential on its way to
the API, or an instruction to the browser about this app's origin on its way back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..interceptor.url_checks import AmbiguousURLError

RawHeaders = Sequence[tuple[bytes, bytes]]

VIA = b"1.1 reflex-oidc"  # RFC 9110 section 7.6.3

_TO_API = frozenset(
    b"""
    accept accept-encoding accept-language content-encoding content-language content-type
    idempotency-key if-match if-modified-since if-none-match if-range if-unmodified-since prefer
    range traceparent tracestate user-agent x-correlation-id x-request-id
    """.split()
)
# Not among them, though APIs send them: Set-Cookie, Clear-Site-Data, Access-Control-*, HSTS, CSP,
# Service-Worker-Allowed, Refresh, WWW-Authenticate (the browser would ask for a password in this
# app's name), X-Accel-Redirect (nginx would send a file of its own).
_TO_BROWSER = frozenset(
    b"""
    accept-ranges content-disposition content-encoding content-language content-length content-range
    content-type etag last-modified preference-applied retry-after ratelimit ratelimit-limit
    ratelimit-policy ratelimit-remaining ratelimit-reset x-correlation-id x-ratelimit-limit
    x-ratelimit-remaining x-ratelimit-reset x-request-id x-total-count
    """.split()
)
# What an API sends is served by this app's own origin. It must not run there: in a document it has
# an opaque origin and no scripts; and no cache shows it to the browser's next user.
_SAFE = (
    (b"cache-control", b"private, no-store"),
    (b"content-security-policy", b"sandbox; default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"via", VIA),
)
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110 section 5.5
_LENGTH = re.compile(rb"[0-9]{1,18}")


class BadFramingError(ValueError):
    """Two parsers could disagree about where the body of a request ends."""


def body_length(headers: RawHeaders) -> int | None:
    """The length of a request's body: 0 if it has none, None if it is chunked.

    Raises:
        BadFramingError: several lengths, an odd one, or one beside a `Transfer-Encoding` (RFC 9112
            section 6.3), or another coding than chunked.
    """
    lengths = _values(headers, b"content-length")
    codings = _values(headers, b"transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise BadFramingError("The request says twice how long its body is.")
    if codings:
        if codings[0].strip().lower() != b"chunked":
            raise BadFramingError("The body has another transfer coding than chunked.")
        return None
    if lengths and not _LENGTH.fullmatch(lengths[0]):
        raise BadFramingError("The Content-Length is no number.")
    return int(lengths[0]) if lengths else 0


def request_headers(headers: RawHeaders, length: int | None) -> list[tuple[bytes, bytes]]:
    """The headers of a browser's request that go to the API, with the length of its body.

    Raises:
        AmbiguousURLError: a value has a control character.
    """
    kept = list(_passing(headers, _TO_API))
    if any(not _VALUE.fullmatch(value) for _, value in kept):
        raise AmbiguousURLError("has a control character in a header")
    # httpx would ask for compression on its own account.
    if not _values(kept, b"accept-encoding"):
        kept.append((b"accept-encoding", b"identity"))
    if length:
        kept.append((b"content-length", str(length).encode()))
    return [*kept, (b"via", VIA)]


def response_headers(headers: RawHeaders, location: str | None) -> list[tuple[bytes, bytes]]:
    """The headers of the API's answer that go to the browser. `location` replaces its own."""
    kept = [*_passing(headers, _TO_BROWSER), *_SAFE]
    return [*kept, (b"location", location.encode())] if location is not None else kept


def _passing(headers: RawHeaders, names: frozenset[bytes]) -> Iterable[tuple[bytes, bytes]]:
    """The headers with these names, unless `Connection` names them (RFC 9110 section 7.6.1)."""
    listed = b",".join(_values(headers, b"connection")).lower().split(b",")
    dropped = {name.strip() for name in listed}
    for name, value in headers:
        lower = name.lower()
        if lower in names and lower not in dropped:
            yield lower, value


def _values(headers: RawHeaders, name: bytes) -> list[bytes]:
    return [value for key, value in headers if key.lower() == name]
