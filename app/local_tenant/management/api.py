"""The Management API's front: who calls, which endpoint, and in which form the answer is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ..dpop_proof import ProofError
from ..server import TenantServer
from ..strict_json import parse_json
from . import activity, clients, organizations, resource_servers, roles, tickets, users
from .endpoint import Call, Endpoint
from .errors import ApiError
from .rate_limit import RateLimit

ENDPOINTS: tuple[Endpoint, ...] = (
    *users.ENDPOINTS,
    *roles.ENDPOINTS,
    *clients.ENDPOINTS,
    *resource_servers.ENDPOINTS,
    *organizations.ENDPOINTS,
    *activity.ENDPOINTS,
    *tickets.ENDPOINTS,
)


class Management:
    """Every path below `/api/v2/`, for access tokens with the audience of this API."""

    def __init__(self, server: TenantServer) -> None:
        self._server = server
        self._limit = RateLimit(server.settings.management_rate_limit, server.clock)

    async def answer(self, request: Request) -> Response:
        """The answer to a request; every error is in Auth0's envelope."""
        headers: dict[str, str] = {}
        try:
            headers = self._limit.take()
            body = await request.body()
            endpoint, path = _found(request)
            result = await run_in_threadpool(self._handle, request, endpoint, path, body)
        except ApiError as error:
            return _json(error.body, error.status, {**headers, **error.headers})
        except ProofError as error:
            return self._server.dpop.refused(error)
        return _json(result, endpoint.status, headers)

    def _handle(
        self, request: Request, endpoint: Endpoint, path: Mapping[str, str], body: bytes
    ) -> Any:
        claims = self._claims(request)
        granted = frozenset(endpoint.scopes) & set(str(claims.get("scope", "")).split())
        if not granted:
            expected = ",".join(endpoint.scopes)
            text = f"Insufficient scope, expected any of: {expected}"
            raise ApiError(403, text, "insufficient_scope")
        if all("current_user" in scope for scope in granted) and claims["sub"] != path.get("id"):
            raise ApiError(403, "User to be acted on does not match subject in bearer token.")
        query = endpoint.checked_query(parse_qsl(request.url.query, keep_blank_values=True))
        content = endpoint.checked_body(_parsed(request, body)) if endpoint.body else None
        at = endpoint.method, endpoint.path
        return endpoint.handle(Call(self._server, *at, claims, granted, path, query, content))

    def _claims(self, request: Request) -> dict[str, Any]:
        """The claims of the access token (RFC 6750 section 2.1, RFC 9449 section 7.1)."""
        header = request.headers.get("authorization")
        if header is None:
            raise ApiError(401, "Missing authentication")
        scheme, _, token = header.partition(" ")
        if scheme.lower() not in ("bearer", "dpop") or token.count(".") != 2:
            raise ApiError(400, "Bad HTTP authentication header format")
        claims = self._server.access_token_claims(token.strip(), expired=True)
        if claims is None:
            raise ApiError(401, "Invalid signature received for JSON Web Token validation")
        if claims["exp"] <= self._server.clock():
            raise ApiError(401, "Expired token received for JSON Web Token validation")
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if self._server.settings.management_audience not in audience:
            raise ApiError(401, "Invalid token")
        self._server.dpop.check_token(request, scheme, token.strip(), claims)
        return claims


def _found(request: Request) -> tuple[Endpoint, dict[str, str]]:
    """The endpoint, and the parameters in its path. A slash at the end changes nothing.

    Raises:
        ApiError: 404, or 405 with the methods that there are.
    """
    raw = request.scope["raw_path"].decode("latin-1").split("/api/v2/", 1)[1]
    segments = [unquote(segment) for segment in raw.removesuffix("/").split("/")]
    method = "GET" if request.method == "HEAD" else request.method
    methods = set()
    for endpoint in ENDPOINTS:
        path = endpoint.match(segments)
        if path is not None and endpoint.method == method:
            return endpoint, path
        methods |= {endpoint.method} if path is not None else set()
    if methods:
        allowed = {"Allow": ", ".join(sorted(methods))}
        raise ApiError(405, "Method Not Allowed", headers=allowed)
    raise ApiError(404, "Not Found")


def _parsed(request: Request, body: bytes) -> Any:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind.lower() != "application/json":
        raise ApiError(415, "Unsupported Media Type")
    try:
        return parse_json(body)
    except ValueError:
        raise ApiError(400, "Invalid request payload JSON format") from None


def _json(body: Any, status: int, headers: Mapping[str, str]) -> Response:
    content = b"" if status == 204 else json.dumps(body).encode()
    kind = {} if status == 204 else {"Content-Type": "application/json; charset=utf-8"}
    return Response(content, status, headers={"Cache-Control": "no-store", **kind, **headers})
