"""The app: routes to an API, and a session of Ann's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.auth import (
    AllowedRoute,
    AuditEvent,
    AuthConfig,
    AuthService,
    HttpInterceptorConfig,
    MemorySessionStore,
    RequestEvent,
    Sealer,
    claim,
)
from app.auth.testing import session_cookie

SECRET = "s" * 32
TOKEN = "token-of-ann"
API = "https://api.example.com"
ORIGIN = "http://localhost:3000"
ANN = {"sub": "auth0|ann", "name": "Ann"}
PROOF = {"X-CSRF": "1", "Origin": ORIGIN}


class Api(httpx.AsyncBaseTransport):
    """An API that keeps each request with its body; `answer` is what it answers."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []
        self.answer: httpx.Response | Exception = httpx.Response(200, json={"orders": []})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Read the body, and answer."""
        self.requests.append(request)
        assert isinstance(request.stream, httpx.AsyncByteStream)
        self.bodies.append(b"".join([part async for part in request.stream]))
        if isinstance(self.answer, Exception):
            raise self.answer
        answer = self.answer
        stream = httpx.ByteStream(answer.content)
        return httpx.Response(answer.status_code, headers=answer.headers.raw, stream=stream)


@dataclass
class Inner:
    """The app behind the gate; it keeps the paths that reach it."""

    paths: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"])
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class Proxied:
    """The app, with routes to an API at `url`. `asgi` is what a server serves."""

    def __init__(
        self,
        pool: httpx.AsyncBaseTransport | None,
        url: str = API,
        *,
        base_url: str = ORIGIN,
        clock: Callable[[], float] = time.time,
        **limits: Any,
    ) -> None:
        self.audit: list[AuditEvent] = []
        self.events: list[RequestEvent] = []
        config = AuthConfig(
            domain="https://id.example.com",
            client_id="app",
            client_secret="secret",
            app_base_url=base_url,
            app_api_url=base_url,
            secrets=(SECRET,),
        )
        self.auth = auth = AuthService(
            config,
            MemorySessionStore(Sealer((SECRET,))),
            http_interceptor=HttpInterceptorConfig(
                [AllowedRoute(f"{url}/v1/files/private/*", attach=False), f"{url}/v1/*"]
            ),
            pool=pool,
            clock=clock,
            on_request=self.events.append,
            audit_hooks=[self.audit.append],
        )
        methods = ["GET", "POST", "PUT"]
        auth.proxy("/api/orders", to=f"{url}/v1/orders", methods=methods, **limits)
        auth.proxy("/files/*", to=f"{url}/v1/files/*", methods=methods, **limits)
        auth.proxy("/admin/*", to=f"{url}/v1/admin/*", requires=claim("role", "admin"))
        self.inner = Inner()
        self.asgi: ASGIApp = auth.asgi(self.inner)

    async def cookie(self, **claims: str) -> str:
        """The `Cookie` header of Ann's browser."""
        cookie = await session_cookie(self.auth, {**ANN, **claims}, access_token=TOKEN)
        return f"{cookie['name']}={cookie['value']}"

    async def browser(self, **claims: str) -> httpx.AsyncClient:
        """Ann's browser, on a page of the app."""
        headers = {"Cookie": await self.cookie(**claims), **PROOF}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.asgi),
            base_url=self.auth.config.app_base_url,
            headers=headers,
        )

    async def raw(
        self,
        raw_path: bytes,
        path: str,
        *,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        method: str = "GET",
        kind: str = "http",
        query: bytes = b"",
        extensions: dict[str, Any] | None = None,
    ) -> list[Message]:
        """What is answered to a request that no HTTP client would send."""
        sent: list[Message] = []
        scope: Scope = {
            "type": kind,
            "method": method,
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": [
                (b"cookie", (await self.cookie()).encode()),
                *((name.lower().encode(), value.encode()) for name, value in PROOF.items()),
                *headers,
            ],
            "client": ("127.0.0.1", 1),
            "extensions": extensions or {},
        }

        waiting = [{"type": "http.request", "body": b"body", "more_body": False}]

        async def receive() -> Message:
            if not waiting:
                await asyncio.Event().wait()
            return waiting.pop()

        async def send(message: Message) -> None:
            sent.append(message)

        await self.asgi(scope, receive, send)
        return sent
