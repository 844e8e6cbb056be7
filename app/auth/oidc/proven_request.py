"""A request with a DPoP proof (RFC 9449), sent once more if the provider wants a nonce in it."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from ..dpop import HEADER, Proofs
from .provider_http import send


async def send_with_proof(
    client: httpx.AsyncClient,
    build_request: Callable[[], httpx.Request],
    dpop: Proofs,
    *,
    purpose: str,
    demands_nonce: Callable[[int, bytes], bool],
    access_token: str | None = None,
) -> tuple[int, bytes]:
    """Send a request like `send`. The proof names the access token that the request carries.

    If `demands_nonce` says so of the answer, and it brought another nonce, a second request has
    that one (sections 8 and 9). There is no third. Any answer's nonce is kept for later.
    """
    status, body, is_new = await _send(client, build_request(), dpop, purpose, access_token)
    if is_new and demands_nonce(status, body):
        status, body, _ = await _send(client, build_request(), dpop, purpose, access_token)
    return status, body


async def _send(
    client: httpx.AsyncClient,
    request: httpx.Request,
    dpop: Proofs,
    purpose: str,
    access_token: str | None,
) -> tuple[int, bytes, bool]:
    """Send it; the last of the values says whether there is now another nonce."""
    url, nonces = request.url, dpop.nonces
    used = nonces.of(url)
    request.headers[HEADER] = dpop.of(request, access_token)
    status, body = await send(
        client, request, purpose=purpose, on_headers=lambda headers: nonces.learn(url, headers)
    )
    return status, body, nonces.of(url) != used
