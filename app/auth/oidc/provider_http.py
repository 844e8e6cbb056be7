"""HTTP to the provider's endpoints: bounded in size and time, no redirects, JSON responses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import aclosing
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from ..errors import ProviderError, ProviderUnavailable, TokenEndpointError

MAXIMUM_BODY = 512 * 1024  # bytes
TIMEOUT = httpx.Timeout(5.0, connect=3.0)
DEADLINE = 10.0  # seconds for a whole response, however slowly it arrives

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_GATEWAY_ERRORS = frozenset({502, 504})  # the provider behind the gateway may have done its work


class NotReachedError(ProviderUnavailable):
    """No connection: the request was never sent."""


class AnswerLostError(ProviderUnavailable):
    """The request was sent and no response came back: it may have been carried out."""


def provider_client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """A client for the provider's endpoints, on a shared connection pool.

    It serves every user, so it keeps no cookies. It asks for uncompressed responses, so that the
    bound on their size is the size on the wire.
    """
    return httpx.AsyncClient(
        transport=transport,
        timeout=TIMEOUT,
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
    )


async def send(
    client: httpx.AsyncClient,
    request: httpx.Request,
    *,
    purpose: str,
    deadline: float = DEADLINE,
    on_headers: Callable[[httpx.Headers], object] | None = None,
) -> tuple[int, bytes]:
    """Send a request; the result is the status and the body of the response. `on_headers` gets the
    headers of any response.

    Raises:
        ProviderUnavailable: no connection, a time-out, no whole response within `deadline` seconds,
            429 or a 5xx. `NotReachedError` if the request was never sent, `AnswerLostError` if it
            may have been carried out.
        ProviderError: a redirect, or a body over 512 KiB.
    """
    try:
        async with asyncio.timeout(deadline):
            async with aclosing(await client.send(request, stream=True)) as response:
                if on_headers is not None:
                    on_headers(response.headers)
                body = await _read_bounded(response, purpose)
    except TimeoutError:
        raise AnswerLostError(f"The provider's answer took too long ({purpose}).") from None
    except httpx.HTTPError as error:
        # Not `from error`: the request in it holds the client secret.
        kind = NotReachedError if isinstance(error, _NEVER_SENT) else AnswerLostError
        raise kind(f"The provider did not answer ({purpose}): {type(error).__name__}.") from None
    status = response.status_code
    if status in _GATEWAY_ERRORS:
        raise AnswerLostError(f"The provider answered {status} ({purpose}).")
    if status >= 500 or status == 429:
        raise ProviderUnavailable(f"The provider answered {status} ({purpose}).")
    if response.is_redirect:
        raise ProviderError(f"The provider answered with a redirect ({purpose}).")
    return status, body


async def send_json(
    client: httpx.AsyncClient, request: httpx.Request, *, purpose: str
) -> tuple[int, dict[str, Any]]:
    """Like `send`, for a response whose body is a JSON object."""
    status, body = await send(client, request, purpose=purpose)
    return status, json_object(body, purpose=purpose)


async def _read_bounded(response: httpx.Response, purpose: str) -> bytes:
    chunks = bytearray()
    async for chunk in response.aiter_bytes():
        chunks += chunk
        if len(chunks) > MAXIMUM_BODY:
            raise ProviderError(f"The provider's answer is larger than 512 KiB ({purpose}).")
    return bytes(chunks)


def json_object(body: bytes, *, purpose: str) -> dict[str, Any]:
    """The body as a JSON object. Raises `ProviderError` if it is something else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise ProviderError(f"The provider's answer is not JSON ({purpose}).") from None
    if not isinstance(value, dict):
        raise ProviderError(f"The provider's answer is not a JSON object ({purpose}).")
    return value


def string_member(document: Mapping[str, Any], name: str) -> str | None:
    """A member that is a non-empty string, or None. Raises `ProviderError` if it is neither."""
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise ProviderError(f'"{name}" in the provider\'s answer is not a string.')
    return value


def oauth_error(message: str, document: Mapping[str, Any]) -> TokenEndpointError:
    """The error response of an endpoint (RFC 6749 section 5.2) as an exception."""
    error, description = document.get("error"), document.get("error_description")
    return TokenEndpointError(
        message,
        error=error if isinstance(error, str) else None,
        error_description=description if isinstance(description, str) else None,
    )
