"""The gate: the cookie stops here, and Reflex sees a one-way reference instead.

Reflex pickles a websocket's handshake headers with every state and shows them to the page. So the
session cookie is taken off the headers, and its reference (a hash, from which the handle cannot be
had) goes into the ASGI scope, where a client cannot write.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, MutableMapping
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ..access.policy import Decision, Denial
from ..access.record import record_access
from ..audit import AuditTrail
from ..log_throttle import Sparingly
from ..session import SessionCookie, hash_session_id, strip
from .client_address import client_address
from .rate_limiting import RequestLimits
from .scope_key import SCOPE_KEY
from .security_headers import with_security_headers
from .websocket_limits import EventLimits, sparing

MOST_READ = 1024 * 1024  # bytes of a request that is refused


class Gate:
    """ASGI middleware around the whole backend.

    Requests below `/auth/` go to `routes`, cookie included. Everything else goes to `inner`
    without this layer's cookies; a websocket also gets `scope["auth.session_reference"]`.
    A websocket from an origin that is not in `origins` is refused with 403 before it opens. Every
    answer gets the security headers.

    An upload is an event that names its tab in a header. It has to bring the cookie of that tab's
    session (`session_of_tab`), or the tab's token, which stands in URLs, would be enough. Where
    page and backend are two origins, browsers send no cookie with it, and its absence is excused.
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
        session_of_tab: Callable[[str], str | None],
        audit: AuditTrail,
        request_limits: RequestLimits | None,
        event_limits: EventLimits | None,
        trusted_proxies: int,
    ) -> None:
        self._inner = inner
        self._routes = routes
        self._cookie = cookie
        self._cookie_names = frozenset(cookie_names)
        self._is_https = is_https
        self._session_of_tab = session_of_tab
        self._origins = frozenset(origins)
        self._audit = audit
        self._request_limits = request_limits
        self._event_limits = event_limits
        self._trusted_proxies = trusted_proxies
        self._sparingly = Sparingly()

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
        elif self._is_for_the_tab_of_another(scope):
            self._record(Denial.FOREIGN_TAB, scope)
            await _refuse(scope, receive, send)
        else:
            await self._inner(self._without_cookies(scope), receive, send)

    def _is_for_the_tab_of_another(self, scope: Scope) -> bool:
        token = _header(scope, b"reflex-client-token")
        if token is None or scope["method"] != "POST":
            return False
        handle = self._cookie.read(_header(scope, b"cookie"))
        if handle is None and len(self._origins) > 1:
            return False
        of_the_tab = self._session_of_tab(token)
        ref = hash_session_id(handle) if handle else None
        return of_the_tab is not None and of_the_tab != ref

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = _header(scope, b"origin")
        client = client_address(scope, self._trusted_proxies)
        if origin is not None and origin not in self._origins:
            # Not counted, or a foreign page could use up what its visitor may do here.
            if self._sparingly.is_due(client):
                self._record(Denial.FOREIGN_ORIGIN, scope)
            await send({"type": "websocket.close", "code": 1008, "reason": "foreign origin"})
            return
        if await self._is_one_too_many(client):
            await send({"type": "websocket.close", "code": 1013, "reason": "too many connections"})
            return
        handle = self._cookie.read(_header(scope, b"cookie"))
        guarded = self._without_cookies(scope)
        ref = guarded[SCOPE_KEY] = hash_session_id(handle) if handle else None
        if self._event_limits is not None:
            receive = sparing(receive, self._event_limits.of_connection(ref, client))
        await self._inner(guarded, receive, send)

    async def _is_one_too_many(self, client: str) -> bool:
        limits = self._request_limits
        return limits is not None and await limits.seconds_to_wait("connection", client) > 0

    def _record(self, denial: Denial, scope: Scope) -> None:
        handle = self._cookie.read(_header(scope, b"cookie"))
        ref = hash_session_id(handle) if handle else None
        record_access(self._audit, Decision(denial), sub=None, ref=ref, target=scope["path"])

    def _without_cookies(self, scope: Scope) -> MutableMapping[str, Any]:
        kept = strip(_header(scope, b"cookie"), self._cookie_names)
        headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"cookie"]
        if kept:
            headers.append((b"cookie", kept.encode("latin-1")))
        return {**scope, "headers": headers, SCOPE_KEY: None}


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """403. A server that leaves much of a request unread hangs up before its answer arrives."""
    size = 0
    while size < MOST_READ:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            break
    await Response(status_code=403)(scope, receive, send)


def _is_auth_path(path: str) -> bool:
    return path == "/auth" or path.startswith("/auth/")


def _header(scope: Scope, name: bytes) -> str | None:
    """All values of a header, joined as RFC 9113 section 8.2.3 joins cookies; None if absent."""
    values = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]
    return "; ".join(values) if values else None
