"""Authlib's AuthorizationServer on Starlette: requests, responses and access tokens."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidClientError,
    OAuth2Error,
    UnauthorizedClientError,
    UnsupportedGrantTypeError,
)
from starlette.responses import JSONResponse, Response

from . import codes
from .apis import DESCRIPTIONS, Apis
from .backchannel_logout import BackchannelLogout
from .browser_sessions import BrowserSession, SessionLifetimes, find_session
from .client_assertions import METHODS, ClientAssertions, asserted_client_id
from .client_store import ClientRegistry
from .clients import (
    CLIENT_AUTH_METHODS,
    DEFAULT_GRANT_TYPES,
    RESPONSE_TYPES,
    Client,
    registered_clients,
)
from .database import Database
from .dpop import REFRESH_TOKEN, DPoP, confirmation
from .dpop_proof import ALGORITHM
from .event_log import EventLog
from .faults import Faults
from .guesses import Guesses
from .login_rules import organization_claims
from .oauth_errors import (
    GrantNotAllowedError,
    TooManyAttemptsError,
    UnauthorizedError,
    UnknownClientError,
    described,
)
from .request import TenantRequest
from .second_step import MULTI_FACTOR
from .seeding import write_all_seeds
from .settings import TenantSettings
from .signing import Signer
from .users import User, find_user

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class TenantServer(AuthorizationServer):  # type: ignore[misc]
    """The authorization server of one data file; `grants.register_grants` adds what it grants."""

    def __init__(self, settings: TenantSettings, clock: Callable[[], float]) -> None:
        super().__init__()
        self.settings = settings
        self.faults = Faults(clock)
        self.clock = clock = self.faults.clock
        self.database = Database(settings.data_file)
        write_all_seeds(self.database, settings)
        self.signer = Signer(self.database)
        self.clients = ClientRegistry(self.database, registered_clients(settings))
        self.apis = Apis(settings, self.database)
        self.dpop = DPoP(settings, self.database, clock)
        self.log = EventLog(self.database, clock)
        self.guesses = Guesses(clock)
        issuer = settings.issuer
        assertions = ClientAssertions((issuer, f"{issuer}oauth/token"), clock)
        for name in METHODS:
            self.register_client_auth_method(name, assertions.method(name))
        self.database.on_session_end = BackchannelLogout(
            settings.issuer, self.clients, self.signer, clock
        ).tell

    def query_client(self, client_id: str) -> Client | None:
        return self.clients.get(client_id)

    def create_oauth2_request(self, request: TenantRequest) -> TenantRequest:
        return request

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """The tenant has no listeners."""

    def authenticate_client(
        self, request: TenantRequest, methods: list[str], endpoint: str = "token"
    ) -> Client:
        """The client of a request (RFC 6749 section 2.3). Wrong secrets are counted.

        Raises:
            OAuth2Error: there is no such client, its credentials are wrong, or were too often.
        """
        client_id = request.presented_client_id or asserted_client_id(request.form)
        if self.guesses.is_blocked("secret", client_id, request.address):
            raise TooManyAttemptsError
        if self.query_client(client_id) is None:
            self.guesses.wrong("unknown client", "", request.address)
            raise UnknownClientError(described(f"Unknown client: {client_id}"))
        try:
            client: Client = super().authenticate_client(request, methods, endpoint)
        except InvalidClientError:
            self.guesses.wrong("secret", client_id, request.address)
            raise UnauthorizedError from None
        if not client.is_public:
            self.guesses.right("secret", client_id, request.address)
        return client

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        if isinstance(body, Mapping) and body.get("error") == "invalid_grant":
            status = 403  # what Auth0 answers where RFC 6749 section 5.2 says 400
        return JSONResponse(body, status, headers=NO_STORE)

    def handle_error_response(self, request: TenantRequest, error: OAuth2Error) -> Response:
        """An error of the token or revocation endpoint, as Auth0 answers it."""
        grant_type = request.payload.data.get("grant_type", "")
        if isinstance(error, UnauthorizedClientError):
            text = f"Grant type '{grant_type}' not allowed for the client."
            error = GrantNotAllowedError(described(text))
        elif isinstance(error, UnsupportedGrantTypeError):
            error = OAuth2Error(
                described(f"Unsupported grant type: {grant_type}"),
                error="unsupported_grant_type",
                status_code=403,
            )
        response: Response = super().handle_error_response(request, error)
        return response

    def save_token(self, token: dict[str, Any], request: TenantRequest) -> None:
        """Keep the refresh token; access tokens are self-contained."""
        if "refresh_token" in token:
            grant = request.authorization_code or request.refresh_token
            lifetime = request.client.refresh_token_lifetime or self.settings.refresh_token_lifetime
            # A rotation does not extend the lifetime, as at Auth0.
            is_first = request.refresh_token is None
            expires_at = self.clock() + lifetime if is_first else grant.expires_at
            codes.save_refresh_token(self.database, token["refresh_token"], grant, expires_at)

    def rotation_overlap(self, client: Client) -> float:
        """Seconds after its first use in which a refresh token may be used again."""
        if not client.rotates_refresh_tokens:
            return math.inf
        own = client.rotation_overlap
        return self.settings.rotation_overlap if own is None else own

    def audience(self, data: Mapping[str, str]) -> str:
        """The audience that a request asks for."""
        return data.get("audience") or self.settings.userinfo_audience

    @property
    def cookie(self) -> str:
        """The name of the browser's cookie. Ports share cookies, so that it has the port in it."""
        return f"local_tenant_{self.settings.port}"

    def allowed_origins(self) -> set[str]:
        """The origins whose scripts may call the tenant, of all clients."""
        clients = list(self.clients.values())
        return {origin for each in clients for origin in (*each.web_origins, *each.allowed_origins)}

    def session_of(self, browser: str | None) -> BrowserSession | None:
        """The session of a browser, by its cookie."""
        settings = self.settings
        lifetimes = SessionLifetimes(settings.session_idle_lifetime, settings.session_lifetime)
        return find_session(self.database, browser, self.clock(), lifetimes)

    def access_token_claims(self, token: str, *, expired: bool = False) -> dict[str, Any] | None:
        """The claims of an access token that is valid, or else `expired`; else None."""
        claims = self.signer.claims(token)
        if claims is None or codes.is_revoked(self.database, token):
            return None
        audience = claims["aud"] if isinstance(claims["aud"], str) else claims["aud"][0]
        has_type = self.signer.claims(token, typ=self.apis.token_type(audience)) is not None
        return claims if has_type and (expired or claims["exp"] > self.clock()) else None

    def user_of(self, grant: codes.Grant) -> User | None:
        """The user that a code or refresh token belongs to. There is none if blocked since."""
        with self.database.transaction() as connection:
            user = find_user(connection, user_id=grant.user_id)
        return None if user is None or user.blocked else user

    def claims_of(self, user: User, scope: str) -> dict[str, Any]:
        """What an ID token and UserInfo say of a user."""
        return self.faults.claims(user.claims(scope, self.settings.issuer))

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
        audiences = [audience or grant.audience]
        now, lifetime = int(self.clock()), self.apis.token_lifetime(audiences[0])
        scope, further = self.apis.authorized(audiences[0], scope, grant.user_id)
        given = self.faults.audiences(audiences)
        if "openid" in scope.split() and self.settings.userinfo_audience not in audiences:
            audiences.append(self.settings.userinfo_audience)
        claims = {
            "iss": self.settings.issuer,
            "sub": grant.user_id,
            "aud": given if len(given) > 1 else given[0],
            "iat": now,
            "exp": now + lifetime,
            "scope": scope,
            **further,
            **organization_claims(self.database, grant.family),
            **confirmation(dpop_jkt),
        }
        client = self.clients.get(grant.client_id)
        if client is not None and client.client_secret is None:
            self.dpop.bind(grant.family, REFRESH_TOKEN, dpop_jkt)
        token = self._token(claims, grant.client_id, audiences[0])
        codes.save_access_token(
            self.database, token["access_token"], grant, now, float(now + lifetime)
        )
        if "offline_access" in grant.scope.split():
            token["refresh_token"] = secrets.token_urlsafe(48)
        return token

    def issue_for_client(
        self, client: Client, audience: str, scope: str, *, dpop_jkt: str | None = None
    ) -> dict[str, Any]:
        """The token response for an application that acts for itself (RFC 6749 section 4.4.3)."""
        now, lifetime = int(self.clock()), self.apis.token_lifetime(audience)
        claims = {
            "iss": self.settings.issuer,
            "sub": f"{client.client_id}@clients",
            "aud": audience,
            "iat": now,
            "exp": now + lifetime,
            "scope": scope,
            "gty": "client-credentials",
            **confirmation(dpop_jkt),
        }
        return self._token(claims, client.client_id, audience)

    def _token(self, claims: dict[str, Any], client_id: str, audience: str) -> dict[str, Any]:
        """The token response, with the claims of the API's profile: Auth0's or RFC 9068's."""
        typ = self.apis.token_type(audience)
        of_profile = {"azp": client_id}
        if typ == "at+jwt":
            of_profile = {"client_id": client_id, "jti": secrets.token_urlsafe(16)}
        return {
            "access_token": self.signer.signed({**claims, **of_profile}, typ=typ),
            "token_type": "DPoP" if "cnf" in claims else "Bearer",
            "expires_in": claims["exp"] - claims["iat"],
            "scope": claims["scope"],
        }

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
            "pushed_authorization_request_endpoint": f"{issuer}oauth/par",
            "response_types_supported": list(RESPONSE_TYPES),
            "response_modes_supported": ["query", "fragment", "form_post", "web_message"],
            "grant_types_supported": list(DEFAULT_GRANT_TYPES),
            "prompt_values_supported": ["none", "login", "consent", "select_account"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": CLIENT_AUTH_METHODS,
            "revocation_endpoint_auth_methods_supported": CLIENT_AUTH_METHODS,
            "token_endpoint_auth_signing_alg_values_supported": list(METHODS.values()),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": self.settings.response_issuer,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
            "dpop_signing_alg_values_supported": [ALGORITHM],
            "acr_values_supported": [MULTI_FACTOR],
            "claims_supported": ["sub", "name", "nickname", "picture", "email", "email_verified"],
            "x_local_tenant": True,
        }
