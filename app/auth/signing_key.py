"""The private key with which this client signs its assertions (RFC 7523), and JWS algorithms."""

from __future__ import annotations

import json
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from .errors import ConfigError

# Asymmetric ones only: with a symmetric algorithm a public text could serve as the secret.
SIGNATURE_ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512"),
)
_OF_A_CURVE = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


def import_signing_key(text: str) -> RSAKey | ECKey:
    r"""A private RSA or EC key, written as PEM (`\n` may stand for a line's end) or as a JWK.

    Raises:
        ConfigError: it is no such key. The message does not quote it.
    """
    try:
        key = _import(text.replace("\\n", "\n"))
    except (JoseError, ValueError, TypeError, KeyError):
        key = None
    if key is None or not key.is_private:
        raise ConfigError(
            "AUTH0_CLIENT_ASSERTION_SIGNING_KEY is not a private RSA or EC key, in PEM or as a JWK."
        )
    return key


def signing_algorithm(key: RSAKey | ECKey) -> str:
    """The key's own `alg`, or what its kind is usually used with."""
    usual = _OF_A_CURVE.get(str(key.get("crv")), "RS256")
    return str(key.get("alg", usual))


def _import(text: str) -> RSAKey | ECKey:
    if text.startswith("{"):
        value: Any = json.loads(text)
        return (RSAKey if value["kty"] == "RSA" else ECKey).import_key(value)
    try:
        return RSAKey.import_key(text)
    except (JoseError, ValueError, TypeError):
        return ECKey.import_key(text)
