"""The authorization request: OpenID Connect Core section 3.1.2.1 with PKCE (RFC 7636)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from .discovery import ProviderMetadata


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


def authorization_url(
    metadata: ProviderMetadata,
    login: LoginSecrets,
    *,
    client_id: str,
    redirect_uri: str,
    scope: str,
    audience: str | None,
    max_age: int | None = None,
) -> str:
    """The URL to send the browser to; of the three secrets it holds `state` and `nonce` only.

    `max_age` is the seconds that a login at the provider may be old; 0 asks for a new one.
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
    if max_age is not None:
        parameters["max_age"] = str(max_age)
    separator = "&" if "?" in metadata.authorization_endpoint else "?"
    return f"{metadata.authorization_endpoint}{separator}{urlencode(parameters)}"
