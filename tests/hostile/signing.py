"""Signing what the hostile provider hands out, also in ways that no library agrees to."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import warnings
from collections.abc import Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, RSAKey

Fields = dict[str, Any]


class _Registry(jws.JWSRegistry):
    """Signs headers of any length."""

    max_header_length = 1_000_000


@functools.cache
def rsa_key(kid: str) -> RSAKey:
    """The RSA key of that name; the same at each call, for making one takes a while."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def weak_rsa_key(kid: str) -> RSAKey:
    """An RSA key of 1,024 bits, against which the library warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return RSAKey.generate_key(1024, {"kid": kid, "use": "sig"})


@functools.cache
def ec_key(kid: str) -> ECKey:
    """The P-256 key of that name."""
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


def sign(header: Mapping[str, Any], claims: Mapping[str, Any], key: RSAKey | ECKey) -> str:
    """A valid JWS; the header may have further members beside `alg`."""
    payload = json.dumps(claims).encode()
    protected = {"alg": "RS256", **header}
    registry = _Registry(algorithms=[protected["alg"]], strict_check_header=False)
    return jws.serialize_compact(protected, payload, key, registry=registry)


def unsigned(header: Mapping[str, Any], claims: Mapping[str, Any], *, alg: str = "none") -> str:
    """A JWS without a signature."""
    return f"{_part({**header, 'alg': alg})}.{_part(claims)}."


def signed_with_text(header: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes) -> str:
    """A JWS with HS256 over any bytes, a public key for example."""
    text = f"{_part({**header, 'alg': 'HS256'})}.{_part(claims)}"
    return f"{text}.{_encode(hmac.digest(secret, text.encode(), 'sha256'))}"


def damaged(token: str) -> str:
    """The same token with another signature of the same length."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[:10]}{'B' if signature[10] == 'A' else 'A'}{signature[11:]}"


def half_hash(text: str) -> str:
    """`at_hash` of an RS256 token (OpenID Connect Core section 3.1.3.6)."""
    return _encode(hashlib.sha256(text.encode()).digest()[:16])


def _part(fields: Mapping[str, Any]) -> str:
    return _encode(json.dumps(fields).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
