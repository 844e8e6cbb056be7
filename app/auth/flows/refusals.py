"""The sentences about refused logins, of the app and of the provider, sealed into the URL of the
error page.

A link to the error page that somebody else made shows no sentence: it is sealed by this app, for
one browser and one error, for ten minutes.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from ..errors import AuthorizationError, LoginRefused
from ..session import Sealer, UnsealError

LONGEST_REASON = 300  # characters
VALID_FOR = 600.0  # seconds
_LONGEST_SEALED = 4096  # characters


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the error page shows of a refused login. `is_of_provider` says whose sentence it is."""

    code: str
    reason: str
    is_of_provider: bool = False


class Refusals:
    """Seals refusals under the app's secrets. `clock` returns epoch seconds."""

    def __init__(self, secrets: Sequence[str], *, clock: Callable[[], float]) -> None:
        # Keys of their own: what is sealed here opens nowhere else.
        self._sealer = Sealer([sha256(f"refusal\0{each}".encode()).hexdigest() for each in secrets])
        self._clock = clock

    def seal(self, error: LoginRefused | AuthorizationError, browser: str) -> str:
        """Return the text for the URL: with the `reason` of the app, or the `error_description` of
        the provider. `browser` is the hash of the browser's cookie."""
        is_of_provider = isinstance(error, AuthorizationError)
        reason = error.reason if isinstance(error, LoginRefused) else error.error_description or ""
        fields = [error.code, plain(reason), self._clock(), is_of_provider]
        sealed = self._sealer.seal(
            json.dumps(fields).encode(), context=_context(browser, error.error_id)
        )
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, text: str, browser: str, error_id: str) -> Refusal | None:
        """Return the refusal; None if it was not sealed for this browser and error, or too long
        ago."""
        if not text or len(text) > _LONGEST_SEALED or not text.isascii():
            return None
        try:
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            plaintext = self._sealer.unseal(sealed, context=_context(browser, error_id))
        except (binascii.Error, ValueError, UnsealError):
            return None
        code, reason, at, *is_of_provider = json.loads(plaintext)
        if self._clock() - at >= VALID_FOR:
            return None
        return Refusal(code, reason, is_of_provider=is_of_provider == [True])


def plain(reason: str) -> str:
    """The sentence as plain text of one line, shortened."""
    text = " ".join("".join(c if c.isprintable() else " " for c in reason).split())
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"


def _context(browser: str, error_id: str) -> bytes:
    return f"refusal\0{browser}\0{error_id}".encode()
