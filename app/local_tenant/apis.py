"""The APIs that this tenant issues access tokens for, and the scopes of each."""

from __future__ import annotations

from authlib.oauth2.rfc6749 import OAuth2Error

from .settings import TenantSettings

IDENTITY = {
    "openid": "Know who you are",
    "profile": "See your name and picture",
    "email": "See your e-mail address",
    "offline_access": "Stay logged in while you are away",
}
MANAGEMENT = {
    "read:current_user": "Read your account, metadata included",
    "update:current_user_metadata": "Change your metadata",
    "create:current_user_metadata": "Add metadata about you",
}
EXTERNAL = {"read:messages": "Read your messages"}

DESCRIPTIONS = {**IDENTITY, **MANAGEMENT, **EXTERNAL}
"""What each scope allows, for the consent page."""


class ServiceNotFoundError(OAuth2Error):  # type: ignore[misc]
    """An unknown audience, answered as Auth0 answers it."""

    error = "access_denied"
    description = "Service not found: the audience is unknown to this tenant."


class Apis:
    """The APIs by identifier, which is the audience of their access tokens."""

    def __init__(self, settings: TenantSettings) -> None:
        self._scopes = {
            settings.userinfo_audience: frozenset[str](),
            settings.management_audience: frozenset(MANAGEMENT),
            settings.external_audience: frozenset(EXTERNAL),
        }

    def check(self, audience: str | None) -> None:
        """Raise `ServiceNotFoundError` if a requested audience is not the identifier of an API."""
        if audience and audience not in self._scopes:
            raise ServiceNotFoundError

    def allowed_scope(self, audience: str, scope: str | None) -> str:
        """The scopes of `scope` that can be granted for an API: its own and those of identity."""
        own = self._scopes.get(audience, frozenset())
        return " ".join(name for name in (scope or "").split() if name in own or name in IDENTITY)


def identity_scope(scope: str) -> str:
    """The scopes of `scope` that are about the user and not about an API."""
    return " ".join(name for name in scope.split() if name in IDENTITY)
