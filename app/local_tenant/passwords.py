"""Passwords, hashed with scrypt (RFC 7914)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

PUBLISHED = "password"
"""The password of the seeded users: a development tool tells it to everybody on this machine."""

SHORTEST = 8  # characters, as Auth0's policy "fair"
LONGEST = 72  # bytes, as at Auth0
_COST = {"n": 2**14, "r": 8, "p": 1}


def hash_password(password: str) -> str:
    """A text for the column `password`."""
    salt = secrets.token_bytes(16)
    return f"{_text(salt)}${_text(_derived(password, salt))}"


def is_password(password: str, stored: str | None) -> bool:
    """Whether it is the password with this hash; without a hash, whether it is the published."""
    if stored is None:
        return hmac.compare_digest(password.encode(errors="replace"), PUBLISHED.encode())
    salt, _, expected = stored.partition("$")
    derived = _derived(password, base64.b64decode(salt))
    return hmac.compare_digest(derived, base64.b64decode(expected))


def weakness(password: str) -> str | None:
    """Why a new password is refused, as a sentence; None if it is not."""
    if len(password) < SHORTEST:
        return f"The password has to have at least {SHORTEST} characters."
    if len(password.encode(errors="replace")) > LONGEST:
        return f"The password must not be longer than {LONGEST} bytes."
    return None


def _derived(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(errors="replace"), salt=salt, dklen=32, **_COST)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
