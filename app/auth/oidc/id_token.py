"""Checking an ID token: OpenID Connect Core section 3.1.3.7, one small function for each rule."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key

from ..errors import IdTokenError
from .jwks import Jwks

LEEWAY = 60.0  # seconds of clock skew, each way
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_MAXIMUM_LENGTH = 64 * 1024

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token must say; `access_token` is checked when the token carries `at_hash`."""

    issuer: str
    client_id: str
    nonce: str | None
    access_token: str
    now: float
    max_age: int | None = None


async def check_id_token(id_token: str, jwks: Jwks, expected: Expected) -> Claims:
    """The claims of an ID token that passed every check.

    An unknown key id or a bad signature causes one refetch of the keys (their rotation).

    Raises:
        IdTokenError: the first check that failed.
        ProviderError, ProviderUnavailable: the keys could not be had.
    """
    header = _header(id_token)
    try:
        claims = _verify(id_token, header, await jwks.keys())
    except IdTokenError:
        claims = _verify(id_token, header, await jwks.refetch())
    for check in CHECKS:
        check(claims, header, expected)
    return claims


def _header(id_token: str) -> dict[str, Any]:
    if len(id_token) > _MAXIMUM_LENGTH or id_token.count(".") != 2:
        raise IdTokenError("The ID token is not a signed JWT.")
    try:
        encoded = id_token.split(".", 1)[0]
        header = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise IdTokenError("The ID token's header is not JSON.") from None
    if not isinstance(header, dict) or header.get("alg") not in ALGORITHMS:
        raise IdTokenError("The ID token is not signed with an accepted algorithm.")
    if "crit" in header or "b64" in header:
        raise IdTokenError("The ID token's header asks for an unknown extension.")
    return header


def _verify(id_token: str, header: dict[str, Any], keys: list[Key]) -> Claims:
    """Try the keys that fit. `jwk`, `jku` and `x5c` in the header are never looked at."""
    for key in _candidates(header, keys):
        try:
            payload = jws.deserialize_compact(id_token, key, algorithms=[header["alg"]]).payload
        except (JoseError, ValueError, TypeError):
            continue
        return _claims(payload or b"")
    raise IdTokenError("No key of the provider verifies the ID token's signature.")


def _candidates(header: dict[str, Any], keys: list[Key]) -> list[Key]:
    """With a `kid`, exactly that key; without one, only a key set of one key is unambiguous."""
    key_type = "EC" if header["alg"].startswith("ES") else "RSA"
    fitting = [
        key
        for key in keys
        if key.key_type == key_type and key.get("alg", header["alg"]) == header["alg"]
    ]
    if "kid" in header:
        return [key for key in fitting if key.kid == header["kid"]]
    return fitting if len(fitting) == 1 else []


def _claims(payload: bytes) -> Claims:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        raise IdTokenError("The ID token's claims are not JSON.") from None
    if not isinstance(claims, dict):
        raise IdTokenError("The ID token's claims are not an object.")
    return claims


def _check_issuer(claims: Claims, _: Claims, expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise IdTokenError("The ID token's iss is another issuer.")


def _check_subject(claims: Claims, _: Claims, __: Expected) -> None:
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= 255:
        raise IdTokenError("The ID token has no usable sub.")


def _check_audience(claims: Claims, _: Claims, expected: Expected) -> None:
    """One audience, this client. Others are not trusted (rule 3 of the section)."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences:
        raise IdTokenError("The ID token's aud is another client.")
    if len(audiences) > 1 and "azp" not in claims:
        raise IdTokenError("The ID token has several audiences and no azp.")


def _check_authorized_party(claims: Claims, _: Claims, expected: Expected) -> None:
    if "azp" in claims and claims["azp"] != expected.client_id:
        raise IdTokenError("The ID token's azp is another client.")


def _check_expiry(claims: Claims, _: Claims, expected: Expected) -> None:
    if _time(claims, "exp") + LEEWAY <= expected.now:
        raise IdTokenError("The ID token has expired.")


def _check_issued_at(claims: Claims, _: Claims, expected: Expected) -> None:
    if _time(claims, "iat") - LEEWAY > expected.now:
        raise IdTokenError("The ID token was issued in the future.")


def _check_not_before(claims: Claims, _: Claims, expected: Expected) -> None:
    if "nbf" in claims and _time(claims, "nbf") - LEEWAY > expected.now:
        raise IdTokenError("The ID token is not valid yet.")


def _check_nonce(claims: Claims, _: Claims, expected: Expected) -> None:
    nonce = claims.get("nonce")
    if expected.nonce is None:
        return
    if not isinstance(nonce, str) or not hmac.compare_digest(
        nonce.encode(), expected.nonce.encode()
    ):
        raise IdTokenError("The ID token's nonce belongs to another login.")


def _check_access_token_hash(claims: Claims, header: Claims, expected: Expected) -> None:
    """`at_hash`: the left half of the access token's hash (section 3.1.3.6)."""
    if "at_hash" not in claims:
        return
    digest = hashlib.new(f"sha{header['alg'][2:]}", expected.access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not hmac.compare_digest(str(claims["at_hash"]).encode(), half):
        raise IdTokenError("The ID token's at_hash belongs to another access token.")


def _check_authentication_time(claims: Claims, _: Claims, expected: Expected) -> None:
    if expected.max_age is None:
        return
    if _time(claims, "auth_time") + expected.max_age + LEEWAY < expected.now:
        raise IdTokenError("The login at the provider is older than max_age.")


def _time(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise IdTokenError(f"The ID token's {name} is not a time.")
    return float(value)


CHECKS: tuple[Callable[[Claims, Claims, Expected], None], ...] = (
    _check_issuer,
    _check_subject,
    _check_audience,
    _check_authorized_party,
    _check_expiry,
    _check_issued_at,
    _check_not_before,
    _check_nonce,
    _check_access_token_hash,
    _check_authentication_time,
)
