"""The token endpoint (RFC 6749 sections 4.1.3, 5 and 6) and revocation (RFC 7009)."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from ..dpop import TOKEN_TYPE, USE_NONCE, Proofs
from ..errors import ProviderError
from .client_authentication import ClientAuthentication
from .proven_request import send_with_proof
from .provider_http import json_object, oauth_error, send, send_json, string_member

DEFAULT_EXPIRES_IN = 300.0  # seconds, if the provider does not say (RFC 6749 section 5.1)
BEARER = "Bearer"
ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105
_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750 section 2.1


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """A successful response (RFC 6749 section 5.1). `expires_in` is in seconds."""

    access_token: str = field(repr=False)
    expires_in: float
    scope: str | None = None
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)


async def exchange_code(
    client: httpx.AsyncClient,
    token_endpoint: str,
    authentication: ClientAuthentication,
    *,
    code: str,
    redirect_uri: str,
    code_verifier: str,
    dpop: Proofs | None = None,
) -> TokenResponse:
    """Redeem an authorization code. With `dpop`, the access token has to be bound to its key.

    Raises:
        TokenEndpointError: the provider refused the code.
        ProviderError, ProviderUnavailable: no usable response.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": code_verifier,
    }
    return await _grant(client, token_endpoint, authentication, form, dpop)


async def refresh(
    client: httpx.AsyncClient,
    token_endpoint: str,
    authentication: ClientAuthentication,
    *,
    refresh_token: str,
    audience: str | None = None,
    scope: str | None = None,
    dpop: Proofs | None = None,
) -> TokenResponse:
    """Redeem a refresh token. `audience` is a parameter of Auth0's multi-resource refresh tokens.
    With `dpop`, the access token has to be bound to its key.

    Raises:
        TokenEndpointError: the provider refused; `error` is `invalid_grant` if the token has ended.
        ProviderError, ProviderUnavailable: no usable response.
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    form |= {name: value for name, value in (("audience", audience), ("scope", scope)) if value}
    return await _grant(client, token_endpoint, authentication, form, dpop)


async def exchange_token(
    client: httpx.AsyncClient,
    token_endpoint: str,
    authentication: ClientAuthentication,
    form: Mapping[str, str],
    *,
    issued_token_types: Collection[str],
    dpop: Proofs | None = None,
) -> TokenResponse:
    """Exchange a token (RFC 8693 section 2). `form` has the `grant_type`, too. With `dpop`, the
    request proves the key of a refresh token in `form`; the issued token is not bound to it.

    Raises:
        TokenEndpointError: the provider refused; `error` says why.
        ProviderError, ProviderUnavailable: no usable response, or a token of a type that is not
            among the `issued_token_types`.
    """
    status, document = await _answered(
        client, token_endpoint, authentication, form, dpop, purpose="token exchange"
    )
    response = token_response(status, document)
    if string_member(document, "issued_token_type") not in (None, *issued_token_types):
        raise ProviderError("The issued token is of another type than was requested.")
    return replace(response, refresh_token=None, id_token=None)


async def revoke(
    client: httpx.AsyncClient,
    revocation_endpoint: str,
    authentication: ClientAuthentication,
    *,
    refresh_token: str,
) -> None:
    """Revoke a refresh token (RFC 7009 section 2.1).

    Raises:
        ProviderError, ProviderUnavailable: the provider did not confirm it.
    """
    form = {
        "token": refresh_token,
        "token_type_hint": "refresh_token",
        "client_id": authentication.client_id,
    }
    request = authentication.build_request(client, revocation_endpoint, form)
    status, _ = await send(client, request, purpose="revocation")
    if status != 200:
        raise ProviderError(f"The revocation endpoint answered {status}.")


async def _grant(
    client: httpx.AsyncClient,
    token_endpoint: str,
    authentication: ClientAuthentication,
    form: Mapping[str, str],
    dpop: Proofs | None,
) -> TokenResponse:
    status, document = await _answered(
        client, token_endpoint, authentication, form, dpop, purpose=form["grant_type"]
    )
    return token_response(status, document, token_type=TOKEN_TYPE if dpop else BEARER)


async def _answered(
    client: httpx.AsyncClient,
    token_endpoint: str,
    authentication: ClientAuthentication,
    form: Mapping[str, str],
    dpop: Proofs | None,
    *,
    purpose: str,
) -> tuple[int, dict[str, Any]]:
    """Send a form, with a proof if there is `dpop`; the status and the document of the answer."""
    build = functools.partial(authentication.build_request, client, token_endpoint, form)
    if dpop is None:
        return await send_json(client, build(), purpose=purpose)
    status, body = await send_with_proof(
        client, build, dpop, purpose=purpose, demands_nonce=_demands_nonce
    )
    return status, json_object(body, purpose=purpose)


def _demands_nonce(status: int, body: bytes) -> bool:
    """RFC 9449 section 8. The grant is not used up."""
    return json_object(body, purpose="use_dpop_nonce").get("error") == USE_NONCE


def token_response(
    status: int, document: Mapping[str, Any], *, token_type: str = BEARER
) -> TokenResponse:
    """Check a response of the token endpoint.

    Raises:
        TokenEndpointError: an error response of any status (Auth0 sends 403 for `invalid_grant`,
            RFC 6749 says 400).
        ProviderError: a success without what section 5.1 requires, or with another `token_type`.
    """
    if status != 200 or "error" in document:
        raise oauth_error("The provider refused the grant.", document)
    access_token = string_member(document, "access_token")
    if access_token is None or not _TOKEN68.fullmatch(access_token):
        raise ProviderError("The token response has no usable access_token.")
    if (string_member(document, "token_type") or "").lower() != token_type.lower():
        raise ProviderError(f"The token response's token_type is not {token_type}.")
    return TokenResponse(
        access_token=access_token,
        expires_in=_expires_in(document),
        scope=_scope(document),
        refresh_token=string_member(document, "refresh_token"),
        id_token=string_member(document, "id_token"),
    )


def _scope(document: Mapping[str, Any]) -> str | None:
    """The scope, which may be empty: some providers say in this way that they granted none."""
    return "" if document.get("scope") == "" else string_member(document, "scope")


def _expires_in(document: Mapping[str, Any]) -> float:
    value = document.get("expires_in", DEFAULT_EXPIRES_IN)
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise ProviderError("The token response's expires_in is not a number of seconds.")
    return float(value)
