"""Verifying a JWT of the provider: header, signature, claims as JSON (RFC 7519, RFC 8725)."""

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

_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}  # RFC 7518 section 3.4
_MAXIMUM_LENGTH = 64 * 1024

Claims = dict[str, Any]


class _Registry(jws.JWSRegistry):
    """Headers with a certificate chain (`x5c`) are longer than joserfc expects, and members that
    nobody here knows are ignored (RFC 7515 section 4); `crit` was looked at before."""

    max_header_length = _MAXIMUM_LENGTH

    def __init__(self, algorithm: str) -> None:
        super().__init__(algorithms=[algorithm], strict_check_header=False)


class JwtError(Exception):
    """What is wrong with a JWT, as the end of a sentence; it quotes nothing of the token."""


async def verified(
    token: str, jwks: Jwks, *, algorithms: Collection[str], purpose: Purpose
) -> tuple[Claims, Claims]:
    """The header and the claims of a token that one of the provider's keys has signed.

    An unknown key id or a bad signature causes one refetch of the keys (their rotation).

    Raises:
        JwtError: it is no such token.
        ProviderError, ProviderUnavailable: the keys could not be had.
    """
    header = _header(token, algorithms)
    try:
        return header, _verify(token, header, await jwks.keys())
    except JwtError:
        return header, _verify(token, header, await jwks.refetch(purpose))


def unverified_claims(token: str) -> Claims:
    """The claims of a token that was verified when it came.

    Raises:
        JwtError: they cannot be read.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise JwtError("it is not a signed JWT")
    return _json_part(parts[1], "claims")


def _header(token: str, algorithms: Collection[str]) -> Claims:
    """`jwk`, `jku` and `x5c` are never looked at: the token does not choose its key."""
    if len(token) > _MAXIMUM_LENGTH or token.count(".") != 2:
        raise JwtError("it is not a signed JWT")
    header = _json_part(token.split(".", 1)[0], "header")
    if header.get("alg") not in algorithms:
        raise JwtError("it is not signed with an accepted algorithm")
    if "crit" in header or "b64" in header:
        raise JwtError("its header asks for an unknown extension")
    return header


def media_type(header: Claims) -> str | None:
    """The `typ` of a header in its short form (RFC 7515 section 4.1.9); None if there is none."""
    typ = header.get("typ")
    return None if typ is None else str(typ).lower().removeprefix("application/")


def _verify(token: str, header: Claims, keys: list[Key]) -> Claims:
    for key in _candidates(header, keys):
        try:
            jws.deserialize_compact(token, key, registry=_Registry(header["alg"]))
        except (JoseError, ValueError, TypeError):
            continue
        return unverified_claims(token)
    raise JwtError("no key of the provider verifies its signature")


def _candidates(header: Claims, keys: list[Key]) -> list[Key]:
    """With a `kid`, exactly that key; without one, only a key set of one key is unambiguous."""
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
