"""The device authorization grant (RFC 8628): at the token endpoint, and for the user's login."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import (
    AuthorizationEndpointMixin,
    BaseGrant,
    TokenEndpointMixin,
)
from authlib.oauth2.rfc6749.hooks import hooked

from . import codes, device_codes
from .clients import CLIENT_AUTH_METHODS, DEVICE
from .request import TenantRequest
from .server import TenantServer
from .users import User

# With Auth0's statuses, where RFC 6749 section 5.2 says 400.
_ERRORS = {
    "authorization_pending": (403, "User has yet to authorize device code."),
    "slow_down": (429, "You are polling faster than the specified interval of 5 seconds."),
    "expired_token": (403, "The device code has expired."),
    "access_denied": (403, "User cancelled the confirmation prompt."),
    "invalid_grant": (403, "Invalid or expired device code."),
}


class DeviceCodeGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """Section 3.4: a device asks whether its user has logged in."""

    GRANT_TYPE = DEVICE
    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_AUTH_METHODS
    server: TenantServer
    request: TenantRequest

    def validate_token_request(self) -> None:
        server, request = self.server, self.request
        client = self.authenticate_token_endpoint_client()
        request.client = client
        if not client.check_grant_type(DEVICE):
            raise UnauthorizedClientError
        device_code = request.payload.data.get("device_code", "")
        found = device_codes.poll(server.database, device_code, client.client_id, server.clock())
        user = server.user_of(found) if isinstance(found, codes.Grant) else None
        if user is None:
            error = found if isinstance(found, str) else "invalid_grant"
            status, text = _ERRORS[error]
            raise OAuth2Error(text, error=error, status_code=status)
        request.user, request.authorization_code = user, found

    @hooked  # type: ignore[untyped-decorator]
    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        grant: codes.Grant = self.request.authorization_code
        token = self.server.tokens.issue(grant, grant.scope, dpop_jkt=self.request.dpop_jkt)
        self.save_token(token)
        return 200, token, []


class DeviceActivationGrant(BaseGrant, AuthorizationEndpointMixin):  # type: ignore[misc]
    """The user's part, as an authorization request of the tenant to itself. It carries the id of
    the device, which nobody else knows, so that no other request can take its form."""

    RESPONSE_TYPES: ClassVar[set[str]] = {DEVICE}
    server: TenantServer
    request: TenantRequest

    def validate_authorization_request(self) -> str:
        server, data = self.server, self.request.payload.data
        device = device_codes.find_device(server.database, server.clock(), id_=self._id)
        if device is None:
            raise InvalidRequestError("The code of the device has expired or has been used.")
        self.request.client = server.query_client(device.client_id)
        return str(data["redirect_uri"])

    def authorization_items(self, user: User) -> list[tuple[str, str]]:
        """The parameters with which the browser returns to `/activate`."""
        self.request.user = user
        server, grant = self.server, self.server.granted(self.request)
        if not device_codes.approve(server.database, self._id, grant, server.clock()):
            raise InvalidRequestError("The code of the device has expired or has been used.")
        codes.note_client(server.database, grant)
        return [("result", "connected")]

    def decline(self) -> None:
        """Let the device learn that its user refuses."""
        device_codes.deny(self.server.database, self._id)

    @property
    def _id(self) -> str:
        return str(self.request.payload.data.get("device", ""))


def activation_query(device: device_codes.Device, issuer: str) -> str:
    """The authorization request that a `DeviceActivationGrant` serves. It asks for consent even if
    the user has consented before: the device may be somebody else's (section 5.4)."""
    parameters = {
        "response_type": DEVICE,
        "response_mode": "query",
        "redirect_uri": f"{issuer}activate",
        "client_id": device.client_id,
        "scope": device.scope,
        "prompt": "consent",
        "device": device.id,
    }
    return urlencode({**parameters, **({"audience": device.audience} if device.audience else {})})


def authorize_device(server: TenantServer, request: TenantRequest) -> dict[str, object]:
    """Give a client a device code and a user code; the result is the response of section 3.2.

    Raises:
        OAuth2Error: the client is not authenticated, may not use the grant, or asks for an API that
            does not exist.
    """
    client = server.authenticate_client(request, CLIENT_AUTH_METHODS)
    if not client.check_grant_type(DEVICE):
        text = f"Grant type '{DEVICE}' not allowed for the client."
        raise OAuth2Error(text, error="unauthorized_client", status_code=403)
    data = request.payload.data
    scope, audience = data.get("scope", ""), data.get("audience", "")
    server.apis.check(audience)
    device_code, user_code = device_codes.new_device(
        server.database, client.client_id, scope, audience, server.clock()
    )
    page = f"{server.settings.issuer}activate"
    return {
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?{urlencode({'user_code': user_code})}",
        "expires_in": device_codes.LIFETIME,
        "interval": device_codes.INTERVAL,
    }
