"""The app's own HTTP routes in the surface report."""

from __future__ import annotations

import reflex as rx
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from app.auth import AuthConfig, AuthService, MemorySessionStore, Sealer, has_role

from ..conftest import SECRET

CONFIG = AuthConfig(
    domain="https://id.example.com", client_id="app", client_secret="secret", secrets=(SECRET,)
)


async def endpoint(request: Request) -> Response:
    return PlainTextResponse("ok")


async def test_routes(app: rx.App) -> None:
    """Each route of a Starlette or FastAPI app is listed with its guard, and one without is public;
    whether it stands in a folder, and whether a dependency guards it."""
    store = MemorySessionStore(Sealer(CONFIG.secrets))
    auth = AuthService(CONFIG, store)
    starlette = Starlette(
        routes=[
            Route("/export.csv", auth.require_login_http(endpoint)),
            Mount("/admin", routes=[Route("/", auth.require_http(has_role("admin"))(endpoint))]),
            Route("/status", endpoint, methods=["GET", "POST"]),
        ]
    )
    api = FastAPI(openapi_url=None)

    @api.get("/orders/{number}", dependencies=[Depends(auth.current_user)])
    async def order(number: int) -> int:
        return number

    app.api_transformer = [starlette, api, lambda inner: inner]
    auth.install(app)
    routes = {each.name: each.rule for each in auth.surface() if each.kind == "route"}
    assert routes == {
        "GET /export.csv": "signed in",
        "GET /admin/": "signed in and role admin",
        "GET,POST /status": "public",
        "GET /orders/{number}": "signed in",
    }
    await auth.aclose()
