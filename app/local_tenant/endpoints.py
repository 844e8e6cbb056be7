"""The endpoints that applications call: tokens, revocation, user info, metadata, keys."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .dpop_proof import ProofError
from .request import body_request
from .server import NO_STORE, TenantServer
from .users import find_user


class Endpoints:
    """`/oauth/token`, `/oauth/revoke`, `/userinfo`, discovery and JWKS."""

    def __init__(self, server: TenantServer) -> None:
        self._server = server

    async def token(self, request: Request) -> Response:
        """RFC 6749 section 3.2."""
        oauth_request = await body_request(request)
        server = self._server
        return await run_in_threadpool(
            server.dpop.token_response, request, oauth_request, server.create_token_response
        )

    async def revoke(self, request: Request) -> Response:
        """RFC 7009; the body of a success is empty, as Auth0's is."""
        oauth_request = await body_request(request)
        response = await run_in_threadpool(
            self._server.create_endpoint_response, "revocation", oauth_request
        )
        return Response(status_code=200) if response.status_code == 200 else response

    def userinfo(self, request: Request) -> Response:
        """OpenID Connect Core section 5.3."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        is_known = scheme in ("Bearer", "DPoP")
        claims = self._server.signer.claims(token, typ="at+jwt") if is_known else None
        scope = str(claims.get("scope", "")) if claims else ""
        if not claims or claims["exp"] <= self._server.clock() or "openid" not in scope.split():
            return Response(
                status_code=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
            )
        try:
            self._server.dpop.check_token(request, scheme, token, claims)
        except ProofError as error:
            return self._server.dpop.refused(error)
        with self._server.database.transaction() as database:
            user = find_user(database, user_id=claims["sub"])
        if user is None:
            return Response(status_code=404)
        return JSONResponse(user.claims(scope, self._server.settings.issuer), headers=NO_STORE)

    def discovery(self, request: Request) -> Response:
        """OpenID Connect Discovery section 4, RFC 8414 section 3."""
        return JSONResponse(self._server.discovery())

    def jwks(self, request: Request) -> Response:
        """RFC 7517 section 5."""
        return JSONResponse(self._server.signer.jwks())
