"""What pages of other origins may do: call the interfaces by CORS, and send no form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from .html import message
from .management.errors import envelope

INTERFACES = ("/oauth/", "/userinfo", "/.well-known/", "/api/", "/dbconnections/")
"""The paths that applications call, from a browser, too. All others are for a person."""

# Navigations from other sites: an authorization request and a logout may be sent by POST.
_FROM_ANYWHERE = ("/authorize", "/oidc/logout")


def is_interface(path: str) -> bool:
    """Whether a path is one that applications call, and so is answered in JSON."""
    return path.startswith(INTERFACES)


class InterfaceCORS(CORSMiddleware):
    """CORS for the interfaces alone, and for the registered origins alone.

    Scripts call with tokens and without cookies. The dashboard needs no login, so that no other
    origin may read it. `origins` gives the registered ones, which may change while this runs.
    """

    def __init__(self, app: ASGIApp, origins: Callable[[], Iterable[str]]) -> None:
        super().__init__(
            app,
            allow_methods=["GET", "POST", "PATCH", "PUT", "DELETE"],
            allow_headers=["authorization", "auth0-client", "content-type", "dpop"],
            expose_headers=[
                *("DPoP-Nonce", "Retry-After", "WWW-Authenticate"),
                *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
            ],
        )
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_interface(scope["path"]):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def is_allowed_origin(self, origin: str) -> bool:
        return origin in self._origins()

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        skipped = ("content-length", "content-type")
        headers = {name: value for name, value in answer.headers.items() if name not in skipped}
        if answer.status_code < 400:
            return Response(status_code=204, headers=headers)
        body = envelope(answer.status_code, bytes(answer.body).decode())
        return JSONResponse(body, answer.status_code, headers=headers)


class OwnForms:
    """Refuses a form that a page of another origin posts: also another port of this host.

    Browsers send the tenant's cookie from there, since ports and `SameSite` know nothing of each
    other. They say where a request comes from in `Sec-Fetch-Site`, older ones in `Origin`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and not _may_post(scope):
            text = "The form was sent by a page of another site."
            await message("Not accepted", text, status=403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _may_post(scope: Scope) -> bool:
    path = scope["path"]
    if is_interface(path) or path in _FROM_ANYWHERE:
        return True
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    if origin is None:
        return True  # not a browser of today
    parts = urlsplit(origin)
    return parts.scheme == scope["scheme"] and parts.netloc == headers.get("host")
