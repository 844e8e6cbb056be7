"""How the client talks to the provider: bounded in size and time, no redirects, JSON only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx

from ..errors import ProviderError, ProviderUnavailable

MAXIMUM_BODY = 512 * 1024
TIMEOUT = httpx.Timeout(5.0, connect=3.0)
DEADLINE = 10.0  # seconds for a whole answer, however steadily it drips

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_OF_A_PROXY = frozenset({502, 504})  # behind which the provider may have done its work


class NotReachedError(ProviderUnavailable):
    """No connection: the request was never sent."""


class AnswerLostError(ProviderUnavailable):
    """The request may have been carried out: it was sent, and no answer came back."""


def provider_client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """A client for the provider's own endpoints; it shares the pool and keeps no cookies.

    It asks for answers that are not compressed, so that their size is what it counts.
    """
    return httpx.AsyncClient(
        transport=transport,
        timeout=TIMEOUT,
        follow_redirects=False,
        trust_env=False,
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
    )


async def send(
    client: httpx.AsyncClient,
    request: httpx.Request,
    *,
    purpose: str,
    deadline: float = DEADLINE,
) -> tuple[int, bytes]:
    """Send a request and return the status and the body of the answer.

    Raises:
        ProviderUnavailable: no connection, a time-out, no whole answer within `deadline` seconds,
            429 or a 5xx; `NotReachedError` where it was never sent, `AnswerLostError` where it may
            have been carried out all the same.
        ProviderError: a redirect, or a body over 512 KiB.
    """
    try:
        async with asyncio.timeout(deadline):
            status, is_redirect, body = await _exchange(client, request, purpose)
    except TimeoutError:
        raise AnswerLostError(f"The provider's answer took too long ({purpose}).") from None
    except httpx.HTTPError as error:
        # No `from error`: its request holds the client secret.
        kind = NotReachedError if isinstance(error, _NEVER_SENT) else AnswerLostError
        raise kind(f"The provider did not answer ({purpose}): {type(error).__name__}.") from None
    if status in _OF_A_PROXY:
        raise AnswerLostError(f"The provider answered {status} ({purpose}).")
    if status >= 500 or status == 429:
        raise ProviderUnavailable(f"The provider answered {status} ({purpose}).")
    if is_redirect:
        raise ProviderError(f"The provider answered with a redirect ({purpose}).")
    return status, body


async def send_json(
    client: httpx.AsyncClient, request: httpx.Request, *, purpose: str
) -> tuple[int, dict[str, Any]]:
    """As `send`, with the JSON object of the answer.

    Raises:
        ProviderUnavailable, ProviderError: as `send`, or the body is not a JSON object.
    """
    status, body = await send(client, request, purpose=purpose)
    return status, json_object(body, purpose=purpose)


async def _exchange(
    client: httpx.AsyncClient, request: httpx.Request, purpose: str
) -> tuple[int, bool, bytes]:
    response = await client.send(request, stream=True)
    try:
        return response.status_code, response.is_redirect, await _read_bounded(response, purpose)
    finally:
        await response.aclose()


async def _read_bounded(response: httpx.Response, purpose: str) -> bytes:
    chunks = bytearray()
    async for chunk in response.aiter_bytes():
        chunks += chunk
        if len(chunks) > MAXIMUM_BODY:
            raise ProviderError(f"The provider's answer is larger than 512 KiB ({purpose}).")
    return bytes(chunks)


def json_object(body: bytes, *, purpose: str) -> dict[str, Any]:
    """The JSON object that a body is; raises `ProviderError` if it is none."""
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
