"""Token exchange (RFC 8693): a user's access token for one at another API.

Two kinds of application may exchange a token: the one that it was issued to, and an API that it is
for (Auth0's on-behalf-of exchange, by an application with `resource_server_identifier`). What is
issued ends no later than what it was issued for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, OAuth2Error
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin
from authlib.oidc.core.errors import ConsentRequiredError

from . import codes
from .browser_sessions import consented_scope
from .clients import CONFIDENTIAL_AUTH_METHODS, EXCHANGE, Client
from .oauth_errors import AccessDeniedError, GrantNotAllowedError, described
from .request import TenantRequest
from .server import TenantServer
from .users import find_user

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105
JWT = "urn:ietf:params:oauth:token-type:jwt"
REFRESH_TOKEN = "urn:ietf:params:oauth:token-type:refresh_token"  # noqa: S105
DEEPEST = 5  # actors within each other, as at Auth0


@dataclass(frozen=True, slots=True)
class Subject:
    """A valid access token of a user. It was issued to the client that presents it, or `is_foreign`
    and for the API that the client is."""

    claims: dict[str, Any]
    family: str
    is_foreign: bool

    @property
    def user_id(self) -> str:
        """The user's id."""
        return str(self.claims["sub"])


class ClientGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """A grant for clients with credentials, whose parameters are all required to be texts."""

    TOKEN_ENDPOINT_AUTH_METHODS = CONFIDENTIAL_AUTH_METHODS
    server: TenantServer
    request: TenantRequest

    def validate_token_request(self) -> None:
        client = self.authenticate_token_endpoint_client()
        self.request.client = client
        if not client.check_grant_type(self.GRANT_TYPE):
            text = f"Grant type '{self.GRANT_TYPE}' not allowed for the client."
            raise GrantNotAllowedError(described(text))

    def parameter(self, name: str) -> str:
        """A required parameter. Raises `InvalidRequestError` if it is missing."""
        value = self.request.payload.data.get(name)
        if not value:
            raise InvalidRequestError(f"Missing required parameter: {name}")
        return str(value)


class TokenExchangeGrant(ClientGrant):
    """RFC 8693 section 2.1, for access tokens of this tenant."""

    GRANT_TYPE = EXCHANGE

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        data, client = self.request.payload.data, self.request.client
        token_type = self.parameter("subject_token_type")
        if token_type not in (ACCESS_TOKEN, JWT):
            raise InvalidRequestError(described(f"Unsupported subject_token_type: {token_type}"))
        requested = data.get("requested_token_type", ACCESS_TOKEN)
        if requested not in (ACCESS_TOKEN, JWT):
            raise InvalidRequestError(described(f"Unsupported requested_token_type: {requested}"))
        if "resource" in data:  # RFC 8707, which this tenant's APIs do not go by
            raise OAuth2Error("Use audience, not resource.", error="invalid_target")
        subject = subject_of(self.server, client, self.parameter("subject_token"), self.request)
        audience = self.parameter("audience")
        self.server.apis.check(audience)
        if audience == self.server.apis.userinfo:
            raise AccessDeniedError(described(f"Service not found: {audience}"))
        actor = self._actor(subject)
        token = self.server.tokens.issue(
            codes.Grant(subject.family, client.client_id, "", audience, subject.user_id, ""),
            self._scope(subject, audience),
            dpop_jkt=self.request.dpop_jkt,
            further={"act": actor} if actor else {},
            ends_by=subject.claims["exp"],
        )
        return 200, {**token, "issued_token_type": ACCESS_TOKEN}, []

    def _scope(self, subject: Subject, audience: str) -> str:
        """The scopes of the API that are asked for, or else all that the client may have.

        For its own user the client has those that the user consented to. An API that acts on behalf
        of a user cannot ask; it has those of the API, as far as the user has them.
        """
        apis, payload = self.server.apis, self.request.payload
        asked, there = apis.allowed_scope(audience, payload.scope).split(), apis.scopes(audience)
        wanted, allowed = [name for name in asked if name in there], list(there)
        if not subject.is_foreign:
            client_id = self.request.client.client_id
            consented = consented_scope(self.server.database, subject.user_id, client_id, audience)
            allowed = [name for name in there if name in consented.split()]
            if not consented or not set(wanted) <= set(allowed):
                raise ConsentRequiredError("Consent required")
        return " ".join(allowed if payload.scope is None else wanted)

    def _actor(self, subject: Subject) -> dict[str, Any] | None:
        """The claim `act` (section 4.1): who acts for the user now, and who did before."""
        data, client_id = self.request.payload.data, self.request.client.client_id
        before = subject.claims.get("act")
        if "actor_token" in data:
            actor = self._actor_of(data["actor_token"], data.get("actor_token_type", ""))
        elif "actor_token_type" in data:
            raise InvalidRequestError("An actor_token_type needs an actor_token.")
        elif subject.is_foreign:
            actor = client_id
        else:
            return before
        if _depth(before) >= DEEPEST:
            text = f"The delegation chain has {DEEPEST} actors, which is the most."
            raise InvalidRequestError(text)
        return {"sub": actor, **({"act": before} if before else {})}

    def _actor_of(self, token: str, token_type: str) -> str:
        """Who an actor token stands for; it has to be one that this client got for itself."""
        if token_type not in (ACCESS_TOKEN, JWT):
            raise InvalidRequestError(described(f"Unsupported actor_token_type: {token_type}"))
        claims = self.server.access_token_claims(token)
        if claims is None or issued_to(claims) != self.request.client.client_id:
            raise InvalidRequestError("Invalid actor_token")
        return str(claims["sub"])


def subject_of(server: TenantServer, client: Client, token: str, request: TenantRequest) -> Subject:
    """The access token that a client presents for a user.

    Raises:
        OAuth2Error: it is not valid, not a user's, or not one that this client may exchange.
    """
    claims = server.access_token_claims(token)
    family = codes.family_of(server.database, token)
    if claims is None or family is None:
        raise InvalidRequestError("Invalid subject_token")  # RFC 8693 section 2.2.2
    audiences = [claims["aud"]] if isinstance(claims["aud"], str) else claims["aud"]
    is_own = issued_to(claims) == client.client_id
    if not is_own and client.resource_server not in audiences:
        raise AccessDeniedError("The subject_token is neither issued to the client nor for its API")
    bound_to = claims.get("cnf", {}).get("jkt")
    if is_own and bound_to not in (None, request.dpop_jkt):
        raise InvalidGrantError("The subject_token is bound to another DPoP key.")
    check_user(server, str(claims["sub"]))
    return Subject(claims, family, is_foreign=not is_own)


def check_user(server: TenantServer, user_id: str) -> None:
    """Raise an `OAuth2Error` if a user is gone, or blocked."""
    with server.database.transaction() as connection:
        user = find_user(connection, user_id=user_id)
    if user is None:
        raise InvalidGrantError("The user does not exist.")
    if user.blocked:
        raise OAuth2Error("user is blocked", error="unauthorized", status_code=403)


def issued_to(claims: dict[str, Any]) -> str | None:
    """The client that an access token was issued to, in Auth0's profile or RFC 9068's."""
    return claims.get("azp") or claims.get("client_id")


def _depth(act: Any) -> int:
    return 1 + _depth(act.get("act")) if isinstance(act, dict) else 0
