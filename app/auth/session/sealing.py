"""Sealing what is stored: AES-256-GCM (NIST SP 800-38D) under keys derived from AUTH0_SECRET."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..environ import MINIMUM_SECRET_LENGTH
from ..errors import ConfigError

_VERSION = b"\x01"
_KEY_ID = 8
_NONCE = 12
_HEADER = len(_VERSION) + _KEY_ID


class UnsealError(Exception):
    """No known key opens these bytes in this context: tampered, moved, or of an old secret."""


class Sealer:
    """Seals under the newest secret and opens under any of them, so that secrets can rotate.

    Sealed form: version (1 byte), key id (8), nonce (12), ciphertext with tag.

    Raises:
        ConfigError: no secret, or one shorter than 32 characters.
    """

    def __init__(
        self, secrets: Sequence[str], *, randomness: Callable[[int], bytes] = os.urandom
    ) -> None:
        if not secrets or any(len(secret) < MINIMUM_SECRET_LENGTH for secret in secrets):
            raise ConfigError(
                f"AUTH0_SECRET needs at least {MINIMUM_SECRET_LENGTH} characters. "
                "Make one with: openssl rand -hex 32"
            )
        self._randomness = randomness
        keys = [_derive(secret, b"session store v1") for secret in secrets]
        self._tag_keys = [_derive(secret, b"session index v1") for secret in secrets]
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._newest = _key_id(keys[0])

    def seal(self, plaintext: bytes, *, context: bytes) -> bytes:
        """Encrypt; `context` names the place of the record and must be the same to open it."""
        header = _VERSION + self._newest
        nonce = self._randomness(_NONCE)
        sealed = self._ciphers[self._newest].encrypt(nonce, plaintext, header + context)
        return header + nonce + sealed

    def unseal(self, sealed: bytes, *, context: bytes) -> bytes:
        """Decrypt.

        Raises:
            UnsealError: no known key opens it in this context.
        """
        header, nonce = sealed[:_HEADER], sealed[_HEADER : _HEADER + _NONCE]
        cipher = self._ciphers.get(header[1:])
        if header[:1] != _VERSION or cipher is None or len(nonce) != _NONCE:
            raise UnsealError("Sealed under an unknown key.")
        try:
            return cipher.decrypt(nonce, sealed[_HEADER + _NONCE :], header + context)
        except InvalidTag:
            raise UnsealError("Sealed bytes were changed or moved.") from None

    def tags(self, text: str) -> tuple[str, ...]:
        """A name under which something may be found again by whoever knows `text` and a secret:
        one for each secret, the newest first (HMAC-SHA-256, RFC 2104)."""
        data = text.encode()
        return tuple(hmac.digest(key, data, "sha256").hex() for key in self._tag_keys)


def _derive(secret: str, info: bytes) -> bytes:
    """RFC 5869; the secret is random text, so no slow hash is needed."""
    return HKDF(SHA256(), length=32, salt=None, info=info).derive(secret.encode())


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"key id\0" + key).digest()[:_KEY_ID]
