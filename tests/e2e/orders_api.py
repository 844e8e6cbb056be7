"""An API that components fetch through a proxied route, served by a thread of the tests."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ..servers import wait_until

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


class OrdersApi:
    """Answers each request for the user that its access token names, and keeps what it was asked.

    `GET /v1/orders` answers with the user's orders, and a POST adds one. `PUT /v1/files/NAME`
    counts the bytes of a body. `/v1/events` sends an event, and the next one after `go_on`.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.asked: list[str] = []
        self.orders: dict[str, list[str]] = {}
        self._may_go_on = threading.Event()
        routes = [
            Route("/v1/orders", self._orders, methods=["GET", "POST"]),
            Route("/v1/files/{name}", self._upload, methods=["PUT"]),
            Route("/v1/logo.png", self._logo),
            Route("/v1/report.csv", self._report),
            Route("/v1/events", self._events),
        ]
        self.app = Starlette(routes=routes)

    def forget(self) -> None:
        """Forget everything, and hold the next event back."""
        self.asked.clear()
        self.orders.clear()
        self._may_go_on.clear()

    def go_on(self) -> None:
        """Let the second event be sent."""
        self._may_go_on.set()

    def _user(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        part = token.split(".")[1] if scheme == "Bearer" else ""
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) or b"{}")
        user = str(claims.get("sub", ""))
        self.asked.append(f"{request.method} {request.url.path} {user}")
        return user

    async def _orders(self, request: Request) -> Response:
        user = self._user(request)
        if request.method == "POST":
            self.orders.setdefault(user, []).append((await request.json())["item"])
        return JSONResponse({"user": user, "items": self.orders.get(user, [])})

    async def _upload(self, request: Request) -> Response:
        user, size = self._user(request), 0
        async for part in request.stream():
            size += len(part)
        name = unquote(request.path_params["name"])
        return JSONResponse({"user": user, "name": name, "bytes": size})

    async def _logo(self, request: Request) -> Response:
        self._user(request)
        return Response(PIXEL, media_type="image/png")

    async def _report(self, request: Request) -> Response:
        headers = {"Content-Disposition": 'attachment; filename="report.csv"'}
        return Response(f"user\n{self._user(request)}\n", media_type="text/csv", headers=headers)

    async def _events(self, request: Request) -> Response:
        user = self._user(request)

        async def events() -> AsyncIterator[str]:
            yield f"retry: 100\ndata: first of {user}\n\n"
            while not self._may_go_on.is_set():
                await asyncio.to_thread(self._may_go_on.wait, 0.1)
                yield ": waits\n\n"  # also notices a client that has gone
            yield f"data: second of {user}\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")


@contextmanager
def running_orders_api(port: int) -> Iterator[OrdersApi]:
    """Serve the API on a port."""
    api = OrdersApi(port)
    config = uvicorn.Config(api.app, port=port, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, 10.0)
    yield api
    server.should_exit = True
    thread.join()
