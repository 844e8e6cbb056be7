"""The two registered applications: one with a secret, one for the browser."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from authlib.oauth2.rfc6749 import ClientMixin

from .settings import TenantSettings

SCOPES = {
    "openid": "Know who you are",
    "profile": "See your name and picture",
    "email": "See your e-mail address",
    "offline_access": "Stay logged in while you are away",
    "read:current_user": "Read your account, metadata included",
    "update:current_user_metadata": "Change your metadata",
    "create:current_user_metadata": "Add metadata about you",
}


@dataclass(frozen=True)
class Client(ClientMixin):  # type: ignore[misc]
    """An application. Redirect URIs match exactly or not at all (RFC 6749 section 3.1.2.3)."""

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    client_secret: str | None = field(default=None, repr=False)

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str | None) -> str:
        return " ".join(name for name in (scope or "").split() if name in SCOPES)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        expected = (self.client_secret or "").encode()
        return bool(expected) and hmac.compare_digest(expected, client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return (method == "none") == (self.client_secret is None)

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "refresh_token")


def registered_clients(settings: TenantSettings) -> dict[str, Client]:
    """The clients of this tenant, by client id."""
    # The secret is published on purpose: this client exists on the developer's own machine only.
    homes = tuple(url for origin in settings.app_urls for url in (origin, f"{origin}/"))
    callbacks = tuple(f"{origin}/auth/callback" for origin in settings.app_urls)
    return {
        "local-app": Client("local-app", "Call an API", callbacks, homes, "local-secret"),
        "local-spa": Client("local-spa", "Call an API (browser)", (*homes, *callbacks), homes),
    }
