"""Encryption at rest: AES-256-GCM (NIST SP 800-38D) under keys derived from AUTH0_SECRET."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..environ import MINIMUM_SECRET_LENGTH
from ..errors import ConfigError
from .activity import Activity
from .models import RecordError, Session, Transaction

logger = logging.getLogger(__name__)

_Model = TypeVar("_Model", Session, Transaction, Activity)

_VERSION = b"\x01"
_KEY_ID = 8
_NONCE = 12
_HEADER = len(_VERSION) + _KEY_ID


class UnsealError(Exception):
    """No known key decrypts the bytes in this context: tampered, moved, or an old secret."""


class Sealer:
    """Encrypts under the newest secret and decrypts under any of them, so that secrets can rotate.

    Sealed form: version (1 byte), key id (8), nonce (12), ciphertext with tag.

    Raises:
        ConfigError: there is no secret, or one is shorter than 32 characters.
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
        # One purpose for each key: values and index keys do not share one.
        keys = [_derive(secret, b"session store v1") for secret in secrets]
        self._tag_keys = [_derive(secret, b"session index v1") for secret in secrets]
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._newest = _key_id(keys[0])

    def seal(self, plaintext: bytes, *, context: bytes) -> bytes:
        """Encrypt. `context` names the record's place, and must be the same in `unseal`."""
        header = _VERSION + self._newest
        nonce = self._randomness(_NONCE)
        # The header is authenticated with the context.
        sealed = self._ciphers[self._newest].encrypt(nonce, plaintext, header + context)
        return header + nonce + sealed

    def unseal(self, sealed: bytes, *, context: bytes) -> bytes:
        """Decrypt.

        Raises:
            UnsealError: no known key decrypts it in this context.
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
        """Return index keys for `text`, one for each secret, newest first. They are HMAC-SHA-256 in
        hexadecimal (RFC 2104), so a copy of the store does not reveal the text."""
        data = text.encode()
        return tuple(hmac.digest(key, data, "sha256").hex() for key in self._tag_keys)


class RecordSealer:
    """Seals each record for its own key in the store: a row that is moved to another key does not
    open. A record that cannot be opened is logged, and counts as absent."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def seal(self, key: str, record: Session | Transaction | Activity) -> bytes:
        """Return the sealed bytes to store under `key`."""
        return self._sealer.seal(record.to_bytes(), context=_context(type(record), key))

    def open(self, key: str, sealed: bytes, model: type[_Model]) -> _Model | None:
        """Return the record that was sealed for `key`, or None if it cannot be opened."""
        try:
            plain = self._sealer.unseal(sealed, context=_context(model, key))
            return model.from_bytes(plain)
        except (UnsealError, RecordError) as error:
            logger.warning("A stored %s cannot be opened and is ignored: %s", _kind(model), error)
            return None

    def tags(self, *, sub: str | None = None, sid: str | None = None) -> tuple[str, ...]:
        """Return the index keys of a user's sessions (`sub`), or of those of one session at the
        provider (`sid`): one for each secret, newest first."""
        return self._sealer.tags(f"sid\0{sid}" if sub is None else f"sub\0{sub}")

    def activity_tags(self, user: str) -> tuple[str, ...]:
        """Return the keys of a user's activity: one for each secret, newest first."""
        return self._sealer.tags(f"activity\0{user}")

    def newest_tags(self, session: Session) -> tuple[str, str | None]:
        """Return the index keys to store with a session: for its `sub`, and its `sid` if any."""
        sid = None if session.sid is None else self.tags(sid=session.sid)[0]
        return self.tags(sub=session.sub)[0], sid


def _context(model: type[Session | Transaction | Activity], key: str) -> bytes:
    return f"{_kind(model)}\0{key}".encode()


def _kind(model: type[Session | Transaction | Activity]) -> str:
    return model.__name__.lower()


def _derive(secret: str, info: bytes) -> bytes:
    """Derive a key (RFC 5869). The secret is random text, so it needs no slow hash."""
    return HKDF(SHA256(), length=32, salt=None, info=info).derive(secret.encode())


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"key id\0" + key).digest()[:_KEY_ID]
