"""The authorization code grant, ID tokens and revocation, as subclasses of Authlib's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, grants
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core.grants import OpenIDCode
from joserfc.jwk import RSAKey

from . import codes
from .clients import CLIENT_AUTH_METHODS, Client
from .dpop import CODE
from .refresh_grant import RefreshTokenGrant
from .request import TenantRequest
from .second_step import authentication_claims
from .server import TenantServer
from .users import User


def register_grants(server: TenantServer) -> None:
    """Let the server issue tokens for codes and refresh tokens, and revoke them."""
    server.register_grant(
        AuthorizationCodeGrant, [RequiredCodeChallenge(), KnownAudience(), IdToken(server)]
    )
    refreshed = [RefreshedIdToken(server)] if server.settings.id_token_on_refresh else []
    server.register_grant(RefreshTokenGrant, refreshed)
    server.register_endpoint(Revocation)
    server.register_extension(issuer_parameter(server.settings.issuer))


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """RFC 6749 section 4.1."""

    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_AUTH_METHODS
    server: TenantServer
    request: TenantRequest

    def generate_token(self, user: User, scope: str, **_: Any) -> dict[str, Any]:
        """Tokens for what the code stands for, audience included."""
        return self.server.issue(
            self.request.authorization_code, scope, dpop_jkt=self.request.dpop_jkt
        )

    def save_authorization_code(self, code: str, request: TenantRequest) -> None:
        server, data = self.server, request.payload.data
        grant = codes.Grant(
            family=codes.new_family(),
            client_id=request.client.client_id,
            redirect_uri=request.payload.redirect_uri,
            scope=server.apis.allowed_scope(server.audience(data), request.payload.scope),
            audience=server.audience(data),
            user_id=request.user.user_id,
            sid=request.session.sid,
            auth_time=request.session.auth_time,
            nonce=data.get("nonce"),
            code_challenge=data["code_challenge"],
        )
        server.dpop.bind(grant.family, CODE, data.get("dpop_jkt"))
        codes.save_code(
            server.database, code, grant, server.clock() + server.settings.code_lifetime
        )

    def query_authorization_code(self, code: str, client: Client) -> codes.Grant | None:
        # The code is used up before it is checked: a failed attempt spends it, too.
        server = self.server
        grant = codes.take_code(server.database, code, client.client_id, server.clock())
        if grant is not None:
            server.dpop.check(grant.family, CODE, self.request.dpop_jkt)
        return grant

    def delete_authorization_code(self, authorization_code: codes.Grant) -> None:
        """Keep it, marked as used, so that a second use is noticed."""

    def authenticate_user(self, authorization_code: codes.Grant) -> User | None:
        return self.server.user_of(authorization_code)


class RequiredCodeChallenge(CodeChallenge):  # type: ignore[misc]
    """PKCE with S256, for every client (RFC 7636; RFC 9700 section 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE with code_challenge_method S256 is required.")
        super().validate_code_challenge(grant, redirect_uri)


class KnownAudience:
    """The `audience` parameter names an API of this tenant."""

    def __call__(self, grant: Any) -> None:
        grant.register_hook("after_validate_authorization_request_payload", self.check)

    def check(self, grant: Any, redirect_uri: str) -> None:
        grant.server.apis.check(grant.request.payload.data.get("audience"))


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
            "aud": client.client_id,
            "iat": now,
            "exp": now + 36_000,
        }

    def get_authorization_code_claims(self, authorization_code: codes.Grant) -> dict[str, Any]:
        claims: dict[str, Any] = super().get_authorization_code_claims(authorization_code)
        how = authentication_claims(self._server.database, authorization_code.sid)
        return {**claims, **how, "sid": authorization_code.sid}

    def generate_user_info(self, user: User, scope: str) -> dict[str, Any]:
        return user.claims(scope, self._server.settings.issuer)


class RefreshedIdToken(IdToken):
    """OpenID Connect Core section 12.2: as at the login, without a nonce."""

    def __call__(self, grant: Any) -> None:
        grant.register_hook("after_create_token_response", self.process_token)

    def get_compatible_claims(self, request: TenantRequest) -> dict[str, Any]:
        claims: dict[str, Any] = super().get_compatible_claims(request)
        grant: codes.Grant = request.refresh_token
        claims["auth_time"], claims["sid"] = grant.get_auth_time(), grant.sid
        claims.update(authentication_claims(self._server.database, grant.sid))
        if not grant.auth_time:  # a refresh token of an earlier release does not know it
            del claims["auth_time"]
        return claims


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """RFC 7009: revoking a refresh token revokes all refresh tokens of its login."""

    CLIENT_AUTH_METHODS = CLIENT_AUTH_METHODS
    server: TenantServer

    def query_token(self, token_string: str, token_type_hint: str | None) -> codes.Grant | None:
        server = self.server
        return codes.find_refresh_token(
            server.database, token_string, server.clock(), overlap=server.settings.rotation_overlap
        )

    def revoke_token(self, token: codes.Grant, request: TenantRequest) -> None:
        codes.revoke_family(self.server.database, token.family)


def issuer_parameter(issuer: str) -> Callable[[TenantServer], IssuerParameter]:
    """RFC 9207: `iss` in every authorization response, errors included."""

    class Issuer(IssuerParameter):  # type: ignore[misc]
        def get_issuer(self) -> str:
            return issuer

    def register(server: TenantServer) -> IssuerParameter:
        parameter = Issuer()
        parameter(server)
        return parameter

    return register
