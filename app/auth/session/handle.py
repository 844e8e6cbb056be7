"""The handle a browser holds, and the one-way reference the server keeps."""

from __future__ import annotations

import hashlib
import re
import secrets

_HANDLE = re.compile(r"[A-Za-z0-9_-]{43}")


def new_session_id() -> str:
    """256 random bits as 43 base64url characters."""
    return secrets.token_urlsafe(32)


def is_session_id(text: str) -> bool:
    """Whether a cookie's value can be a handle at all; anything else costs no further work."""
    return _HANDLE.fullmatch(text) is not None


def hash_session_id(handle: str) -> str:
    """The store's key for a handle: a hash, from which the handle cannot be had."""
    return hashlib.sha256(b"session\0" + handle.encode()).hexdigest()
