"""The tenant as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .accounts.database_connection import DatabaseConnection
from .accounts.pages import AccountPages
from .activation import Activation
from .avatars import avatar
from .body_limit import BodyLimit
from .cross_origin import InterfaceCORS, OwnForms, is_interface
from .dashboard import events, groups, registrations, users
from .dashboard.events import fault_interface
from .dashboard.view import routes
from .endpoints import Endpoints
from .fault_middleware import FaultMiddleware
from .grants import register_grants
from .html import message
from .login_forms import LoginForms
from .logout import Logout
from .management.api import Management
from .management.errors import envelope
from .management.openapi import description
from .server import TenantServer
from .settings import TenantSettings

logger = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
SWEEP = 10.0  # seconds between two looks for sessions that have reached their lifetime
METHODS = ["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]  # each 405 names its own


def create_tenant(settings: TenantSettings, *, clock: Callable[[], float] = time.time) -> Starlette:
    """The application; `clock` gives epoch seconds."""
    server = TenantServer(settings, clock)
    register_grants(server)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(_sweep(server))
        yield
        sweeping.cancel()

    app = Starlette(
        lifespan=lifespan,
        routes=[*_pages(server), *_interfaces(server)],
        middleware=[
            # Refuse other names that resolve to this machine (DNS rebinding).
            Middleware(TrustedHostMiddleware, allowed_hosts=settings.hosts, www_redirect=False),
            Middleware(FaultMiddleware, faults=server.faults),
            Middleware(InterfaceCORS, origins=lambda: server.clients.origins),
            Middleware(OwnForms),
            Middleware(BodyLimit),
        ],
        exception_handlers={404: _refused, 405: _refused, 500: _failed},
    )
    app.router.redirect_slashes = False  # a redirect would lose the body or the token
    return app


async def _sweep(server: TenantServer) -> None:
    """End sessions at their time, also of users who do not come back."""
    while True:
        try:
            await run_in_threadpool(server.end_expired_sessions)
        except sqlite3.Error as error:  # such as a file that is locked: the next sweep tries again
            logger.warning("Sessions at their time were not ended: %s", error)
        await asyncio.sleep(SWEEP)


def by_port(tenants: Mapping[int, Starlette]) -> ASGIApp:
    """Several tenants as one application, told apart by the port that a connection came to."""

    async def tenant(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(tenants.values(), receive, send)
            return
        # A server with one tenant may stand behind another port, as in a container.
        (one, *others) = tenants.values()
        await (tenants[scope["server"][1]] if others else one)(scope, receive, send)

    return tenant


async def _live(tenants: Iterable[Starlette], receive: Receive, send: Send) -> None:
    """The lifespan of all of them, as ASGI's lifespan protocol asks for it."""
    async with AsyncExitStack() as stack:
        await receive()
        for app in tenants:
            await stack.enter_async_context(app.router.lifespan_context(app))
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


def _pages(server: TenantServer) -> list[Route]:
    authorize, logout = LoginForms(server), Logout(server)
    return [
        Route("/", _home),
        Route("/tenant.css", _stylesheet),
        Route("/icon.svg", _icon),
        Route("/avatars/{name}.svg", avatar),
        Route("/authorize", authorize.authorize, methods=["GET"]),
        Route("/authorize", authorize.authorize_by_post, methods=["POST"]),
        Route("/u/login", authorize.login_form, methods=["GET"]),
        Route("/u/login", authorize.log_in, methods=["POST"]),
        Route("/u/second-step", authorize.second_step_form, methods=["GET"]),
        Route("/u/second-step", authorize.second_step, methods=["POST"]),
        Route("/u/consent", authorize.consent_form, methods=["GET"]),
        Route("/u/consent", authorize.consent, methods=["POST"]),
        *Activation(server, authorize).routes(),
        *AccountPages(server, authorize).routes(),
        Route("/u/logout", logout.confirmed, methods=["POST"]),
        Route("/oidc/logout", logout.oidc, methods=["GET", "POST"]),
        Route("/v2/logout", logout.auth0),
        Route("/dashboard.js", _script),
        *fault_interface(server),
        *routes(server, {**users.PAGES, **registrations.PAGES, **groups.PAGES, **events.PAGES}),
    ]


def _interfaces(server: TenantServer) -> list[Route]:
    endpoints, management = Endpoints(server), Management(server)
    accounts = DatabaseConnection(server)

    def openapi(request: Request) -> Response:
        return JSONResponse(description(server.settings.issuer))

    return [
        Route("/.well-known/openid-configuration", endpoints.discovery),
        Route("/.well-known/oauth-authorization-server", endpoints.discovery),
        Route("/.well-known/jwks.json", endpoints.jwks),
        Route("/oauth/token", endpoints.token, methods=["POST"]),
        Route("/oauth/revoke", endpoints.revoke, methods=["POST"]),
        Route("/oauth/par", endpoints.push, methods=["POST"]),
        Route("/oauth/device/code", endpoints.device_code, methods=["POST"]),
        Route("/oauth/introspect", endpoints.introspect, methods=["POST"]),
        Route("/dbconnections/signup", accounts.sign_up, methods=["POST"]),
        Route("/dbconnections/change_password", accounts.change_password, methods=["POST"]),
        Route("/userinfo", endpoints.userinfo, methods=["GET", "POST"]),
        Route("/api/v2/openapi.json", openapi, methods=["GET"]),
        Route("/api/v2/{path:path}", management.answer, methods=METHODS),
    ]


def _home(request: Request) -> Response:
    return RedirectResponse("/dashboard")


def _stylesheet(request: Request) -> Response:
    return FileResponse(STATIC / "tenant.css", media_type="text/css")


def _script(request: Request) -> Response:
    return FileResponse(STATIC / "dashboard.js", media_type="text/javascript")


def _icon(request: Request) -> Response:
    return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")


def _refused(request: Request, error: Exception) -> Response:
    """404 and 405: JSON for programs, a page for people."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    headers = error.headers if isinstance(error, HTTPException) else None
    if is_interface(request.url.path):
        return JSONResponse(envelope(status, HTTPStatus(status).phrase), status, headers=headers)
    page = message("Page not found", "There is no page at this address.", status=status)
    page.headers.update(headers or {})
    return page


def _failed(request: Request, error: Exception) -> Response:
    if is_interface(request.url.path):
        return JSONResponse(envelope(500, "The reason is in the tenant's log"), 500)
    return message("Something went wrong", "The reason is in the tenant's log.", status=500)
