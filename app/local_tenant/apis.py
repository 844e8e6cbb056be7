"""The APIs that this tenant issues access tokens for, and the scopes of each."""

from __future__ import annotations

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
"""What each scope allows, for the person who is asked."""


class Apis:
    """By identifier, which is the audience of an API's tokens."""

    def __init__(self, settings: TenantSettings) -> None:
        self._scopes = {
            settings.userinfo_audience: frozenset[str](),
            settings.management_audience: frozenset(MANAGEMENT),
            settings.external_audience: frozenset(EXTERNAL),
        }

    def knows(self, audience: str | None) -> bool:
        """Whether an API has this identifier (none asked for is fine)."""
        return not audience or audience in self._scopes

    def allowed_scope(self, audience: str, scope: str | None) -> str:
        """What of a scope can be granted for an API: its own, and what is about the person."""
        own = self._scopes.get(audience, frozenset())
        return " ".join(name for name in (scope or "").split() if name in own or name in IDENTITY)


def identity_scope(scope: str) -> str:
    """What of a scope is about the person and not about an API."""
    return " ".join(name for name in scope.split() if name in IDENTITY)
