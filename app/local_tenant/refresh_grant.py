"""The refresh token grant, with rotation and Auth0's multi-resource refresh tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, grants
from authlib.oidc.core.errors import ConsentRequiredError

from . import codes
from .apis import identity_scope
from .browser_sessions import consented_scope
from .clients import CLIENT_AUTH_METHODS
from .dpop import REFRESH_TOKEN
from .oauth_errors import MfaRequiredError
from .request import TenantRequest
from .second_step import lacks_second_step
from .server import TenantServer
from .users import User


class RefreshTokenGrant(grants.RefreshTokenGrant):  # type: ignore[misc]
    """RFC 6749 section 6. Every use rotates the refresh token, unless the client is set otherwise.

    A client with multi-resource refresh tokens may name an `audience`, and gets the scopes that the
    user has consented to for it. A request for more is refused without using up its refresh token.
    """

    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True
    server: TenantServer
    request: TenantRequest

    def validate_token_request(self) -> None:
        client = self._validate_request_client()
        self.request.client = client
        token = self.request.form.get("refresh_token", "")
        server = self.server
        overlap = server.rotation_overlap(client)
        grant = codes.find_refresh_token(server.database, token, server.clock(), overlap=overlap)
        if grant is not None and grant.check_client(client):
            server.dpop.check(grant.family, REFRESH_TOKEN, self.request.dpop_jkt)
            self._check_second_step(grant)
            self.request.access_grant = self._access_grant(grant)
        self.request.refresh_token = self._validate_request_token(client)

    def authenticate_refresh_token(self, refresh_token: str) -> codes.Grant:
        server, client = self.server, self.request.client
        overlap = server.rotation_overlap(client)
        now, client_id = server.clock(), client.client_id
        grant = codes.take_refresh_token(
            server.database, refresh_token, client_id, now, overlap=overlap
        )
        if grant is None:
            raise InvalidGrantError("Unknown or invalid refresh token.")
        return grant

    def authenticate_user(self, refresh_token: codes.Grant) -> User | None:
        return self.server.user_of(refresh_token)

    def issue_token(self, user: User, refresh_token: codes.Grant) -> dict[str, Any]:
        access_grant: codes.Grant = self.request.access_grant
        token = self.server.tokens.issue(
            refresh_token,
            access_grant.scope,
            audience=access_grant.audience,
            dpop_jkt=self.request.dpop_jkt,
        )
        if not self.request.client.rotates_refresh_tokens:
            token.pop("refresh_token", None)  # the one that it has stays good
        return token

    def revoke_old_credential(self, refresh_token: codes.Grant) -> None:
        """`authenticate_refresh_token` has already used it up."""

    def _check_second_step(self, grant: codes.Grant) -> None:
        server = self.server
        is_asked = server.settings.mfa_at_refresh
        if is_asked and lacks_second_step(server.database, grant.user_id, grant.sid):
            raise MfaRequiredError

    def _access_grant(self, grant: codes.Grant) -> codes.Grant:
        """What the new access token stands for. The refresh token keeps its audience and scope."""
        audience = self.request.payload.data.get("audience")
        multi_resource = self.request.client.multi_resource_refresh
        if not multi_resource or not audience or audience == grant.audience:
            self._validate_token_scope(grant)
            return replace(grant, scope=self.request.payload.scope or grant.scope)
        self.server.apis.check(audience)
        return replace(grant, audience=audience, scope=self._consented_scope(grant, audience))

    def _consented_scope(self, grant: codes.Grant, audience: str) -> str:
        consented = consented_scope(
            self.server.database, grant.user_id, grant.client_id, audience
        ).split()
        requested = self.server.apis.allowed_scope(audience, self.request.payload.scope).split()
        identity = identity_scope(grant.scope).split()
        if not set(requested) <= {*consented, *identity}:
            raise ConsentRequiredError("Consent required")
        return " ".join(dict.fromkeys((*identity, *(requested or consented))))
