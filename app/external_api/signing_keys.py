"""The provider's signing keys: found by discovery, cached, fetched again for an unknown `kid`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

COOL_DOWN = 30.0  # seconds between two fetches that unknown key ids may cause
MAXIMUM_BODY = 256 * 1024
TIMEOUT = httpx.Timeout(5.0, connect=2.0)


class KeysUnavailable(Exception):
    """The provider gives no keys, and none are cached."""


class SigningKeys:
    """Only one fetch runs at a time. While the provider is down, the cached keys are used."""

    def __init__(
        self, issuer: str, client: httpx.AsyncClient, *, clock: Callable[[], float]
    ) -> None:
        self._issuer = issuer
        self._client = client
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> Key | None:
        """The RSA key with this id; None if the provider has none.

        Raises:
            KeysUnavailable: the provider does not answer and no keys are cached.
        """
        if kid not in self._keys:
            async with self._lock:
                if kid not in self._keys and self._clock() - self._fetched_at >= COOL_DOWN:
                    await self._fetch()
        if not self._keys:
            raise KeysUnavailable
        return self._keys.get(kid)

    async def _fetch(self) -> None:
        try:
            metadata = await self._json(f"{self._issuer}.well-known/openid-configuration")
            if metadata.get("issuer") != self._issuer:
                return
            self._keys = _rsa_keys(await self._json(str(metadata.get("jwks_uri"))))
            self._fetched_at = self._clock()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return

    async def _json(self, url: str) -> dict[str, Any]:
        body = bytearray()
        async with self._client.stream("GET", url, timeout=TIMEOUT) as response:
            if response.status_code != 200:
                raise ValueError("not a document")
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAXIMUM_BODY:
                    raise ValueError("too large")
        document = httpx.Response(200, content=bytes(body)).json()
        if not isinstance(document, dict):
            raise ValueError("not an object")
        return document


def _rsa_keys(document: dict[str, Any]) -> dict[str, Key]:
    """Public RSA keys for signatures by their ids. Other keys are ignored."""
    keys = {}
    entries = document.get("keys")
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or entry.get("kty") != "RSA" or "kid" not in entry:
            continue
        if entry.get("use", "sig") == "sig":
            try:
                keys[str(entry["kid"])] = KeySet.import_key_set({"keys": [entry]}).keys[0]
            except (JoseError, ValueError, TypeError):
                continue
    if not keys:
        raise ValueError("no keys")
    return keys
