"""Validating an access token: RFC 9068 section 4."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from .refusal import Refusal, invalid_token
from .signing_keys import KeysUnavailable, SigningKeys

ALGORITHM = "RS256"
LEEWAY = 60.0  # seconds of clock skew, each way

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token must say."""

    issuer: str
    audience: str
    now: float


async def check_access_token(token: str, keys: SigningKeys, expected: Expected) -> Claims:
    """The claims of a token that passed every check.

    Raises:
        Refusal: the first check that failed; 503 if the provider's keys are not available.
    """
    header = _header(token)
    try:
        key = await keys.key(str(header.get("kid", "")))
    except KeysUnavailable:
        text = "The provider's keys are not available right now."
        raise Refusal(503, "temporarily_unavailable", text) from None
    if key is None:
        raise invalid_token("The token is signed by an unknown key.")
    try:
        payload = jws.deserialize_compact(token, key, algorithms=[ALGORITHM]).payload
        claims = json.loads(payload or b"")
    except (JoseError, ValueError, TypeError, RecursionError):
        raise invalid_token("The token's signature does not verify.") from None
    if not isinstance(claims, dict):
        raise invalid_token("The token has no claims.")
    for check in CHECKS:
        check(claims, expected)
    return claims


def require_scope(claims: Claims, scope: str) -> None:
    """Raise a `Refusal` that names the scope if the token lacks it (RFC 6750 section 3.1)."""
    if scope not in str(claims.get("scope", "")).split():
        text = f"The token lacks the scope {scope}."
        raise Refusal(403, "insufficient_scope", text, scope=scope)


def _header(token: str) -> dict[str, Any]:
    try:
        encoded = token.split(".", 1)[0]
        header = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise invalid_token("The token is not a signed JWT.") from None
    if token.count(".") != 2 or not isinstance(header, dict):
        raise invalid_token("The token is not a signed JWT.")
    if str(header.get("typ", "")).lower().removeprefix("application/") != "at+jwt":
        raise invalid_token("The token is not an access token (typ at+jwt).")
    if header.get("alg") != ALGORITHM:
        raise invalid_token(f"The token is not signed with {ALGORITHM}.")
    return header


def _check_issuer(claims: Claims, expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise invalid_token("The token comes from another issuer.")


def _check_audience(claims: Claims, expected: Expected) -> None:
    audience = claims.get("aud")
    if expected.audience not in (audience if isinstance(audience, list) else [audience]):
        raise invalid_token("The token is for another audience.")


def _check_expiry(claims: Claims, expected: Expected) -> None:
    if _time(claims, "exp") + LEEWAY <= expected.now:
        raise invalid_token("The token has expired.")


def _check_issued_at(claims: Claims, expected: Expected) -> None:
    if _time(claims, "iat") - LEEWAY > expected.now:
        raise invalid_token("The token was issued in the future.")


def _check_not_before(claims: Claims, expected: Expected) -> None:
    if "nbf" in claims and _time(claims, "nbf") - LEEWAY > expected.now:
        raise invalid_token("The token is not valid yet.")


def _check_parties(claims: Claims, _: Expected) -> None:
    for name in ("sub", "client_id"):
        if not isinstance(claims.get(name), str) or not claims[name]:
            raise invalid_token(f"The token has no {name}.")


def _time(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise invalid_token(f"The token's {name} is not a time.")
    return float(value)


CHECKS: tuple[Callable[[Claims, Expected], None], ...] = (
    _check_issuer,
    _check_audience,
    _check_expiry,
    _check_issued_at,
    _check_not_before,
    _check_parties,
)
