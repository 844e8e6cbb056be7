"""A plain client of an OpenID provider, written from the specifications and for these tests."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet, KeySetSerialization, RSAKey

from .provider_process import ClientURLs, ProviderProcess
from .user_agent import Page

SCOPE = "openid profile email offline_access"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a client keeps between the request and its answer."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    code_verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def code_challenge(self) -> str:
        """RFC 7636 section 4.2, S256."""
        digest = hashlib.sha256(self.code_verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class RelyingParty:
    """Authenticates by `client_secret_basic`."""

    def __init__(self, provider: ProviderProcess, urls: ClientURLs) -> None:
        self.client_id = provider.client_id
        self.issuer = provider.issuer
        self._secret = provider.client_secret
        self._urls = urls
        self.http = httpx.Client(trust_env=False)
        discovery = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        self.metadata: dict[str, Any] = _document(self.http.get(discovery))

    def close(self) -> None:
        """End the connections."""
        self.http.close()

    def parameters(self, attempt: Attempt, **more: str) -> dict[str, str]:
        """An authorization request with PKCE and a nonce."""
        return {
            "client_id": self.client_id,
            "response_type": "code",
            "scope": SCOPE,
            "redirect_uri": self._urls.redirect_uri,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.code_challenge,
            "code_challenge_method": "S256",
            **more,
        }

    def authorization_url(self, attempt: Attempt, **more: str) -> str:
        """Where the browser goes, with everything in the URL."""
        query = urlencode(self.parameters(attempt, **more))
        return f"{self.metadata['authorization_endpoint']}?{query}"

    def pushed_authorization_url(self, attempt: Attempt, **more: str) -> str:
        """Where the browser goes after a pushed authorization request (RFC 9126)."""
        endpoint = "pushed_authorization_request_endpoint"
        answer = self.post(endpoint, self.parameters(attempt, **more))
        assert answer.status_code == 201, answer.text
        query = {"client_id": self.client_id, "request_uri": answer.json()["request_uri"]}
        return f"{self.metadata['authorization_endpoint']}?{urlencode(query)}"

    def redeem(self, callback: Page, attempt: Attempt) -> dict[str, Any]:
        """The tokens for the code that came back."""
        answer = callback.parameters()
        assert answer.get("state") == attempt.state, callback.url
        return _document(self.exchange(answer["code"], attempt.code_verifier))

    def exchange(self, code: str, code_verifier: str) -> httpx.Response:
        """The whole answer, for it may be a refusal."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._urls.redirect_uri,
            "code_verifier": code_verifier,
        }
        return self.post("token_endpoint", form)

    def refresh(self, refresh_token: str) -> httpx.Response:
        """The whole answer, for it may be a refusal."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.post("token_endpoint", form)

    def revoke(self, refresh_token: str) -> httpx.Response:
        """RFC 7009."""
        form = {"token": refresh_token, "token_type_hint": "refresh_token"}
        return self.post("revocation_endpoint", form)

    def post(self, endpoint: str, form: dict[str, str]) -> httpx.Response:
        """To an endpoint where the client authenticates."""
        basic = httpx.BasicAuth(self.client_id, self._secret)
        return self.http.post(self.metadata[endpoint], data=form, auth=basic)

    def claims(self, token: str) -> dict[str, Any]:
        """What a JWT of the provider's says, once its signature has been checked."""
        keys = cast(KeySetSerialization, _document(self.http.get(self.metadata["jwks_uri"])))
        return jwt.decode(token, KeySet.import_key_set(keys)).claims

    def user_info(self, access_token: str) -> httpx.Response:
        """What UserInfo answers."""
        headers = {"Authorization": f"Bearer {access_token}"}
        return self.http.get(self.metadata["userinfo_endpoint"], headers=headers)

    def end_session_url(self, id_token: str, state: str) -> str:
        """Where the browser goes to log out (RP-Initiated Logout 1.0 section 2)."""
        query = {
            "id_token_hint": id_token,
            "post_logout_redirect_uri": self._urls.post_logout_redirect_uri,
            "state": state,
        }
        return f"{self.metadata['end_session_endpoint']}?{urlencode(query)}"


class KeyRelyingParty(RelyingParty):
    """Authenticates by `private_key_jwt` (OpenID Connect Core 1.0 section 9)."""

    def __init__(
        self, provider: ProviderProcess, urls: ClientURLs, client_id: str, key: RSAKey
    ) -> None:
        super().__init__(provider, urls)
        self.client_id = client_id
        self._key = key

    def post(self, endpoint: str, form: dict[str, str]) -> httpx.Response:
        """With a signed assertion in the form instead of a secret in a header."""
        proof = {
            "client_id": self.client_id,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self._assertion(),
        }
        return self.http.post(self.metadata[endpoint], data={**form, **proof})

    def _assertion(self) -> str:
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.issuer,
            "jti": secrets.token_urlsafe(16),
            "exp": int(time.time()) + 60,
        }
        return jwt.encode({"alg": "RS256"}, claims, self._key)


def header_of(token: str) -> dict[str, Any]:
    """What a JWT says of itself, unchecked."""
    encoded = token.split(".")[0]
    header: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    )
    return header


def _document(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document
