"""Token introspection (RFC 7662), for clients with credentials and for their own tokens only."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError

from . import codes
from .clients import CONFIDENTIAL_AUTH_METHODS, Client
from .request import TenantRequest
from .server import TenantServer
from .token_exchange import issued_to
from .users import find_user

INACTIVE: dict[str, Any] = {"active": False}
_SHOWN = ("iss", "sub", "aud", "iat", "exp", "scope", "jti", "cnf", "act", "org_id")


def introspect(server: TenantServer, request: TenantRequest) -> dict[str, Any]:
    """What a token is worth; the result is the response of section 2.2.

    A client's own are those that were issued to it, and access tokens for the API that it is. Of
    others it learns no more than of texts that are no tokens.

    Raises:
        OAuth2Error: the client is not authenticated, or the request has no token.
    """
    client = server.authenticate_client(request, CONFIDENTIAL_AUTH_METHODS)
    token = request.payload.data.get("token")
    if not token:
        raise InvalidRequestError("Missing required parameter: token")
    return _access_token(server, client, token) or _refresh_token(server, client, token) or INACTIVE


def _access_token(server: TenantServer, client: Client, token: str) -> dict[str, Any] | None:
    claims = server.access_token_claims(token)
    if claims is None:
        return None
    audiences = [claims["aud"]] if isinstance(claims["aud"], str) else claims["aud"]
    if issued_to(claims) != client.client_id and client.resource_server not in audiences:
        return None
    if codes.family_of(server.database, token) and not _may_log_in(server, claims["sub"]):
        return None
    return {
        "active": True,
        "client_id": issued_to(claims),
        "token_type": "DPoP" if "cnf" in claims else "Bearer",
        **{name: claims[name] for name in _SHOWN if name in claims},
    }


def _refresh_token(server: TenantServer, client: Client, token: str) -> dict[str, Any] | None:
    overlap = server.rotation_overlap(client)
    grant = codes.find_refresh_token(server.database, token, server.clock(), overlap=overlap)
    if grant is None or not grant.check_client(client) or grant.expires_at <= server.clock():
        return None
    if not _may_log_in(server, grant.user_id):
        return None
    return {
        "active": True,
        "client_id": grant.client_id,
        "iss": server.settings.issuer,
        "sub": grant.user_id,
        "scope": grant.scope,
        "exp": int(grant.expires_at),
    }


def _may_log_in(server: TenantServer, user_id: str) -> bool:
    with server.database.transaction() as connection:
        user = find_user(connection, user_id=user_id)
    return user is not None and not user.blocked
