"""Signed JWTs: header, signature, and the claim checks that ID and logout tokens share.

RFC 7515, RFC 7519, RFC 8725.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key

from .jwks import Jwks, Purpose

LEEWAY = 60.0  # seconds of clock skew, each way
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}  # RFC 7518 section 3.4
_MAXIMUM_LENGTH = 64 * 1024  # characters

Claims = dict[str, Any]


class JwtError(Exception):
    """What is wrong with a JWT, as the end of a sentence. It quotes nothing of the token."""


class _Registry(jws.JWSRegistry):
    """Allows long headers (certificate chains in `x5c`) and unknown members (RFC 7515 section 4).

    `_header` has already refused `crit`.
    """

    max_header_length = _MAXIMUM_LENGTH

    def __init__(self, algorithm: str) -> None:
        super().__init__(algorithms=[algorithm], strict_check_header=False)


async def verify(
    token: str, jwks: Jwks, *, algorithms: Collection[str], purpose: Purpose
) -> tuple[Claims, Claims]:
    """The header and the claims of a token that one of the provider's keys has signed.

    After an unknown key id or a bad signature the keys are fetched once more (key rotation).

    Raises:
        JwtError: the token is malformed, or no key verifies it.
        ProviderError, ProviderUnavailable: the keys cannot be fetched.
    """
    header = _header(token, algorithms)
    try:
        return header, _verify(token, header, await jwks.keys())
    except JwtError:
        return header, _verify(token, header, await jwks.refetch(purpose))


def unverified_claims(token: str) -> Claims:
    """The claims of a token whose signature was verified before.

    Raises:
        JwtError: they cannot be read.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise JwtError("it is not a signed JWT")
    return _json_part(parts[1], "claims")


def media_type(header: Claims) -> str | None:
    """The `typ` of a header in its short form (RFC 7515 section 4.1.9); None if there is none."""
    typ = header.get("typ")
    return None if typ is None else str(typ).lower().removeprefix("application/")


def check_issuer(claims: Claims, issuer: str) -> None:
    """`iss` is exactly the provider's issuer identifier."""
    if claims.get("iss") != issuer:
        raise JwtError("its iss is another issuer")


def check_audience(claims: Claims, client_id: str, trusted: Collection[str] = ()) -> None:
    """`aud` names this client, and otherwise only `trusted` audiences.

    Any other audience could use the token as its own (OpenID Connect Core section 3.1.3.7
    rules 3 and 4).
    """
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise JwtError("its aud is another client")
    if any(other != client_id and other not in trusted for other in audiences):
        raise JwtError("its aud names a further audience that is not trusted")
    if len(audiences) > 1 and trusted and "azp" not in claims:
        raise JwtError("it has several audiences and no azp")


def check_subject(claims: Claims) -> None:
    """`sub` is a string of at most 255 characters (OpenID Connect Core section 2)."""
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= 255:
        raise JwtError("it has no usable sub")


def check_times(claims: Claims, now: float) -> None:
    """`exp` and `iat` are there, and the token is valid at `now` (epoch seconds).

    `exp` has not passed, `iat` is not in the future, and neither is `nbf` if there is one.
    """
    if time_claim(claims, "exp") + LEEWAY <= now:
        raise JwtError("it has expired")
    if time_claim(claims, "iat") - LEEWAY > now:
        raise JwtError("it was issued in the future")
    if "nbf" in claims and time_claim(claims, "nbf") - LEEWAY > now:
        raise JwtError("it is not valid yet")


def time_claim(claims: Claims, name: str) -> float:
    """A NumericDate (RFC 7519 section 2) in epoch seconds.

    Raises:
        JwtError: it is missing or not a plausible number.
    """
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise JwtError(f"its {name} is not a time")
    return float(value)


def _header(token: str, algorithms: Collection[str]) -> Claims:
    """`jwk`, `jku` and `x5c` are never read: the token does not choose its key."""
    if len(token) > _MAXIMUM_LENGTH or token.count(".") != 2:
        raise JwtError("it is not a signed JWT")
    header = _json_part(token.split(".", 1)[0], "header")
    if header.get("alg") not in algorithms:
        raise JwtError("it is not signed with an accepted algorithm")
    if "crit" in header or "b64" in header:
        raise JwtError("its header asks for an unknown extension")
    return header


def _verify(token: str, header: Claims, keys: list[Key]) -> Claims:
    for key in _candidates(header, keys):
        try:
            jws.deserialize_compact(token, key, registry=_Registry(header["alg"]))
        except (JoseError, ValueError, TypeError):
            continue
        return unverified_claims(token)
    raise JwtError("no key of the provider verifies its signature")


def _candidates(header: Claims, keys: list[Key]) -> list[Key]:
    """The keys with this `kid`. Without a `kid`, the only fitting key, if there is just one."""
    fitting = [key for key in keys if _fits(key, header["alg"])]
    if "kid" in header:
        return [key for key in fitting if key.kid == header["kid"]]
    return fitting if len(fitting) == 1 else []


def _fits(key: Key, algorithm: str) -> bool:
    curve = _CURVES.get(algorithm)
    if key.get("alg", algorithm) != algorithm:
        return False
    return key.get("crv") == curve if curve else key.key_type == "RSA"


def _json_part(encoded: str, name: str) -> Claims:
    try:
        part = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise JwtError(f"its {name} is not JSON") from None
    if not isinstance(part, dict):
        raise JwtError(f"its {name} is not an object")
    return part
