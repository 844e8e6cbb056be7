"""Authlib's AuthorizationServer on Starlette: requests, responses and access tokens."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer
from starlette.responses import JSONResponse, RedirectResponse, Response

from . import codes
from .apis import DESCRIPTIONS, Apis
from .clients import CLIENT_AUTH_METHODS, Client, registered_clients
from .database import Database
from .dpop import REFRESH_TOKEN, DPoP, confirmation
from .dpop_proof import ALGORITHM
from .request import TenantRequest
from .second_step import MULTI_FACTOR
from .settings import TenantSettings
from .signing import Signer
from .users import User, find_user

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class LocatedRedirect(RedirectResponse):
    """A redirect whose `location` can be read and changed, as RFC 9207's extension does."""

    @property
    def location(self) -> str:
        return self.headers["location"]

    @location.setter
    def location(self, url: str) -> None:
        self.headers["location"] = url


class TenantServer(AuthorizationServer):  # type: ignore[misc]
    """The authorization server of one data file; `grants.register_grants` adds what it grants."""

    def __init__(self, settings: TenantSettings, clock: Callable[[], float]) -> None:
        super().__init__()
        self.settings = settings
        self.clock = clock
        self.database = Database(settings.data_file)
        self.signer = Signer(self.database)
        self.clients = registered_clients(settings)
        self.apis = Apis(settings)
        self.dpop = DPoP(settings, self.database, clock)

    def query_client(self, client_id: str) -> Client | None:
        return self.clients.get(client_id)

    def create_oauth2_request(self, request: TenantRequest) -> TenantRequest:
        return request

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """The tenant has no listeners."""

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        location = dict(headers).get("Location")
        if location:
            return LocatedRedirect(location, 303, headers=NO_STORE)
        if isinstance(body, Mapping) and body.get("error") == "invalid_grant":
            status = 403  # what Auth0 answers where RFC 6749 section 5.2 says 400
        return JSONResponse(body, status, headers=NO_STORE)

    def save_token(self, token: dict[str, Any], request: TenantRequest) -> None:
        """Keep the refresh token; access tokens are self-contained."""
        if "refresh_token" in token:
            grant = request.authorization_code or request.refresh_token
            codes.save_refresh_token(
                self.database,
                token["refresh_token"],
                grant,
                self.clock() + self.settings.refresh_token_lifetime,
            )

    def audience(self, data: Mapping[str, str]) -> str:
        """The audience that a request asks for."""
        return data.get("audience") or self.settings.userinfo_audience

    def user_of(self, grant: codes.Grant) -> User | None:
        """The user that a code or refresh token belongs to."""
        with self.database.transaction() as connection:
            return find_user(connection, user_id=grant.user_id)

    def issue(
        self,
        grant: codes.Grant,
        scope: str,
        *,
        audience: str | None = None,
        dpop_jkt: str | None = None,
    ) -> dict[str, Any]:
        """The token response (RFC 6749 section 5.1) for a code or refresh token.

        `audience` is that of the access token, if it is not the grant's. The token is bound to the
        key `dpop_jkt`, and so is the refresh token of a public client.
        """
        now, lifetime = int(self.clock()), self.settings.access_token_lifetime
        audiences = [audience or grant.audience]
        if "openid" in scope.split() and self.settings.userinfo_audience not in audiences:
            audiences.append(self.settings.userinfo_audience)
        claims = {
            "iss": self.settings.issuer,
            "sub": grant.user_id,
            "aud": audiences if len(audiences) > 1 else audiences[0],
            "client_id": grant.client_id,
            "azp": grant.client_id,
            "iat": now,
            "exp": now + lifetime,
            "jti": secrets.token_urlsafe(16),
            "scope": scope,
            **confirmation(dpop_jkt),
        }
        if self.clients[grant.client_id].client_secret is None:
            self.dpop.bind(grant.family, REFRESH_TOKEN, dpop_jkt)
        token = {
            "access_token": self.signer.access_token(claims),
            "token_type": "DPoP" if dpop_jkt else "Bearer",
            "expires_in": lifetime,
            "scope": scope,
        }
        if "offline_access" in grant.scope.split():
            token["refresh_token"] = secrets.token_urlsafe(48)
        return token

    def discovery(self) -> dict[str, Any]:
        """The metadata of OpenID Connect Discovery section 3 and RFC 8414."""
        issuer = self.settings.issuer
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}authorize",
            "token_endpoint": f"{issuer}oauth/token",
            "userinfo_endpoint": f"{issuer}userinfo",
            "jwks_uri": f"{issuer}.well-known/jwks.json",
            "revocation_endpoint": f"{issuer}oauth/revoke",
            "end_session_endpoint": f"{issuer}oidc/logout",
            "scopes_supported": list(DESCRIPTIONS),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": CLIENT_AUTH_METHODS,
            "revocation_endpoint_auth_methods_supported": CLIENT_AUTH_METHODS,
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "dpop_signing_alg_values_supported": [ALGORITHM],
            "authorization_response_iss_parameter_supported": True,
            "acr_values_supported": [MULTI_FACTOR],
            "claims_supported": ["sub", "name", "nickname", "picture", "email", "email_verified"],
            "x_local_tenant": True,
        }
