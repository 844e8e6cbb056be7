"""A plain client of an OpenID provider, written from the specifications and for these tests."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from .provider_process import ClientURLs, ProviderProcess

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
        self._provider = provider
        self._urls = urls
        basic = httpx.BasicAuth(provider.client_id, provider.client_secret)
        self.http = httpx.Client(trust_env=False, auth=basic)
        discovery = f"{provider.issuer}/.well-known/openid-configuration"
        self.metadata: dict[str, Any] = self._json(self.http.get(discovery, auth=None))

    def close(self) -> None:
        """End the connections."""
        self.http.close()

    def parameters(self, attempt: Attempt, **more: str) -> dict[str, str]:
        """An authorization request with PKCE and a nonce."""
        return {
            "client_id": self._provider.client_id,
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

    def pushed_authorization_url(self, attempt: Attempt) -> str:
        """Where the browser goes after a pushed authorization request (RFC 9126)."""
        endpoint = self.metadata["pushed_authorization_request_endpoint"]
        answer = self.http.post(endpoint, data=self.parameters(attempt))
        assert answer.status_code == 201, answer.text
        query = {
            "client_id": self._provider.client_id,
            "request_uri": answer.json()["request_uri"],
        }
        return f"{self.metadata['authorization_endpoint']}?{urlencode(query)}"

    def redeem(self, callback: str, attempt: Attempt) -> dict[str, Any]:
        """The tokens for the code that came back."""
        answer = answer_of(callback)
        assert answer["state"] == attempt.state
        return self._json(
            self.token(
                grant_type="authorization_code",
                code=answer["code"],
                redirect_uri=self._urls.redirect_uri,
                code_verifier=attempt.code_verifier,
            )
        )

    def refresh(self, refresh_token: str) -> httpx.Response:
        """The whole answer, for it may be a refusal."""
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)

    def token(self, **form: str) -> httpx.Response:
        """Whatever the token endpoint answers."""
        return self.http.post(self.metadata["token_endpoint"], data=form)

    def claims(self, token: str) -> dict[str, Any]:
        """What a JWT of the provider's says, once its signature has been checked."""
        keys = KeySet.import_key_set(self._json(self.http.get(self.metadata["jwks_uri"])))
        return jwt.decode(token, keys).claims

    def user_info(self, access_token: str) -> httpx.Response:
        """What UserInfo answers."""
        headers = {"Authorization": f"Bearer {access_token}"}
        return self.http.get(self.metadata["userinfo_endpoint"], headers=headers, auth=None)

    def end_session_url(self, id_token: str, state: str) -> str:
        """Where the browser goes to log out (RP-Initiated Logout 1.0 section 2)."""
        query = {
            "id_token_hint": id_token,
            "post_logout_redirect_uri": self._urls.post_logout_redirect_uri,
            "state": state,
        }
        return f"{self.metadata['end_session_endpoint']}?{urlencode(query)}"

    @staticmethod
    def _json(answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document


def answer_of(callback: str) -> dict[str, str]:
    """The parameters of an authorization response."""
    return dict(parse_qsl(urlsplit(callback).query))
