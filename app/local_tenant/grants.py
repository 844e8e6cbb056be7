"""The grants, ID tokens and revocation, as subclasses of Authlib's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, InvalidScopeError, grants
from authlib.oauth2.rfc6749.grants.authorization_code import validate_code_authorization_request
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oidc.core.grants import OpenIDCode
from joserfc.jwk import RSAKey

from . import codes
from .authorization_checks import AuthorizationChecks, RequiredCodeChallenge
from .clients import CLIENT_AUTH_METHODS, Client
from .connection_grant import ConnectionTokenGrant
from .device_grant import DeviceActivationGrant, DeviceCodeGrant
from .dpop import CODE
from .login_rules import organization_claims
from .oauth_errors import AccessDeniedError, described
from .refresh_grant import RefreshTokenGrant
from .request import TenantRequest
from .second_step import authentication_claims
from .server import TenantServer
from .token_exchange import TokenExchangeGrant
from .users import User


def register_grants(server: TenantServer) -> None:
    """Let the server issue tokens for each grant type, and revoke them."""
    pkce = RequiredCodeChallenge(for_all=server.settings.require_pkce)
    checks = AuthorizationChecks()
    server.register_grant(AuthorizationCodeGrant, [pkce, checks, IdToken(server)])
    server.register_grant(IdTokenGrant, [checks, FrontChannelIdToken(server)])
    refreshed = [RefreshedIdToken(server)] if server.settings.id_token_on_refresh else []
    server.register_grant(RefreshTokenGrant, refreshed)
    server.register_grant(ClientCredentialsGrant)
    server.register_grant(DeviceCodeGrant, [IdToken(server)])
    server.register_grant(DeviceActivationGrant)
    server.register_grant(TokenExchangeGrant)
    server.register_grant(ConnectionTokenGrant)
    server.register_endpoint(Revocation)


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """RFC 6749 section 4.1."""

    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_AUTH_METHODS
    server: TenantServer
    request: TenantRequest

    def generate_token(self, user: User, scope: str, **_: Any) -> dict[str, Any]:
        """Tokens for what the code stands for, audience included."""
        return self.server.tokens.issue(
            self.request.authorization_code, scope, dpop_jkt=self.request.dpop_jkt
        )

    def authorization_items(self, user: User) -> list[tuple[str, str]]:
        """The parameters of a successful response: a new code."""
        self.request.user = user
        code = self.generate_authorization_code()
        server, grant = self.server, self.server.granted(self.request)
        server.dpop.bind(grant.family, CODE, self.request.payload.data.get("dpop_jkt"))
        expires_at = server.clock() + server.settings.code_lifetime
        codes.save_code(server.database, code, grant, expires_at)
        return [("code", code)]

    def query_authorization_code(self, code: str, client: Client) -> codes.Grant:
        # The code is used up before it is checked: a failed attempt spends it, too.
        server = self.server
        grant = codes.take_code(server.database, code, client.client_id, server.clock())
        if grant is None:
            raise InvalidGrantError("Invalid authorization code")
        server.dpop.check(grant.family, CODE, self.request.dpop_jkt)
        return grant

    def delete_authorization_code(self, authorization_code: codes.Grant) -> None:
        """Keep it, marked as used, so that a second use is noticed."""

    def authenticate_user(self, authorization_code: codes.Grant) -> User | None:
        return self.server.user_of(authorization_code)


class IdTokenGrant(grants.BaseGrant, grants.AuthorizationEndpointMixin):  # type: ignore[misc]
    """`response_type=id_token` (OpenID Connect Core section 3.2): an ID token and nothing else."""

    RESPONSE_TYPES: ClassVar[set[str]] = {"id_token"}
    server: TenantServer
    request: TenantRequest
    make_id_token: Callable[[TenantRequest], str]

    def validate_authorization_request(self) -> str:
        redirect_uri: str = validate_code_authorization_request(self)
        return redirect_uri

    def authorization_items(self, user: User) -> list[tuple[str, str]]:
        """The parameters of a successful response."""
        self.request.user = user
        return [("id_token", self.make_id_token(self.request))]


class ClientCredentialsGrant(grants.ClientCredentialsGrant):  # type: ignore[misc]
    """RFC 6749 section 4.4, with Auth0's `audience`: a token of the application for itself."""

    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_AUTH_METHODS
    server: TenantServer
    request: TenantRequest

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        server, data = self.server, self.request.payload.data
        audience = data.get("audience", "")
        server.apis.check(audience)
        allowed = server.apis.application_scopes(audience)
        if not audience or allowed is None:
            raise AccessDeniedError(described(f"Client is not authorized to access {audience}."))
        requested = str(data.get("scope", "")).split()
        refused = [name for name in requested if name not in allowed]
        if refused:
            raise AccessDeniedError(
                described(f"Client has not been granted scopes: {', '.join(refused)}")
            )
        scope = " ".join(requested or allowed)
        return (
            200,
            server.tokens.issue_for_client(
                self.request.client, audience, scope, dpop_jkt=self.request.dpop_jkt
            ),
            [],
        )


class IdToken(OpenIDCode):  # type: ignore[misc]
    """OpenID Connect Core section 3.1.3.3."""

    def __init__(self, server: TenantServer) -> None:
        super().__init__(require_nonce=False)
        self._server = server

    def exists_nonce(self, nonce: str, request: TenantRequest) -> bool:
        return False  # the client detects replay; PKCE and single-use codes protect the tenant

    def resolve_client_private_key(self, client: Client) -> RSAKey:
        return self._server.signer.key

    def get_encode_header(self, client: Client) -> dict[str, str]:
        return {"alg": "RS256", "kid": str(self._server.signer.key.kid)}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        now = int(self._server.clock())
        return {
            "iss": self._server.settings.issuer,
            "aud": self._server.faults.client(client.client_id),
            "iat": now,
            "exp": now + client.id_token_lifetime,
        }

    def get_authorization_code_claims(self, authorization_code: codes.Grant) -> dict[str, Any]:
        claims: dict[str, Any] = super().get_authorization_code_claims(authorization_code)
        how = authentication_claims(self._server.database, authorization_code.sid)
        of_organization = organization_claims(self._server.database, authorization_code.family)
        return {**claims, **how, **of_organization, "sid": authorization_code.sid}

    def generate_user_info(self, user: User, scope: str) -> dict[str, Any]:
        return self._server.claims_of(user, scope)


class RefreshedIdToken(IdToken):
    """OpenID Connect Core section 12.2: as at the login, without a nonce."""

    def __call__(self, grant: Any) -> None:
        grant.register_hook("after_create_token_response", self.process_token)

    def get_compatible_claims(self, request: TenantRequest) -> dict[str, Any]:
        claims: dict[str, Any] = super().get_compatible_claims(request)
        grant: codes.Grant = request.refresh_token
        claims["auth_time"], claims["sid"] = grant.get_auth_time(), grant.sid
        claims.update(authentication_claims(self._server.database, grant.sid))
        claims.update(organization_claims(self._server.database, grant.family))
        if not grant.auth_time:  # a refresh token of an earlier release does not know it
            del claims["auth_time"]
        return claims


class FrontChannelIdToken(IdToken):
    """The ID token of an authorization response, which needs a nonce (section 3.2.2.11)."""

    def __call__(self, grant: Any) -> None:
        grant.register_hook("after_validate_authorization_request_payload", self.check)
        grant.make_id_token = self.make

    def check(self, grant: Any, redirect_uri: str) -> None:
        if "openid" not in str(grant.request.payload.scope).split():
            raise InvalidScopeError("An ID token needs the scope openid")
        if not grant.request.payload.data.get("nonce"):
            raise InvalidRequestError("An ID token in a response needs a nonce")

    def make(self, request: TenantRequest) -> str:
        """The token, with the claims that the scope grants."""
        grant = self._server.granted(request)
        request.authorization_code = grant
        codes.note_client(self._server.database, grant)
        return str(self.encode_id_token({"scope": grant.scope}, request))


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """RFC 7009: revoking a refresh token revokes all refresh tokens of its login."""

    CLIENT_AUTH_METHODS = CLIENT_AUTH_METHODS
    server: TenantServer

    def query_token(self, token_string: str, token_type_hint: str | None) -> codes.Grant | None:
        # Also by one that has been used: its login has others.
        database, now = self.server.database, self.server.clock()
        return codes.find_refresh_token(database, token_string, now, overlap=math.inf)

    def revoke_token(self, token: codes.Grant, request: TenantRequest) -> None:
        codes.revoke_family(self.server.database, token.family)
