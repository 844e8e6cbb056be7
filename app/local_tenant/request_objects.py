"""Authorization requests as signed JWTs (RFC 9101), by value only.

A request object is signed by one of the client's registered keys. What it says is the request:
parameters beside it are ignored (section 6.3).
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from joserfc import jwt
from joserfc.errors import JoseError

from .client_assertions import registered_keys
from .server import TenantServer

ALGORITHMS = ("RS256", "PS256", "ES256")
_TYPES = (None, "JWT", "oauth-authz-req+jwt")
_NOT_PARAMETERS = ("iss", "aud", "exp", "nbf", "iat", "jti")
_NOT_WITHIN = ("request", "request_uri", "sub")  # `sub`: it could be a client assertion (10.8)
Claims = dict[str, Any]


class InvalidRequestObjectError(OAuth2Error):  # type: ignore[misc]
    """A request object that cannot be used. There is no redirect: its redirect_uri is unknown."""

    error = "invalid_request_object"


def unpacked(server: TenantServer, query: str) -> str:
    """The query that a request object stands for; a query without one as it is.

    Raises:
        OAuth2Error: the object is not valid, or not of the client that the query names.
    """
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    if "request" not in parameters:
        return query
    if "request_uri" in parameters:
        raise InvalidRequestError("request and request_uri exclude each other")
    client_id = parameters.get("client_id", "")
    claims = _verified(server, client_id, parameters["request"])
    _check(claims, client_id, server.settings.issuer, server.clock())
    inner = {name: value for name, value in claims.items() if name not in _NOT_PARAMETERS}
    return urlencode({name: _text(value) for name, value in inner.items()})


def _verified(server: TenantServer, client_id: str, token: str) -> Claims:
    client = server.query_client(client_id)
    keys = None if client is None else registered_keys(client)
    if keys is None:
        raise InvalidRequestObjectError("The application has no keys for request objects.")
    try:
        decoded = jwt.decode(token, keys, list(ALGORITHMS))
    except (JoseError, ValueError):
        text = "It is not a JWT that a key of the application has signed."
        raise InvalidRequestObjectError(text) from None
    if decoded.header.get("typ") not in _TYPES:
        raise InvalidRequestObjectError("Its typ is not oauth-authz-req+jwt.")
    return dict(decoded.claims)


def _check(claims: Claims, client_id: str, issuer: str, now: float) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    expires_at, not_before = _time(claims, "exp"), _time(claims, "nbf") or 0.0
    if any(name in claims for name in _NOT_WITHIN):
        raise InvalidRequestObjectError("It has request, request_uri or sub, which it must not.")
    if not claims.get("iss") == claims.get("client_id") == client_id:
        raise InvalidRequestObjectError("Its iss and client_id have to be the client_id.")
    if issuer not in audiences:
        raise InvalidRequestObjectError("Its aud has to be the issuer of this tenant.")
    if expires_at is None:
        raise InvalidRequestObjectError("It needs exp.")
    if not not_before <= now < expires_at:
        raise InvalidRequestObjectError("It has expired, or is not valid yet.")


def _time(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
