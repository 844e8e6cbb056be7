"""OAuth errors with Auth0's codes and texts, which its clients show and match on."""

from __future__ import annotations

import secrets

from authlib.oauth2.base import invalid_error_characters
from authlib.oauth2.rfc6749 import OAuth2Error

_TEXTS = {
    "access_denied": "User did not authorize the request",
    "consent_required": "Consent required",
    "login_required": "Login required",
}


class UnknownClientError(OAuth2Error):  # type: ignore[misc]
    """A client id that nobody has registered."""

    error = "invalid_client"
    status_code = 401


class UnauthorizedError(OAuth2Error):  # type: ignore[misc]
    """Wrong credentials of a client."""

    error = "access_denied"
    description = "Unauthorized"
    status_code = 401


class GrantNotAllowedError(OAuth2Error):  # type: ignore[misc]
    """A grant type that the client may not use."""

    error = "unauthorized_client"
    status_code = 403


class AccessDeniedError(OAuth2Error):  # type: ignore[misc]
    """Something that a client may not have."""

    error = "access_denied"
    status_code = 403


class TooManyAttemptsError(OAuth2Error):  # type: ignore[misc]
    """Too many wrong secrets: also the right one is refused for a time."""

    error = "too_many_attempts"
    description = "Too many wrong client secrets. Wait five minutes, or start the tenant again."
    status_code = 429


class MfaRequiredError(OAuth2Error):  # type: ignore[misc]
    """A second factor is missing. The refresh token is not used up."""

    error = "mfa_required"
    description = "Multifactor authentication required"
    status_code = 403

    def get_body(self) -> list[tuple[str, str]]:
        return [*super().get_body(), ("mfa_token", secrets.token_urlsafe(32))]


class SilentMfaRequiredError(OAuth2Error):  # type: ignore[misc]
    """A second factor is missing, and `prompt=none` forbids to ask for it."""

    error = "login_required"
    description = "Multifactor authentication required"


def described(text: str) -> str:
    """A text with the characters of an `error_description` (RFC 6749 section 5.2): ASCII without
    quotation marks and backslashes."""
    bad = set(invalid_error_characters(text))
    return "".join("?" if character in bad else character for character in text)


def error_items(error: OAuth2Error) -> list[tuple[str, str]]:
    """The parameters of an authorization error response."""
    items: list[tuple[str, str]] = error.get_body()
    if any(name == "error_description" for name, _ in items) or error.error not in _TEXTS:
        return items
    return [items[0], ("error_description", _TEXTS[error.error]), *items[1:]]
