"""Judging what comes back to the callback: RFC 6749 section 4.1.2, RFC 9207."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import AuthorizationError, CallbackError, TransactionError
from .provider_metadata import ProviderMetadata

# The errors of RFC 6749 section 4.1.2.1 and OpenID Connect Core section 3.1.2.6.
KNOWN_ERRORS = frozenset(
    {
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "request_not_supported",
        "request_uri_not_supported",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
    }
)
_OF_OTHER_FLOWS = frozenset({"id_token", "access_token", "response"})
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,2048}")


def single_parameters(items: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The parameters as a mapping.

    Raises:
        CallbackError: one of them occurs twice (RFC 6749 section 3.1).
    """
    parameters: dict[str, str] = {}
    for name, value in items:
        if name in parameters:
            raise CallbackError("A parameter of the callback occurs twice.")
        parameters[name] = value
    return parameters


def state_of(parameters: dict[str, str]) -> str:
    """The `state` that names the login attempt.

    Raises:
        TransactionError: there is none.
    """
    state = parameters.get("state", "")
    if not _PRINTABLE.fullmatch(state):
        raise TransactionError("The callback has no usable state.")
    return state


def code_of(parameters: dict[str, str], metadata: ProviderMetadata) -> str:
    """The authorization code, once `state` has been matched.

    Raises:
        AuthorizationError: the provider refused; `code` is its error where that is a known one.
        CallbackError: another issuer, no code, or both a code and an error.
    """
    _check_issuer(parameters, metadata)
    _check_kind(parameters)
    error, code = parameters.get("error"), parameters.get("code")
    if error is not None:
        raise AuthorizationError(
            "The provider refused the login.",
            code=error if error in KNOWN_ERRORS else None,
            error=error,
            error_description=parameters.get("error_description"),
        )
    if not code or not _PRINTABLE.fullmatch(code):
        raise CallbackError("The callback has neither a code nor an error.")
    return code


def _check_kind(parameters: dict[str, str]) -> None:
    """A token in the URL, or an answer as a JWT, belongs to a flow that was not begun."""
    if _OF_OTHER_FLOWS & parameters.keys():
        raise CallbackError("The callback has what the code flow does not send.")


def _check_issuer(parameters: dict[str, str], metadata: ProviderMetadata) -> None:
    issuer = parameters.get("iss")
    if issuer is None and not metadata.authorization_response_iss_parameter_supported:
        return
    if issuer != metadata.issuer:
        raise CallbackError("The callback comes from another issuer.", code="issuer_mismatch")
