"""The API as an ASGI application."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..local_tenant.dpop_proof import ProofChecker, ProofError
from .access_token import Claims, Expected, check_access_token, require_scope
from .bearer import presented_token
from .refusal import Refusal
from .settings import SCOPE, ApiSettings
from .signing_keys import SigningKeys

NO_STORE = {"Cache-Control": "no-store"}
MESSAGES = ("Welcome.", "The access token of this request was never in your browser.")


def create_api(
    settings: ApiSettings,
    *,
    client: httpx.AsyncClient | None = None,
    clock: Callable[[], float] = time.time,
) -> Starlette:
    """The application. `client` sends requests to the provider, `clock` gives epoch seconds."""
    http = client or httpx.AsyncClient(trust_env=False, follow_redirects=False)
    api = _Api(settings, SigningKeys(settings.issuer, http, clock=clock), clock)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with http:
            yield

    return Starlette(
        routes=[Route("/api/external", api.external), Route("/api/public", api.public)],
        exception_handlers={Refusal: _refused, HTTPException: _not_found},
        lifespan=lifespan,
    )


class _Api:
    def __init__(
        self, settings: ApiSettings, keys: SigningKeys, clock: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._clock = clock
        self._proofs = ProofChecker(clock, needs_nonce=settings.dpop_nonces)

    async def external(self, request: Request) -> Response:
        """Requires a token with the scope `read:messages`."""
        presented = presented_token(request)
        if presented is None:
            dpop = self._proofs.headers if self._settings.dpop_required else None
            raise Refusal(401, None, "An access token is needed.", dpop=dpop)
        claims = await self._claims(request, *presented)
        require_scope(claims, SCOPE)
        message = "Your access token was successfully validated!"
        return _json({"msg": message, "sub": claims["sub"], "messages": MESSAGES})

    async def public(self, request: Request) -> Response:
        """Requires no token. If there is one, it must be valid."""
        presented = presented_token(request)
        if presented is not None:
            await self._claims(request, *presented)
        return _json({"msg": "This endpoint is public.", "authenticated": presented is not None})

    async def _claims(self, request: Request, scheme: str, token: str) -> Claims:
        settings = self._settings
        expected = Expected(settings.issuer, settings.audience, self._clock())
        claims = await check_access_token(token, self._keys, expected)
        try:
            if settings.dpop_required and scheme.lower() != "dpop":
                raise ProofError("A DPoP proof is required.", "invalid_token")
            self._proofs.check_token(request, scheme, token, claims)
        except ProofError as error:
            headers = self._proofs.headers
            raise Refusal(401, error.error, error.description, dpop=headers) from None
        return claims


def _json(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers=NO_STORE)


def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise error
    return error.response()


def _not_found(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    text = "There is no such endpoint." if status == 404 else "This is not possible."
    return JSONResponse({"error": "not_found", "error_description": text}, status)
