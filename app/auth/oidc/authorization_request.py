"""The authorization request: OpenID Connect Core section 3.1.2.1, with PKCE and PAR."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from ..errors import ProviderError, TokenEndpointError
from .client_authentication import ClientAuthentication
from .http import send_json, string_member
from .provider_metadata import ProviderMetadata


@dataclass(frozen=True, slots=True)
class LoginSecrets:
    """The values that tie an answer to its request; new for every login, 256 bits each."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)

    @classmethod
    def new(cls) -> LoginSecrets:
        """Fresh values from the operating system's generator."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))


def authorization_request(
    login: LoginSecrets,
    *,
    client_id: str,
    redirect_uri: str,
    scope: str,
    audience: str | None,
    others: Mapping[str, str],
) -> dict[str, str]:
    """The parameters; of the three secrets they hold `state` and `nonce` only.

    `others` are further ones, such as `prompt`; none takes the place of one that is set here.
    """
    parameters = {
        "client_id": client_id,
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": login.state,
        "nonce": login.nonce,
        "code_challenge": create_s256_code_challenge(login.code_verifier),
        "code_challenge_method": "S256",
    }
    if audience:
        parameters["audience"] = audience
    return {**others, **parameters}


def authorization_url(metadata: ProviderMetadata, parameters: Mapping[str, str]) -> str:
    """The URL to send the browser to."""
    separator = "&" if "?" in metadata.authorization_endpoint else "?"
    return f"{metadata.authorization_endpoint}{separator}{urlencode(parameters)}"


async def push(
    client: httpx.AsyncClient,
    endpoint: str,
    authentication: ClientAuthentication,
    parameters: Mapping[str, str],
) -> dict[str, str]:
    """Hand the parameters to the provider itself; the result is what the browser carries instead
    (RFC 9126 section 4).

    Raises:
        TokenEndpointError: it refused them; `error` says why.
        ProviderError, ProviderUnavailable: no usable answer.
    """
    request = authentication.post(client, endpoint, parameters)
    status, document = await send_json(client, request, purpose="pushed authorization request")
    if status not in (200, 201) or "error" in document:
        raise TokenEndpointError(
            "The provider refused the pushed authorization request.",
            error=_text(document.get("error")),
            error_description=_text(document.get("error_description")),
        )
    request_uri = string_member(document, "request_uri")
    if request_uri is None:
        raise ProviderError("The answer to the pushed authorization request has no request_uri.")
    return {"client_id": authentication.client_id, "request_uri": request_uri}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
