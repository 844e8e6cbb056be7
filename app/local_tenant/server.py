"""Authlib's AuthorizationServer on Starlette: requests, responses and access tokens."""

from __future__ import annotations

import math
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
from .apis import Apis
from .backchannel_logout import BackchannelLogout
from .browser_sessions import (
    BrowserSession,
    SessionLifetimes,
    end_expired_sessions,
    find_session,
)
from .client_assertions import METHODS, ClientAssertions, asserted_client_id
from .client_store import ClientRegistry
from .clients import Client, registered_clients
from .database import Database
from .dpop import DPoP
from .event_log import EventLog
from .faults import Faults
from .guesses import SIGN_UPS, Guesses
from .login_rules import note_organization
from .oauth_errors import (
    GrantNotAllowedError,
    TooManyAttemptsError,
    UnauthorizedError,
    UnknownClientError,
    described,
)
from .request import TenantRequest
from .seeding import write_all_seeds
from .settings import TenantSettings
from .signing import Signer
from .token_issuing import TokenIssuer
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
        self.tokens = TokenIssuer(
            settings,
            self.database,
            clock,
            self.clients,
            self.apis,
            self.faults,
            self.signer,
            self.dpop,
        )
        self.log = EventLog(self.database, clock)
        self.guesses = Guesses(clock)
        self.sign_ups = Guesses(clock, per_account=SIGN_UPS)
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

    def session_of(self, browser: str | None) -> BrowserSession | None:
        """The session of a browser, by its cookie."""
        return find_session(self.database, browser, self.clock(), self._lifetimes)

    def end_expired_sessions(self) -> None:
        """End the sessions that have reached their lifetime, and tell their clients."""
        end_expired_sessions(self.database, self.clock(), self._lifetimes)

    @property
    def _lifetimes(self) -> SessionLifetimes:
        settings = self.settings
        return SessionLifetimes(settings.session_idle_lifetime, settings.session_lifetime)

    def access_token_claims(self, token: str, *, expired: bool = False) -> dict[str, Any] | None:
        """The claims of an access token that is valid, or else `expired`; else None."""
        claims = self.signer.claims(token)
        if claims is None or codes.is_revoked(self.database, token):
            return None
        audience = claims["aud"] if isinstance(claims["aud"], str) else claims["aud"][0]
        has_type = self.signer.claims(token, typ=self.apis.token_type(audience)) is not None
        return claims if has_type and (expired or claims["exp"] > self.clock()) else None

    def granted(self, request: TenantRequest) -> codes.Grant:
        """What the response to an authorization request stands for."""
        data, audience = request.payload.data, self.audience(request.payload.data)
        grant = codes.Grant(
            family=codes.new_family(),
            client_id=request.client.client_id,
            redirect_uri=request.payload.redirect_uri,
            scope=self.apis.allowed_scope(audience, request.payload.scope),
            audience=audience,
            user_id=request.user.user_id,
            sid=request.session.sid,
            auth_time=request.session.auth_time,
            nonce=data.get("nonce"),
            code_challenge=data.get("code_challenge", ""),
        )
        note_organization(self.database, grant.family, data)
        return grant

    def user_of(self, grant: codes.Grant) -> User | None:
        """The user that a code or refresh token belongs to. There is none if blocked since."""
        with self.database.transaction() as connection:
            user = find_user(connection, user_id=grant.user_id)
        return None if user is None or user.blocked else user

    def claims_of(self, user: User, scope: str) -> dict[str, Any]:
        """What an ID token and UserInfo say of a user."""
        return self.faults.claims(user.claims(scope, self.settings.issuer))
