"""Errors as texts for the user."""

from __future__ import annotations

import logging

import httpx

from app.auth import (
    AuthError,
    ConsentRequired,
    LoginRequired,
    MfaRequired,
    ProviderUnavailable,
    StoreUnavailable,
)

logger = logging.getLogger(__name__)


def describe(error: Exception) -> str:
    """What happened, and what the user can do. The text never holds the exception's own message;
    that is in the log, under the same error id."""
    match error:
        case ConsentRequired():
            return "This needs more than you have allowed so far."
        case MfaRequired():
            return "This needs a login with a second factor."
        case LoginRequired():
            return "Your login has ended. Log in again to go on."
        case ProviderUnavailable():
            return _told("The service does not answer right now.", error)
        case StoreUnavailable():
            return _told("Your session cannot be read right now.", error)
        case AuthError():
            return _told("The login service gave an unusable answer.", error)
        case httpx.TransportError():
            return "The service does not answer right now."
        case httpx.HTTPStatusError(response=response):
            return _for_response(response)
        case _:
            return "The service gave an answer that this app does not understand."


def url_to_allow(error: Exception) -> str:
    """The link that asks for what is missing: consent or a second factor; empty for any other
    error."""
    if isinstance(error, ConsentRequired | MfaRequired):
        return error.login_url or ""
    return ""


def _told(what: str, error: AuthError) -> str:
    logger.warning("[%s] %s: %s", error.error_id, error.code, error)
    return f"{what} {error.remedy} (Reference {error.error_id})"


def _for_response(response: httpx.Response) -> str:
    status = response.status_code
    match status:
        case 400 | 409 | 413 | 422:
            return f"The service refused this (status {status}){_reason(response)}."
        case 401:
            return _without_token(response.extensions.get("auth_reason"))
        case 403:
            return "You do not have the permission for this (status 403)."
        case 404:
            return "The service has no record of you (status 404)."
        case 429:
            return "Too many requests (status 429). Wait a moment, then try again."
        case _:
            return f"The service answered with an error (status {status})."


def _without_token(reason: object) -> str:
    """About a 401. `reason` says why the request had no token; None if it had one."""
    match reason:
        case "odd_url":
            return (
                "No access token was sent to the service (status 401): servers may read the "
                "address in two ways, because of a character in your user ID, for example. Tell "
                "the operator of this app: docs/interceptor.md has the rule."
            )
        case "not_on_list":
            return (
                "No access token was sent to the service (status 401): its address is not on this "
                "app's allowed list. Tell the operator of this app."
            )
        case _:
            return "The service did not accept your login (status 401). Log out and log in again."


def _reason(response: httpx.Response) -> str:
    """What a service says about a refusal, as the end of a sentence; empty if it says nothing."""
    try:
        reason = response.json().get("message")
    except (ValueError, AttributeError):
        return ""
    if not isinstance(reason, str) or not reason.strip():
        return ""
    return f": {reason.strip()[:200].rstrip('.')}"
