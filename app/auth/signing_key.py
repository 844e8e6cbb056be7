"""Signature algorithms, and the private key that signs client assertions (RFC 7523)."""

from __future__ import annotations

import json
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from .errors import ConfigError

# Asymmetric algorithms only: with a symmetric one, a public text could serve as the secret.
SIGNATURE_ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512"),
)
_CURVE_ALGORITHMS = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


def import_signing_key(text: str) -> RSAKey | ECKey:
    r"""Import a private RSA or EC key from PEM (`\n` may stand for a line break) or a JWK.

    Raises:
        ConfigError: the text is something else. The message does not quote it.
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
    """The key's own `alg`, or the usual algorithm of its type."""
    usual = _CURVE_ALGORITHMS.get(str(key.get("crv")), "RS256")
    return str(key.get("alg", usual))


def _import(text: str) -> RSAKey | ECKey:
    if text.startswith("{"):
        value: Any = json.loads(text)
        return (RSAKey if value["kty"] == "RSA" else ECKey).import_key(value)
    try:
        return RSAKey.import_key(text)
    except (JoseError, ValueError, TypeError):
        return ECKey.import_key(text)
