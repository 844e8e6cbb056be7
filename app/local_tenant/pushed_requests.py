"""Pushed authorization requests (RFC 9126)."""

from __future__ import annotations

import secrets
from urllib.parse import parse_qsl, urlencode

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error

from .clients import CLIENT_AUTH_METHODS
from .codes import digest
from .request import TenantRequest, authorization_request
from .request_objects import unpacked
from .server import TenantServer

PREFIX = "urn:ietf:params:oauth:request_uri:"
LIFETIME = 30  # seconds, as at Auth0
_CREDENTIALS = ("client_secret", "client_assertion", "client_assertion_type")


def push_request(server: TenantServer, request: TenantRequest) -> dict[str, object]:
    """Store a client's authorization request; the result is the response of section 2.2.

    Raises:
        OAuth2Error: the client is not authenticated, or `/authorize` would refuse the request.
    """
    client = server.authenticate_client(request, CLIENT_AUTH_METHODS)
    parameters = {k: v for k, v in request.payload.data.items() if k not in _CREDENTIALS}
    if "request_uri" in parameters:  # section 2.1
        raise InvalidRequestError("A pushed request has no request_uri")
    query = unpacked(server, urlencode({**parameters, "client_id": client.client_id}))
    try:
        server.get_consent_grant(authorization_request(server.settings.issuer, query))
    except OAuth2Error as error:
        if error.error != "login_required":  # whether there is a login shows at `/authorize`
            error.redirect_uri = error.state = None
            raise
    except ValueError:  # Authlib cannot quote a redirect_uri with such characters
        raise InvalidRequestError("The redirect_uri is not registered") from None
    request_uri = PREFIX + secrets.token_urlsafe(32)
    now = server.clock()
    with server.database.transaction() as connection:
        connection.execute("DELETE FROM pushed_requests WHERE expires_at <= ?", (now,))
        connection.execute(
            "INSERT INTO pushed_requests VALUES (?, ?, ?, ?)",
            (digest(request_uri), client.client_id, query, now + LIFETIME),
        )
    return {"request_uri": request_uri, "expires_in": LIFETIME}


def resolved_query(server: TenantServer, query: str) -> str | None:
    """The pushed request that a query refers to, which is used up; other queries as they are.

    None if the reference is unknown, expired, used, or another client's.
    """
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    request_uri = parameters.get("request_uri", "")
    if not request_uri.startswith(PREFIX):
        return query
    with server.database.transaction() as connection:
        row = connection.execute(
            "DELETE FROM pushed_requests WHERE request_uri = ? AND client_id = ? AND "
            "expires_at > ? RETURNING query",
            (digest(request_uri), parameters.get("client_id", ""), server.clock()),
        ).fetchone()
    return str(row["query"]) if row else None
