"""The request headers that may follow a redirect to a place that is not trusted.

Anything can be a credential (`X-Api-Key`, `DPoP`, a header of one's own). So what is known to be
none is listed (RFC 9110 fields, the `Content-*` family, ids for tracing); the rest stays behind.
"""

from __future__ import annotations

import httpx

_HARMLESS = frozenset(
    {
        b"accept",
        b"accept-charset",
        b"accept-encoding",
        b"accept-language",
        b"accept-ranges",
        b"cache-control",
        b"connection",
        b"date",
        b"expect",
        b"host",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"if-unmodified-since",
        b"max-forwards",
        b"origin",
        b"pragma",
        b"prefer",
        b"priority",
        b"range",
        b"te",
        b"traceparent",
        b"tracestate",
        b"trailer",
        b"transfer-encoding",
        b"user-agent",
        b"x-correlation-id",
        b"x-request-id",
    }
)


def harmless_headers(headers: httpx.Headers) -> httpx.Headers:
    """A copy without `Authorization`, `Cookie`, `DPoP` and all that is not known to be harmless."""
    return httpx.Headers([(name, value) for name, value in headers.raw if _is_harmless(name)])


def _is_harmless(name: bytes) -> bool:
    lower = name.lower()
    return lower in _HARMLESS or lower.startswith(b"content-")
