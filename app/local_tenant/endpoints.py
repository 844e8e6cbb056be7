"""The endpoints that applications call: tokens, revocation, user info, metadata, keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .device_grant import authorize_device
from .discovery import metadata
from .dpop_proof import ProofError
from .introspection import introspect
from .pushed_requests import push_request
from .request import TenantRequest, body_request
from .server import NO_STORE, TenantServer
from .users import find_user

Handler = Callable[[TenantServer, TenantRequest], dict[str, Any]]


class Endpoints:
    """Everything below `/oauth/`, `/userinfo`, discovery and JWKS."""

    def __init__(self, server: TenantServer) -> None:
        self._server = server

    async def token(self, request: Request) -> Response:
        """RFC 6749 section 3.2."""
        try:
            oauth_request = await body_request(request)
        except InvalidRequestError as error:
            return refusal(error)
        return await run_in_threadpool(self._token, request, oauth_request)

    def _token(self, request: Request, oauth_request: TenantRequest) -> Response:
        server = self._server
        response: Response = server.dpop.token_response(
            request, oauth_request, server.create_token_response
        )
        server.log.record_grant(oauth_request, response)
        return response

    async def revoke(self, request: Request) -> Response:
        """RFC 7009; the body of a success is empty, as Auth0's is."""
        try:
            oauth_request = await body_request(request)
        except InvalidRequestError as error:
            return refusal(error)
        response = await run_in_threadpool(
            self._server.create_endpoint_response, "revocation", oauth_request
        )
        return Response(status_code=200) if response.status_code == 200 else response

    async def push(self, request: Request) -> Response:
        """RFC 9126 section 2."""
        return await self._answered(request, push_request, 201)

    async def device_code(self, request: Request) -> Response:
        """RFC 8628 section 3.1."""
        return await self._answered(request, authorize_device)

    async def introspect(self, request: Request) -> Response:
        """RFC 7662 section 2."""
        return await self._answered(request, introspect)

    async def _answered(self, request: Request, handle: Handler, status: int = 200) -> Response:
        try:
            oauth_request = await body_request(request)
            answer = await run_in_threadpool(handle, self._server, oauth_request)
        except OAuth2Error as error:
            return refusal(error)
        return JSONResponse(answer, status, headers=NO_STORE)

    def userinfo(self, request: Request) -> Response:
        """OpenID Connect Core section 5.3."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        is_known = scheme.lower() in ("bearer", "dpop")
        claims = self._server.access_token_claims(token) if is_known else None
        if claims is None or "openid" not in str(claims.get("scope")).split():
            return Response(
                "Unauthorized",
                401,
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"', **NO_STORE},
            )
        scope = str(claims["scope"])
        try:
            self._server.dpop.check_token(request, scheme, token, claims)
        except ProofError as error:
            return self._server.dpop.refused(error)
        with self._server.database.transaction() as database:
            user = find_user(database, user_id=claims["sub"])
        if user is None:
            return Response(status_code=404)
        return JSONResponse(self._server.claims_of(user, scope), headers=NO_STORE)

    def discovery(self, request: Request) -> Response:
        """OpenID Connect Discovery section 4, RFC 8414 section 3."""
        return JSONResponse(metadata(self._server.settings))

    def jwks(self, request: Request) -> Response:
        """RFC 7517 section 5."""
        return JSONResponse(self._server.signer.jwks())


def refusal(error: OAuth2Error) -> Response:
    """An error as JSON (RFC 6749 section 5.2)."""
    status, body, _ = error()
    return JSONResponse(body, status, headers=NO_STORE)
