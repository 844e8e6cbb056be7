"""Answers the proxied paths, behind the gate and in front of the app."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ..access.policy import LONGEST_TARGET
from ..audit import AuditTrail, Kind, Outcome
from ..config import AuthConfig
from ..errors import AuthError, ConfigError, LoginRequired, StoreUnavailable
from ..http.requests import reference_of
from ..http.responses import json_response, log_error
from ..http.route_guard import RETRY_AFTER, Refused, RouteGuard
from ..interceptor import AllowedList
from ..interceptor.url_checks import AmbiguousURLError
from ..session import SessionStore
from .client_stream import BodyTooLargeError, ClientGoneError, ClientSlowError, ClientStream
from .headers import BadFramingError, body_length, request_headers, response_headers
from .route import ProxyRoute

logger = logging.getLogger(__name__)

PROOF_HEADERS = {"X-CSRF": "1"}
_SAFE_METHODS = frozenset({"GET", "HEAD"})
# Where a browser may use an answer (Fetch Metadata). As a script, a worker or a style sheet, the
# text of an API would act with this app's rights.
_DESTINATIONS = frozenset({"", "empty", "image", "audio", "video", "track", "font", "document"})
_CONNECT_TIMEOUT = 3.0  # seconds
_REDIRECTS = range(300, 400)
# Bytes of a body that is kept, so that it can be sent again: with a DPoP nonce, with another token,
# or when the API asks to wait. A longer one is streamed, and so sent once.
_REPEATABLE = 64 * 1024
_SESSION_CHECK = 5.0  # seconds of an answer between two looks at whether its session is still there


class _RefusedError(Exception):
    def __init__(
        self, status: int, code: str, message: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message
        self.headers = headers or {}

    def response(self) -> Response:
        body = {"error": self.code} | ({"message": self.message} if self.message else {})
        return json_response(self.status, body, self.headers)


class Proxies:
    """The proxied routes of one app. `client_for` returns the HTTP client of a request's user.
    `store` has the sessions, and `clock` returns epoch seconds."""

    def __init__(
        self,
        config: AuthConfig,
        guard: RouteGuard,
        allowed_list: AllowedList,
        audit: AuditTrail,
        client_for: Callable[[HTTPConnection], httpx.AsyncClient],
        *,
        store: SessionStore,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._clock = clock
        self._config = config
        self._guard = guard
        self.allowed_list = allowed_list
        """That of the interceptor."""
        self._audit = audit
        self._client_for = client_for
        self._slots: dict[tuple[str, str], tuple[asyncio.Semaphore, int]] = {}
        self.routes: list[ProxyRoute] = []
        """Those of the longest paths first."""

    def add(self, route: ProxyRoute) -> None:
        """Add a route; of two that cover a path, the longer one answers.

        Raises:
            ConfigError: there is one with this path already.
        """
        if any(each.path == route.path for each in self.routes):
            raise ConfigError(f"auth.proxy: the path {route.path!r} is taken; choose another.")
        self.routes.append(route)
        self.routes.sort(key=lambda each: len(each.path), reverse=True)

    def around(self, inner: ASGIApp) -> ASGIApp:
        """Return ASGI middleware that answers the routes, and leaves the rest to `inner`."""

        async def proxied(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope.get("path", "")
            route = next((each for each in self.routes if each.covers(path)), None)
            if route is None:
                await inner(scope, receive, send)
            elif scope["type"] == "websocket":
                await _refuse_websocket(scope, receive, send)
            else:
                await self._answer(route, scope, receive, send)

        return proxied

    async def _answer(self, route: ProxyRoute, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        try:
            response = await self._forward(route, request, receive, send)
        except Refused as refused:
            login = {"login_url": refused.login_url} if refused.login_url else {}
            body = {"error": refused.detail, **login}
            response = json_response(refused.status_code, body, refused.headers)
        except _RefusedError as refused:
            self._record(request, refused.code)
            response = refused.response()
        if response is not None:
            await response(scope, receive, send)

    async def _forward(
        self, route: ProxyRoute, request: Request, receive: Receive, send: Send
    ) -> Response | None:
        """Forward a request; return the answer that has not been sent yet, if there is one."""
        self._check_proof(route, request)
        await self._guard.authorize(request, route.rule)
        outgoing, stream = self._prepare(route, request, receive, send)
        async with self._slot(route, request):
            try:
                await stream.until_gone(self._exchange(route, request, outgoing, stream))
            except ClientGoneError:
                logger.debug("The browser has gone, so %s is cancelled.", route.path)
            except Exception as error:
                return _failed(error, route, has_begun=stream.has_begun)
        return None

    def _check_proof(self, route: ProxyRoute, request: Request) -> None:
        """Check that a page of this app sends the request, before anything else is looked at."""
        if request.method not in route.methods:
            allow = {"Allow": ", ".join(sorted(route.methods))}
            raise _RefusedError(405, "method_not_allowed", headers=allow)
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        if origin is not None and origin not in self._config.origins:
            raise _RefusedError(403, "foreign_origin")
        is_ours = origin is not None or site == "same-origin"
        is_proven = request.headers.get("x-csrf") == "1"
        if not is_proven and not (request.method in _SAFE_METHODS and is_ours):
            raise _RefusedError(403, "csrf_header_required", "Send X-CSRF: 1.")
        if request.headers.get("sec-fetch-dest", "") not in _DESTINATIONS:
            raise _RefusedError(403, "destination_not_allowed", "Fetch it as data or as an image.")

    def _prepare(
        self, route: ProxyRoute, request: Request, receive: Receive, send: Send
    ) -> tuple[httpx.Request, ClientStream]:
        headers = request.headers.raw
        try:
            url, length = route.target_of(request.scope), body_length(headers)
            kept = request_headers(headers, length)
        except AmbiguousURLError as problem:
            raise _RefusedError(400, "odd_url", f"The request {problem}.") from None
        except BadFramingError as problem:
            raise _RefusedError(400, "bad_framing", str(problem)) from None
        explanation = self.allowed_list.explain(request.method, url)
        if not explanation.attach:
            raise _RefusedError(403, explanation.reason)
        if length is not None and length > route.max_body:
            raise _RefusedError(413, "body_too_large")
        if length != 0 and request.method in _SAFE_METHODS:
            raise _RefusedError(400, "unexpected_body")
        stream = ClientStream(
            receive, send, has_body=length != 0, max_body=route.max_body, timeout=route.timeout
        )
        timeout = httpx.Timeout(route.timeout, connect=min(route.timeout, _CONNECT_TIMEOUT))
        content = stream.body() if length != 0 else None
        extensions = {"timeout": timeout.as_dict()}
        outgoing = httpx.Request(
            request.method, url, headers=kept, content=content, extensions=extensions
        )
        return outgoing, stream

    async def _exchange(
        self, route: ProxyRoute, request: Request, outgoing: httpx.Request, stream: ClientStream
    ) -> None:
        if 0 < int(outgoing.headers.get("content-length", 0)) <= _REPEATABLE:
            body = b"".join([part async for part in stream.body()])
            outgoing.stream = httpx.ByteStream(body)
        async with self._client_for(request) as http:
            answer = await http.send(outgoing, stream=True)
            try:
                if answer.status_code < 200:
                    raise httpx.RemoteProtocolError("The API wants to switch protocols.")
                headers = response_headers(answer.headers.raw, self._location(route, answer))
                start = {"status": answer.status_code, "headers": headers}
                await stream.send({"type": "http.response.start", **start})
                looked_at = self._clock()
                async for part in answer.aiter_raw():
                    if self._clock() - looked_at >= _SESSION_CHECK:
                        await self._check_session(request)
                        looked_at = self._clock()
                    await stream.send(
                        {"type": "http.response.body", "body": part, "more_body": True}
                    )
                await stream.send({"type": "http.response.body", "body": b""})
            finally:
                await answer.aclose()

    async def _check_session(self, request: Request) -> None:
        """End an answer whose session has ended: the page that reads it may show another user by
        now. While sessions cannot be read, it goes on.

        Raises:
            LoginRequired: there is no session any more.
        """
        session_id_hash = reference_of(request).session_id_hash or ""
        with contextlib.suppress(StoreUnavailable):
            if await self._store.load(session_id_hash) is None:
                raise LoginRequired("The session has ended, and so has a proxied answer.")

    def _location(self, route: ProxyRoute, answer: httpx.Response) -> str | None:
        """The proxied path for the `Location` of an answer, if the route leads there.

        Raises:
            httpx.RemoteProtocolError: a redirect leads elsewhere.
        """
        text = answer.headers.get("location")
        if text is None:
            return None
        try:
            own = route.own_path_of(answer.request.url.join(text))
        except (httpx.InvalidURL, ValueError):
            own = None
        if own is None and answer.status_code in _REDIRECTS:
            raise httpx.RemoteProtocolError("The API redirects to a URL that is not proxied.")
        return own

    @asynccontextmanager
    async def _slot(self, route: ProxyRoute, request: Request) -> AsyncIterator[None]:
        """Wait for one of the session's slots; raises `_RefusedError` (429)."""
        key = reference_of(request).session_id_hash or "", route.path
        semaphore, users = self._slots.get(key) or (asyncio.Semaphore(route.concurrency), 0)
        self._slots[key] = semaphore, users + 1
        try:
            try:
                async with asyncio.timeout(route.timeout):
                    await semaphore.acquire()
            except TimeoutError:
                raise _RefusedError(
                    429, "too_many_requests", headers={"Retry-After": "1"}
                ) from None
            try:
                yield
            finally:
                semaphore.release()
        finally:
            semaphore, users = self._slots.pop(key)
            if users > 1:
                self._slots[key] = semaphore, users - 1

    def _record(self, request: Request, code: str) -> None:
        """Record a refusal, unless no user is known: any client could fill the audit trail."""
        reference = reference_of(request)
        if reference.sub is not None:
            target = f"{request.method} {request.scope['path']}"[:LONGEST_TARGET]
            self._audit.record(
                Kind.ACCESS,
                Outcome.DENIED,
                code,
                sub=reference.sub,
                ref=reference.session_id_hash,
                target=target,
            )


async def _refuse_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        reason = "websockets are not proxied"
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
        return
    message = "Connect to the API by HTTP."
    await json_response(501, {"error": "websocket_not_proxied", "message": message})(
        scope, receive, send
    )


def _failed(error: Exception, route: ProxyRoute, *, has_begun: bool) -> Response | None:
    """The answer to a request that failed; None if its answer has begun, which then ends early."""
    if isinstance(error, AuthError):
        error_id = error.error_id
        log_error(error)
    else:
        error_id = secrets.token_hex(4)
        logger.warning("[%s] %s was not answered: %s", error_id, route.path, _name_of(error))
    if has_begun:
        return None
    match error:
        case LoginRequired():
            login = {"login_url": error.login_url} if error.login_url else {}
            return json_response(401, {"error": error.code, **login})
        case BodyTooLargeError():
            return json_response(413, {"error": "body_too_large"})
        case ClientSlowError():
            return json_response(408, {"error": "request_timeout"})
        case StoreUnavailable():
            return json_response(503, {"error": error.code, "error_id": error_id}, RETRY_AFTER)
        case AuthError():
            headers = RETRY_AFTER if error.retryable else None
            return json_response(502, {"error": error.code, "error_id": error_id}, headers)
        case httpx.TimeoutException():
            return json_response(504, {"error": "api_timeout", "error_id": error_id})
        case httpx.TransportError() | httpx.InvalidURL():
            return json_response(502, {"error": "api_unavailable", "error_id": error_id})
    raise error


def _name_of(error: Exception) -> str:
    return f"{type(error).__name__} {error}" if isinstance(error, httpx.HTTPError) else repr(error)
