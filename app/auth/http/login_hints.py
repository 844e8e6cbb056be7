"""Hints for the developer, in the log: which setting a provider's refusal of a login is about."""

from __future__ import annotations

from ..errors import AuthorizationError

# What a description contains, in lower case, and what to look at. The first one that fits counts.
_BY_DESCRIPTION = (
    ("service not found", "No API with this audience: check AUTH0_AUDIENCE."),
    (
        "organization",
        "Organizations: log in with a link that has organization=..., set it in fixed_parameters "
        "of AuthorizationParams, or change the application's setting at the provider.",
    ),
    ("verify your email", "A rule or an Action at the provider requires a verified address."),
    ("blocked", "The user is blocked at the provider: see the user's page in its dashboard."),
    ("grant type", "The application at the provider does not allow this grant type."),
    ("not authorized to access", "The application is not authorized for the API: AUTH0_AUDIENCE."),
    ("scope", "Check AUTH0_SCOPE, and the scopes that the API defines at the provider."),
)
_BY_CODE = {
    "invalid_scope": "Check AUTH0_SCOPE, and the scopes that the API defines at the provider.",
    "unauthorized_client": "Check the application's type and grants at the provider.",
    "request_not_supported": "Check AUTH0_PUSHED_AUTHORIZATION_REQUESTS.",
}


def hint_about(error: AuthorizationError) -> str | None:
    """Return a sentence about the setting that the refusal is about; None if it is not known. It
    has nothing of the provider's text."""
    description = (error.error_description or "").lower()
    for words, hint in _BY_DESCRIPTION:
        if words in description:
            return hint
    return _BY_CODE.get(error.code)
