"""Client authentication (RFC 6749 section 2.3, RFC 7523 section 2.2)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from ..signing_key import signing_algorithm

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFETIME = 60  # seconds


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """The credentials of one client at one provider.

    `method` is a method of OpenID Connect Core section 9. None stands for a shared secret, sent in
    the way that the provider announces. `signing_key` is for `private_key_jwt` only. `clock` gives
    epoch seconds. The audience of an assertion is the `issuer` and never an endpoint that discovery
    names: a malicious provider could name another one's endpoint and use the assertion there.
    """

    client_id: str
    issuer: str
    clock: Callable[[], float]
    client_secret: str = field(default="", repr=False)
    signing_key: RSAKey | ECKey | None = field(default=None, repr=False)
    method: str | None = None

    def with_method_from(self, supported: Sequence[str]) -> ClientAuthentication:
        """These credentials with a definite method.

        Without a configured one it is `client_secret_basic`, which is the default of RFC 8414
        section 2, unless the provider supports only `client_secret_post` of the two.
        """
        if self.method is not None:
            return self
        is_post = "client_secret_post" in supported and "client_secret_basic" not in supported
        return replace(self, method="client_secret_post" if is_post else "client_secret_basic")

    def build_request(
        self, client: httpx.AsyncClient, url: str, form: Mapping[str, str]
    ) -> httpx.Request:
        """An authenticated POST of a form to one of the provider's endpoints."""
        data = {**form, **self._fields()}
        request = client.build_request("POST", url, data=data)
        if self.method in (None, "client_secret_basic"):
            return next(self._basic().auth_flow(request))
        return request

    def _fields(self) -> dict[str, str]:
        if self.signing_key is not None:
            return {
                "client_id": self.client_id,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": self._assertion(self.signing_key),
            }
        match self.method:
            case "client_secret_post":
                return {"client_id": self.client_id, "client_secret": self.client_secret}
            case "none" | "tls_client_auth" | "self_signed_tls_client_auth":  # RFC 8705 section 2
                return {"client_id": self.client_id}
            case _:
                return {}

    def _basic(self) -> httpx.BasicAuth:
        """The Basic credentials, form-encoded first (RFC 6749 section 2.3.1)."""
        return httpx.BasicAuth(quote(self.client_id, safe=""), quote(self.client_secret, safe=""))

    def _assertion(self, key: RSAKey | ECKey) -> str:
        now = int(self.clock())
        algorithm = signing_algorithm(key)
        header = {"alg": algorithm, "typ": "JWT", "kid": key.kid}
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.issuer,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + ASSERTION_LIFETIME,
        }
        present = {name: value for name, value in header.items() if value is not None}
        return jwt.encode(present, claims, key, algorithms=[algorithm])
