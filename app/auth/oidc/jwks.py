"""The provider's signing keys: RFC 7517, fetched when needed and refetched sparingly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from ..errors import ProviderError
from .http import send_json

COOL_DOWN = 30.0  # seconds between two refetches that unknown key ids may cause


class Jwks:
    """A cached key set. `refetch` is single-flight and ignored during the cool-down."""

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
        self._keys: list[Key] | None = None
        self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()

    async def keys(self) -> list[Key]:
        """The signing keys, from the cache if there is one."""
        return self._keys if self._keys is not None else await self.refetch()

    async def refetch(self) -> list[Key]:
        """The keys, fetched anew unless that happened less than `COOL_DOWN` seconds ago."""
        async with self._lock:
            if self._keys is None or self._clock() - self._fetched_at >= COOL_DOWN:
                self._fetched_at = self._clock()
                self._keys = await self._fetch()
            return self._keys

    async def _fetch(self) -> list[Key]:
        request = self._client.build_request("GET", await self._jwks_uri())
        status, document = await send_json(self._client, request, purpose="jwks")
        if status != 200:
            raise ProviderError(f"The JWKS endpoint answered {status}.")
        return signing_keys(document)


def signing_keys(document: dict[str, Any]) -> list[Key]:
    """The RSA and EC public keys of a JWK set that are meant for signatures.

    Keys of other kinds are skipped (RFC 7517 section 5). A symmetric key is never taken, so that no
    public text can serve as an HMAC secret.
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
    if entry.get("use", "sig") != "sig":
        return None
    try:
        return KeySet.import_key_set({"keys": [entry]}).keys[0]
    except (JoseError, ValueError, TypeError):
        return None
