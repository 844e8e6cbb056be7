"""Clients that authenticate by a signed JWT: `client_secret_jwt` and `private_key_jwt`
(RFC 7523 section 2.2, OpenID Connect Core section 9)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet, OctKey

from .clients import Client
from .request import TenantRequest
from .strict_json import parse_json

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
METHODS = {"client_secret_jwt": "HS256", "private_key_jwt": "RS256"}
LONGEST = 300.0  # seconds for which an assertion may be valid

QueryClient = Callable[[str], Client | None]
Authenticate = Callable[[QueryClient, TenantRequest], Client | None]


class ClientAssertions:
    """Checks assertions that name one of `audiences`. Each is accepted once."""

    def __init__(self, audiences: tuple[str, ...], clock: Callable[[], float]) -> None:
        self._audiences = frozenset(audiences)
        self._clock = clock
        self._used: dict[tuple[str, str], float] = {}

    def method(self, name: str) -> Authenticate:
        """The check of one method, in the form that Authlib registers."""

        def authenticate(query_client: QueryClient, request: TenantRequest) -> Client | None:
            return self._client(METHODS[name], query_client, request)

        return authenticate

    def _client(
        self, algorithm: str, query_client: QueryClient, request: TenantRequest
    ) -> Client | None:
        form = request.form
        if form.get("client_assertion_type") != TYPE:
            return None
        client = query_client(request.presented_client_id or asserted_client_id(form))
        key = _key(client, algorithm) if client else None
        if client is None or key is None:
            return None
        try:
            claims = jwt.decode(form.get("client_assertion", ""), key, [algorithm]).claims
        except (JoseError, ValueError):
            return None
        return client if self._is_good(claims, client.client_id) else None

    def _is_good(self, claims: dict[str, Any], client_id: str) -> bool:
        now, jti, exp = self._clock(), claims.get("jti"), claims.get("exp")
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if not isinstance(exp, int | float) or not isinstance(jti, str):
            return False
        if not claims.get("iss") == claims.get("sub") == client_id:
            return False
        if not now < exp <= now + LONGEST or not self._audiences.intersection(map(str, audiences)):
            return False
        self._used = {used: end for used, end in self._used.items() if end > now}
        if (client_id, jti) in self._used:
            return False
        self._used[client_id, jti] = exp
        return True


def asserted_client_id(form: dict[str, str]) -> str:
    """The client that an assertion names; it is not checked yet."""
    try:
        token = jws.extract_compact(form.get("client_assertion", "").encode())
        claims = parse_json(token.payload)
    except (JoseError, ValueError):
        return ""
    return str(claims.get("sub", "")) if isinstance(claims, dict) else ""


def _key(client: Client, algorithm: str) -> OctKey | KeySet | None:
    if algorithm == "HS256" and client.client_secret is not None:
        with warnings.catch_warnings():  # the published secret is shorter than it should be
            warnings.simplefilter("ignore", SecurityWarning)
            return OctKey.import_key(client.client_secret)
    return registered_keys(client) if algorithm == "RS256" else None


def registered_keys(client: Client) -> KeySet | None:
    """The public keys of a client (RFC 7517 section 5); None if it has none, or no usable set."""
    if client.jwks is None:
        return None
    try:
        return KeySet.import_key_set({"keys": list(client.jwks.get("keys", ()))})
    except (JoseError, ValueError, TypeError):
        return None
