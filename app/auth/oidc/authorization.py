"""The authorization endpoint: request and response.

OpenID Connect Core section 3.1.2, with PKCE (RFC 7636), PAR (RFC 9126) and `iss` (RFC 9207).
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from ..errors import AuthorizationError, CallbackError, ProviderError, TransactionError
from .client_authentication import ClientAuthentication
from .discovery import ProviderMetadata
from .provider_http import oauth_error, send_json, string_member

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
_OTHER_FLOWS = frozenset({"id_token", "access_token", "response"})
_STATE = re.compile(r"[\x20-\x7e]{1,2048}")  # one that this client has made
_CODE = re.compile(
    r"[\x20-\x7e]+"
)  # of any length: RFC 6749 section 4.1.2 leaves it to the provider
_LONGEST_CODE = 16 * 1024  # characters


@dataclass(frozen=True, slots=True)
class AuthorizationState:
    """What ties a response to its request: 256 random bits each, new for every login."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)

    @classmethod
    def new(cls) -> AuthorizationState:
        """Values from the operating system's random generator."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))


def authorization_request(
    login: AuthorizationState,
    *,
    client_id: str,
    redirect_uri: str,
    scope: str,
    audience: str | None,
    others: Mapping[str, str],
    dpop_jkt: str | None = None,
) -> dict[str, str]:
    """The parameters of the request. The code verifier is not among them.

    `others` are further parameters, such as `prompt`. They cannot replace the ones set here.
    `dpop_jkt` binds the code to a key (RFC 9449 section 10).
    """
    parameters = {
        "client_id": client_id,
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": login.state,
        "nonce": login.nonce,
        "code_challenge": code_challenge(login.code_verifier),
        "code_challenge_method": "S256",
    }
    if audience:
        parameters["audience"] = audience
    if dpop_jkt:
        parameters["dpop_jkt"] = dpop_jkt
    return {**others, **parameters}


def code_challenge(code_verifier: str) -> str:
    """The code challenge of the method S256 (RFC 7636 section 4.2), without padding."""
    digest = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


async def push(
    client: httpx.AsyncClient,
    endpoint: str,
    authentication: ClientAuthentication,
    parameters: Mapping[str, str],
) -> dict[str, str]:
    """Send the parameters to the provider directly (RFC 9126).

    The result is what the browser carries instead (section 4).

    Raises:
        TokenEndpointError: the provider refused them; `error` says why.
        ProviderError, ProviderUnavailable: no usable response.
    """
    request = authentication.build_request(client, endpoint, parameters)
    status, document = await send_json(client, request, purpose="pushed authorization request")
    if status not in (200, 201) or "error" in document:
        raise oauth_error("The provider refused the pushed authorization request.", document)
    request_uri = string_member(document, "request_uri")
    if request_uri is None:
        raise ProviderError("The answer to the pushed authorization request has no request_uri.")
    return {"client_id": authentication.client_id, "request_uri": request_uri}


def single_parameters(items: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The parameters of the response by name.

    Raises:
        CallbackError: one of them occurs twice (RFC 6749 section 3.1).
    """
    parameters = dict(items)
    if len(parameters) != len(items):
        raise CallbackError("A parameter of the callback occurs twice.")
    return parameters


def state_of(parameters: Mapping[str, str]) -> str:
    """The `state` of the response, which finds the login attempt.

    Raises:
        TransactionError: there is none.
    """
    state = parameters.get("state", "")
    if not _STATE.fullmatch(state):
        raise TransactionError("The callback has no usable state.")
    return state


def code_of(parameters: Mapping[str, str], metadata: ProviderMetadata) -> str:
    """The authorization code. Call this after the login attempt was found by its `state`.

    Raises:
        AuthorizationError: the provider refused; `code` is its error if that is a known one.
        CallbackError: the response is of another issuer or flow, or has neither code nor error.
    """
    _check_issuer(parameters, metadata)
    if _OTHER_FLOWS & parameters.keys():
        raise CallbackError("The callback has what the code flow does not send.")
    error, code = parameters.get("error"), parameters.get("code")
    if error is not None:
        raise AuthorizationError(
            "The provider refused the login.",
            code=error if error in KNOWN_ERRORS else None,
            error=error,
            error_description=parameters.get("error_description"),
        )
    if code is None:
        raise CallbackError("The callback has neither a code nor an error.")
    if len(code) > _LONGEST_CODE:
        raise CallbackError(f"The callback's code is too long: {len(code)} characters.")
    if not _CODE.fullmatch(code):
        raise CallbackError("The callback's code is empty or not printable.")
    return code


def _check_issuer(parameters: Mapping[str, str], metadata: ProviderMetadata) -> None:
    """`iss` is the provider (RFC 9207). It may be missing unless the provider announces it."""
    issuer = parameters.get("iss")
    if issuer is None and not metadata.authorization_response_iss_parameter_supported:
        return
    if issuer != metadata.issuer:
        raise CallbackError("The callback comes from another issuer.", code="issuer_mismatch")
