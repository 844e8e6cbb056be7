"""An app with HTTP routes of its own, in FastAPI and in Starlette."""

# FastAPI has to find `Request` and `auth` from texts, which is what this makes of annotations.
from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import reflex as rx
from fastapi import Depends, FastAPI
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from .auth import (
    AuthConfig,
    AuthService,
    HttpInterceptorConfig,
    RequestSession,
    Sealer,
    SQLiteSessionStore,
    User,
    claim,
)

config = AuthConfig.from_environ(os.environ)
store = SQLiteSessionStore(Path(os.environ["ROUTES_DATA"]), Sealer(config.secrets))
ORDERS_API = os.environ["ROUTES_ORDERS_API"]
interceptor = HttpInterceptorConfig(allowed_list=[f"{ORDERS_API}/v1/*"])
auth = AuthService(config, store, http_interceptor=interceptor)
auth.proxy("/proxied/*", to=f"{ORDERS_API}/v1/*", methods=["GET", "POST"])

api = FastAPI()
CurrentUser = Annotated[User, Depends(auth.current_user)]
Session = Annotated[RequestSession | None, Depends(auth.session)]


class Order(BaseModel):
    item: str


@api.get("/api/me")
async def me(user: CurrentUser) -> dict[str, Any]:
    return {"nickname": user["nickname"]}


@api.get("/api/plain")
def plain(user: CurrentUser) -> str:
    return user["nickname"]


@api.get("/api/session")
async def session(session: Session) -> str | None:
    return session.user["nickname"] if session else None


@api.post("/api/orders")
async def order(order: Order, user: CurrentUser) -> str:
    return f"{order.item} for {user['nickname']}"


@api.put("/api/orders/{number}")
@auth.require_http(claim("nickname", "alice"))
async def change(request: Request, number: int, order: Order) -> str:
    session = await auth.session(request)
    return f"{number}: {order.item} for {session.user['nickname']}"


@api.get("/api/job/{sub}")
async def job(sub: str, user: CurrentUser) -> bool:
    return user["sub"] == sub


@auth.require_login_http
async def export(request: Request) -> Response:
    session = await auth.session(request)
    text = f"name\n{session.user['nickname']}\n"
    headers = {"Content-Disposition": 'attachment; filename="export.csv"'}
    return PlainTextResponse(text, media_type="text/csv", headers=headers)


async def headers(request: Request) -> Response:
    return PlainTextResponse(
        "\n".join(f"{name}: {value}" for name, value in request.headers.items())
    )


routes = Starlette(routes=[Route("/export.csv", export), Route("/headers", headers)])


@auth.public
def index():
    return rx.el.p("start")


app = rx.App(api_transformer=[api, routes])
app.add_page(index, route="/")
auth.install(app)
