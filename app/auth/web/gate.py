"""The gate: the cookie stops here, and Reflex sees a one-way reference instead.

Reflex pickles a websocket's handshake headers with every state and shows them to the page. So the
session cookie is taken off the headers, and its reference (a hash, from which the handle cannot be
had) goes into the ASGI scope, where a client cannot write.
"""

from __future__ import annotations

from collections.abc import Collection, MutableMapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from ..core.scope_key import SCOPE_KEY
from ..session import SessionCookie, reference, strip
from .security_headers import with_security_headers


class Gate:
    """ASGI middleware around the whole backend.

    Requests below `/auth/` go to `routes`, cookie included. Everything else goes to `inner`
    without this layer's cookies; a websocket also gets `scope["auth.session_reference"]`.
    A websocket from an origin that is not in `origins` is refused with 403 before it opens. Every
    answer gets the security headers.
    """

    def __init__(
        self,
        inner: ASGIApp,
        *,
        routes: ASGIApp,
        cookie: SessionCookie,
        cookie_names: Collection[str],
        origins: Collection[str],
        is_https: bool,
    ) -> None:
        self._inner = inner
        self._routes = routes
        self._cookie = cookie
        self._cookie_names = frozenset(cookie_names)
        self._is_https = is_https
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, with_security_headers(send, is_https=self._is_https))
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_auth_path(scope["path"]):
            await self._routes(scope, receive, send)
        else:
            await self._inner(self._without_cookies(scope), receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = _header(scope, b"origin")
        if origin is not None and origin not in self._origins:
            await send({"type": "websocket.close", "code": 1008, "reason": "foreign origin"})
            return
        handle = self._cookie.read(_header(scope, b"cookie"))
        guarded = self._without_cookies(scope)
        guarded[SCOPE_KEY] = reference(handle) if handle else None
        await self._inner(guarded, receive, send)

    def _without_cookies(self, scope: Scope) -> MutableMapping[str, Any]:
        kept = strip(_header(scope, b"cookie"), self._cookie_names)
        headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"cookie"]
        if kept:
            headers.append((b"cookie", kept.encode("latin-1")))
        return {**scope, "headers": headers, SCOPE_KEY: None}


def _is_auth_path(path: str) -> bool:
    return path == "/auth" or path.startswith("/auth/")


def _header(scope: Scope, name: bytes) -> str | None:
    """All values of a header, joined as RFC 9113 section 8.2.3 joins cookies; None if absent."""
    values = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]
    return "; ".join(values) if values else None
