"""The provider's signing keys (RFC 7517): fetched when needed, and seldom again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from ..errors import ProviderError, ProviderUnavailable
from .provider_http import send_json

LIFETIME = 600.0  # seconds after which a withdrawn key is no longer trusted
COOL_DOWN = 30.0  # seconds between two refetches for unknown key ids
_SMALLEST_RSA_KEY = 2048  # bits (RFC 7518 section 3.3)


class Purpose(Enum):
    """Which kind of token has an unknown key id; each kind has a cool-down of its own.

    Anyone can post a logout token, and that must not stop the next login from finding a new key.
    """

    ID_TOKEN = auto()
    LOGOUT_TOKEN = auto()


class Jwks:
    """A cached key set. Only one fetch runs at a time."""

    def __init__(
        self,
        jwks_uri: Callable[[], Awaitable[str]],
        client: httpx.AsyncClient,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._jwks_uri = jwks_uri
        self._client = client
        self._clock = clock
        self._keys: list[Key] = []
        self._fetched_at = float("-inf")
        self._refetched_at = dict.fromkeys(Purpose, float("-inf"))
        self._lock = asyncio.Lock()

    async def keys(self) -> list[Key]:
        """The signing keys. While the provider is down, the last good ones, however old.

        Raises:
            ProviderUnavailable: the provider is down and there are none.
            ProviderError: the response cannot be used.
        """
        async with self._lock:
            if self._clock() - self._fetched_at >= LIFETIME:
                try:
                    await self._fetch()
                except ProviderUnavailable:
                    if not self._keys:
                        raise
                    self._fetched_at = self._clock() - LIFETIME + COOL_DOWN
        return self._keys

    async def refetch(self, purpose: Purpose) -> list[Key]:
        """The keys, fetched again unless this purpose did so less than `COOL_DOWN` seconds ago.

        A caller that waited for another one's refetch uses its result. Raises `ProviderError` or
        `ProviderUnavailable` if the fetch fails.
        """
        async with self._lock:
            now = self._clock()
            if now - self._refetched_at[purpose] >= COOL_DOWN:
                self._refetched_at[purpose] = now
                await self._fetch()
        return self._keys

    async def _fetch(self) -> None:
        request = self._client.build_request("GET", await self._jwks_uri())
        status, document = await send_json(self._client, request, purpose="jwks")
        if status != 200:
            raise ProviderError(f"The JWKS endpoint answered {status}.")
        self._keys = signing_keys(document)
        self._fetched_at = self._clock()


def signing_keys(document: dict[str, Any]) -> list[Key]:
    """The RSA and EC public keys of a JWK set that are meant for signatures.

    Other keys are skipped (RFC 7517 section 5). A symmetric key is never used: a public text must
    not serve as an HMAC secret.

    Raises:
        ProviderError: there is no such key.
    """
    entries = document.get("keys")
    if not isinstance(entries, list):
        raise ProviderError('The JWKS has no "keys".')
    keys = [key for entry in entries if (key := _signing_key(entry)) is not None]
    if not keys:
        raise ProviderError("The JWKS has no key to check a signature with.")
    return keys


def _signing_key(entry: Any) -> Key | None:
    if not isinstance(entry, dict) or entry.get("kty") not in ("RSA", "EC"):
        return None
    if entry.get("use", "sig") != "sig" or "verify" not in _operations(entry):
        return None
    if entry["kty"] == "RSA" and not _is_long(entry.get("n")):
        return None
    try:
        return KeySet.import_key_set({"keys": [entry]}).keys[0]
    except (JoseError, ValueError, TypeError):
        return None


def _operations(entry: dict[str, Any]) -> list[Any]:
    """`key_ops` (RFC 7517 section 4.3). A key without it may verify signatures."""
    operations = entry.get("key_ops", ["verify"])
    return operations if isinstance(operations, list) else []


def _is_long(modulus: Any) -> bool:
    """Whether a modulus is long enough: base64url has six bits in each character."""
    return isinstance(modulus, str) and len(modulus) * 6 >= _SMALLEST_RSA_KEY
