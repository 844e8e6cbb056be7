"""The refresh token grant: rotating, and for several APIs where the client may have that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import InvalidGrantError, grants
from authlib.oidc.core.errors import ConsentRequiredError

from . import codes
from .apis import identity_scope
from .browser_sessions import consented_scope
from .grants import CLIENT_AUTH, ServiceNotFoundError
from .request import TenantRequest
from .users import User

if TYPE_CHECKING:
    from .server import TenantServer


class RefreshTokenGrant(grants.RefreshTokenGrant):  # type: ignore[misc]
    """RFC 6749 section 6, rotating at every use.

    With Auth0's multi-resource refresh tokens a request names an `audience`, and gets a token with
    what the user has consented to there. A request that asks for too much does not use up its
    refresh token.
    """

    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_AUTH
    INCLUDE_NEW_REFRESH_TOKEN = True
    server: TenantServer
    request: TenantRequest

    def validate_token_request(self) -> None:
        client = self._validate_request_client()
        self.request.client = client
        token = self.request.form.get("refresh_token", "")
        server = self.server
        overlap = server.settings.rotation_overlap
        grant = codes.find_refresh_token(server.database, token, server.clock(), overlap=overlap)
        self.request.wanted = self._wanted(grant) if grant and grant.check_client(client) else None
        self.request.refresh_token = self._validate_request_token(client)

    def authenticate_refresh_token(self, refresh_token: str) -> codes.Grant:
        server, client_id = self.server, self.request.client.client_id
        overlap = server.settings.rotation_overlap
        grant = codes.take_refresh_token(
            server.database, refresh_token, client_id, server.clock(), overlap=overlap
        )
        if grant is None:
            raise InvalidGrantError("Unknown or invalid refresh token.")
        return grant

    def authenticate_user(self, refresh_token: codes.Grant) -> User | None:
        return self.server.user_of(refresh_token)

    def issue_token(self, user: User, refresh_token: codes.Grant) -> dict[str, Any]:
        wanted: codes.Grant = self.request.wanted
        return self.server.issue(refresh_token, wanted.scope, audience=wanted.audience)

    def revoke_old_credential(self, refresh_token: codes.Grant) -> None:
        """Taking it has already used it up."""

    def _wanted(self, grant: codes.Grant) -> codes.Grant:
        """What the access token is to stand for; the refresh token keeps what it stands for."""
        audience = self.request.payload.data.get("audience")
        multi_resource = self.request.client.multi_resource_refresh
        if not multi_resource or not audience or audience == grant.audience:
            self._validate_token_scope(grant)
            return replace(grant, scope=self.request.payload.scope or grant.scope)
        if not self.server.apis.knows(audience):
            raise ServiceNotFoundError
        return replace(grant, audience=audience, scope=self._scope_there(grant, audience))

    def _scope_there(self, grant: codes.Grant, audience: str) -> str:
        consented = consented_scope(
            self.server.database, grant.user_id, grant.client_id, audience
        ).split()
        asked = self.server.apis.allowed_scope(audience, self.request.payload.scope).split()
        identity = identity_scope(grant.scope).split()
        if not set(asked) <= {*consented, *identity}:
            raise ConsentRequiredError
        return " ".join(dict.fromkeys((*identity, *(asked or consented))))
