"""The two registered applications: one with a secret, one for the browser."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.rfc6749 import ClientMixin

from .settings import TenantSettings

CLIENT_AUTH_METHODS = [
    *("client_secret_basic", "client_secret_post"),
    *("client_secret_jwt", "private_key_jwt", "none"),
]
CONFIDENTIAL_AUTH_METHODS = [name for name in CLIENT_AUTH_METHODS if name != "none"]
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
CONNECTION = "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token"
DEFAULT_GRANT_TYPES = ("authorization_code", "implicit", "refresh_token", "client_credentials")
GRANT_TYPES = (*DEFAULT_GRANT_TYPES, DEVICE, EXCHANGE, CONNECTION)
_WITH_CREDENTIALS = ("client_credentials", EXCHANGE, CONNECTION)
RESPONSE_TYPES = {"code": "authorization_code", "id_token": "implicit"}
"""The response types, and the grant type that a client has to have for each."""


@dataclass(frozen=True)
class Client(ClientMixin):  # type: ignore[misc]
    """An application. Redirect URIs match exactly or not at all (RFC 6749 section 3.1.2.3).

    Lifetimes and `rotation_overlap` are in seconds; None means that of the tenant's settings.
    `organization_usage` is `deny`, `allow` or `require`, as at Auth0. A response by `web_message`
    goes to `web_origins` only. Scripts of these and of `allowed_origins` may call the tenant.
    `jwks` has the public keys for `private_key_jwt` and request objects (RFC 7517 section 5).
    `resource_server` is the identifier of the API that the application is, or None.
    """

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    client_secret: str | None = field(default=None, repr=False)
    multi_resource_refresh: bool = False
    rotates_refresh_tokens: bool = True
    rotation_overlap: int | None = None
    refresh_token_lifetime: int | None = None
    id_token_lifetime: int = 36_000
    organization_usage: str = "allow"
    web_origins: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    backchannel_logout_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = DEFAULT_GRANT_TYPES
    jwks: dict[str, Any] | None = field(default=None, hash=False)
    resource_server: str | None = None

    @property
    def is_public(self) -> bool:
        """Whether it has no credentials (RFC 6749 section 2.1)."""
        return self.client_secret is None and self.jwks is None

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str | None) -> str:
        return scope or ""  # depends on the API: see `Apis.allowed_scope`

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        expected = (self.client_secret or "").encode()
        return bool(expected) and hmac.compare_digest(expected, client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return (method == "none") == self.is_public

    def check_response_type(self, response_type: str) -> bool:
        return RESPONSE_TYPES.get(response_type) in self.grant_types

    def check_grant_type(self, grant_type: str) -> bool:
        # A public client has no credentials to show (RFC 6749 section 4.4).
        is_refused = self.is_public and grant_type in _WITH_CREDENTIALS
        return grant_type in self.grant_types and not is_refused


def registered_clients(settings: TenantSettings) -> dict[str, Client]:
    """The clients of this tenant, by client id."""
    # The secret is published on purpose: this client exists on the developer's own machine only.
    homes = tuple(home for url in settings.app_urls for home in (url, f"{url}/"))
    callbacks = tuple(f"{url}{settings.callback_path}" for url in settings.app_urls)
    # After a logout that names a path: one address of the app, which knows the path.
    logged_out = tuple(f"{url}/auth/logged-out" for url in settings.app_urls)
    origins = settings.app_origins
    listeners = tuple(f"{url}/auth/backchannel-logout" for url in settings.app_urls)
    return {
        "local-app": Client(
            client_id="local-app",
            name="Call an API",
            redirect_uris=callbacks,
            post_logout_redirect_uris=(*homes, *logged_out),
            client_secret="local-secret",  # noqa: S106 - published, see above
            multi_resource_refresh=settings.multi_resource_refresh,
            web_origins=origins,
            backchannel_logout_uris=listeners if settings.backchannel_logout else (),
            grant_types=GRANT_TYPES,
        ),
        "local-spa": Client(
            client_id="local-spa",
            name="Call an API (browser)",
            redirect_uris=(*homes, *callbacks),
            post_logout_redirect_uris=homes,
            multi_resource_refresh=settings.multi_resource_refresh,
            web_origins=origins,
            grant_types=(*DEFAULT_GRANT_TYPES, DEVICE),
        ),
    }
