"""How the client talks to the provider: bounded in size and time, no redirects, JSON only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from ..errors import ProviderError, ProviderUnavailable

MAXIMUM_BODY = 512 * 1024
TIMEOUT = httpx.Timeout(5.0, connect=3.0)

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_OF_A_PROXY = frozenset({502, 504})  # behind which the provider may have done its work


class AnswerLostError(ProviderUnavailable):
    """The request may have been carried out: it was sent, and no answer came back."""


def provider_client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """A client for the provider's own endpoints; it shares the pool and keeps no cookies."""
    return httpx.AsyncClient(
        transport=transport, timeout=TIMEOUT, follow_redirects=False, trust_env=False
    )


async def send_json(
    client: httpx.AsyncClient, request: httpx.Request, *, purpose: str
) -> tuple[int, dict[str, Any]]:
    """Send a request and return the status and the JSON object of the answer.

    Raises:
        ProviderUnavailable: no connection, a time-out, 429 or a 5xx; `AnswerLostError` where the
            request may have been carried out all the same.
        ProviderError: a redirect, a body over 512 KiB, or one that is not a JSON object.
    """
    try:
        response = await client.send(request, stream=True)
        try:
            body = await _read_bounded(response, purpose)
        finally:
            await response.aclose()
    except httpx.HTTPError as error:
        # No `from error`: its request holds the client secret.
        kind = ProviderUnavailable if isinstance(error, _NEVER_SENT) else AnswerLostError
        raise kind(f"The provider did not answer ({purpose}): {type(error).__name__}.") from None
    if response.status_code in _OF_A_PROXY:
        raise AnswerLostError(f"The provider answered {response.status_code} ({purpose}).")
    if response.status_code >= 500 or response.status_code == 429:
        raise ProviderUnavailable(f"The provider answered {response.status_code} ({purpose}).")
    if response.is_redirect:
        raise ProviderError(f"The provider answered with a redirect ({purpose}).")
    return response.status_code, _json_object(body, purpose)


async def _read_bounded(response: httpx.Response, purpose: str) -> bytes:
    chunks = bytearray()
    async for chunk in response.aiter_bytes():
        chunks += chunk
        if len(chunks) > MAXIMUM_BODY:
            raise ProviderError(f"The provider's answer is larger than 512 KiB ({purpose}).")
    return bytes(chunks)


def _json_object(body: bytes, purpose: str) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise ProviderError(f"The provider's answer is not JSON ({purpose}).") from None
    if not isinstance(value, dict):
        raise ProviderError(f"The provider's answer is not a JSON object ({purpose}).")
    return value


def string_member(document: Mapping[str, Any], name: str) -> str | None:
    """A member that must be a non-empty string when it is there at all."""
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise ProviderError(f'"{name}" in the provider\'s answer is not a string.')
    return value
