"""Time-based one-time passwords (RFC 6238): six digits, 30 seconds, SHA-1."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from urllib.parse import quote, urlencode

STEP = 30  # seconds
DRIFT = 1  # steps that a clock may be wrong


def new_secret() -> str:
    """160 random bits in base32, as authenticator apps take them."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def enrolment_uri(secret: str, account: str, issuer: str) -> str:
    """The `otpauth` URI (Google Authenticator's key URI format)."""
    label = quote(f"{issuer}:{account}", safe="")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer})}"


def code_at(secret: str, step: int) -> str:
    """The code of a time step (RFC 4226 section 5.3)."""
    padded = secret + "=" * (-len(secret) % 8)
    digest = hmac.digest(base64.b32decode(padded), struct.pack(">Q", step), hashlib.sha1)
    offset = digest[-1] & 15
    (number,) = struct.unpack(">I", digest[offset : offset + 4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


def step_of(secret: str, code: str, now: float, *, after: int = 0) -> int | None:
    """The time step of a code that is valid now; None if it is not.

    A code is good once: only for steps later than `after`, the last one that was used.
    """
    current = int(now // STEP)
    for step in range(current - DRIFT, current + DRIFT + 1):
        if step > after and hmac.compare_digest(code_at(secret, step), code):
            return step
    return None
