"""Reading the access token of a request: from the Authorization header only (RFC 6750 section 2.1,
RFC 9449 section 7.1)."""

from __future__ import annotations

import re

from starlette.requests import Request

from .refusal import Refusal

_BEARER = re.compile(r"(Bearer|DPoP) +([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE)
_MAXIMUM_LENGTH = 16 * 1024


def presented_token(request: Request) -> tuple[str, str] | None:
    """Scheme (`Bearer` or `DPoP`, in any case) and token of the Authorization header; None when
    there is no header.

    Raises:
        Refusal: two headers, another scheme, or a malformed token.
    """
    headers = request.headers.getlist("authorization")
    if not headers:
        return None
    match = _BEARER.fullmatch(headers[0]) if len(headers) == 1 else None
    if match is None or len(headers[0]) > _MAXIMUM_LENGTH:
        raise Refusal(400, "invalid_request", "The request has no single Bearer token.")
    return match[1], match[2]
