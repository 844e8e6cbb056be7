"""Auth0's exchange for the access token of a provider behind it (Token Vault).

The subject is a refresh token of the client, which is not used up, or an access token. The token
that comes back is one of `connected_accounts`, and belongs to no real provider.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, OAuth2Error

from . import codes
from .clients import CONNECTION
from .connected_accounts import accounts_of
from .dpop import REFRESH_TOKEN as BOUND_REFRESH_TOKEN
from .oauth_errors import described
from .token_exchange import (
    ACCESS_TOKEN,
    REFRESH_TOKEN,
    ClientGrant,
    check_user,
    subject_of,
)

CONNECTION_TOKEN = "http://auth0.com/oauth/token-type/federated-connection-access-token"  # noqa: S105


class ConnectionTokenGrant(ClientGrant):
    """The grant type `…:token-exchange:federated-connection-access-token`."""

    GRANT_TYPE = CONNECTION

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        requested = self.parameter("requested_token_type")
        if requested != CONNECTION_TOKEN:
            raise InvalidRequestError(described(f"Unsupported requested_token_type: {requested}"))
        connection = self.parameter("connection")
        user_id = self._user_id(self.parameter("subject_token_type"))
        hint = self.request.payload.data.get("login_hint")
        with self.server.database.transaction() as database:
            accounts = accounts_of(database, user_id)
        accounts = [each for each in accounts if each["connection"] == connection]
        if not accounts:
            raise OAuth2Error(
                "Federated connection Refresh Token not found.",
                error="federated_connection_refresh_token_not_found",
                status_code=401,
            )
        account = next((each for each in accounts if hint in (None, each["external_id"])), None)
        if account is None:
            raise OAuth2Error("Identity User not found.", error="user_not_found", status_code=401)
        token = {
            "access_token": account["access_token"],
            "scope": account["scope"],
            "expires_in": account["expires_in"],
            "issued_token_type": CONNECTION_TOKEN,
            "token_type": "Bearer",
        }
        return 200, token, []

    def _user_id(self, token_type: str) -> str:
        """The user whose token the client presents."""
        token = self.parameter("subject_token")
        server, client = self.server, self.request.client
        if token_type == ACCESS_TOKEN:
            return subject_of(server, client, token, self.request).user_id
        if token_type != REFRESH_TOKEN:
            raise InvalidRequestError(described(f"Unsupported subject_token_type: {token_type}"))
        overlap = server.rotation_overlap(client)
        grant = codes.find_refresh_token(server.database, token, server.clock(), overlap=overlap)
        if grant is None or not grant.check_client(client) or grant.expires_at <= server.clock():
            raise InvalidGrantError("Unknown or invalid refresh token.")
        server.dpop.check(grant.family, BOUND_REFRESH_TOKEN, self.request.dpop_jkt)
        check_user(server, grant.user_id)
        return grant.user_id
