"""The gate: it turns the session cookie and a tab's client token into the name of a state tree.

The cookie stops here. Reflex pickles the handshake headers of a websocket with every state and
shows them to the page. It therefore gets neither the cookie nor the client token, but the name of
the state tree of this login in this tab (see `state_trees`).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Collection, MutableMapping
from contextlib import AsyncExitStack
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..access.policy import Decision, Denial, record_access
from ..audit import AuditTrail
from ..errors import StoreUnavailable
from ..log_throttle import LogThrottle
from ..session import (
    Cookies,
    Session,
    SessionStore,
    hash_session_id,
    new_session_id,
    strip,
)
from .caching import with_cache_control
from .client_address import ProxyWarning, client_address
from .connections import Connection, Connections
from .prefetching import Prefetching
from .rate_limiting import RequestLimits
from .requests import call_with_reference
from .security_headers import with_cookie, with_security_headers
from .state_trees import NOBODY, StateTrees, is_client_token
from .uploads import Uploads, discard, refuse
from .websocket_limits import EventLimits, rate_limited

EVENT_PATH: Final = "/_event"
BROWSER_COOKIE_AGE = 400 * 24 * 3600  # seconds; browsers keep no cookie for longer

_TAB = b"reflex-client-token"  # the header in which an upload names its tab
_NEW_TOKEN = re.compile(r'42/_event,\[\s*"new_token"\s*,\s*"([0-9a-f-]{36})"\s*\]')


class Gate:
    """ASGI middleware around the whole backend.

    Requests below `routes_path` go to `routes`, cookies included. Everything else goes to `inner`
    without this layer's cookies; an HTTP request has a reference of its session in the scope. A
    websocket is refused with 403 before it opens when its origin is not in `origins` or its client
    token is not a UUID. Otherwise it is bound to one login for its whole life, in `connections`. An
    upload goes to the state tree of the tab that it names, if it has the session cookie of that
    tab. Every response gets the security headers.
    """

    def __init__(
        self,
        inner: ASGIApp,
        *,
        routes: ASGIApp,
        routes_path: str,
        assets_path: str,
        store: SessionStore,
        connections: Connections,
        prefetching: Prefetching,
        state_trees: StateTrees,
        cookies: Cookies,
        origins: Collection[str],
        is_one_origin: bool,
        is_https: bool,
        audit: AuditTrail,
        request_limits: RequestLimits | None,
        event_limits: EventLimits | None,
        trusted_proxies: int,
    ) -> None:
        self._inner = inner
        self._routes = routes
        self._routes_path = routes_path
        self._assets_path = assets_path
        self._store = store
        self._connections = connections
        self._prefetching = prefetching
        self._state_trees = state_trees
        self._cookies = cookies
        self._cookie_names = cookies.names
        self._is_https = is_https
        self._origins = frozenset(origins)
        self._audit = audit
        self._request_limits = request_limits
        self._event_limits = event_limits
        self._trusted_proxies = trusted_proxies
        self._proxy_warning = ProxyWarning(trusted_proxies)
        self._throttle = LogThrottle()
        self._uploads = Uploads(connections, self._tree_of, is_cookie_sent=is_one_origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            send = with_security_headers(
                send, is_https=self._is_https, is_foreign=self._is_foreign(scope)
            )
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket" and _is_of_events(scope):
            await self._websocket(scope, receive, send)
        elif scope["type"] == "websocket":  # one of the app's own
            await self._inner(self._without_cookies(scope), receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_below(scope["path"], self._routes_path):
            await self._routes(scope, receive, send)
        elif _is_of_events(scope):
            # Its handshake would reach Reflex with the client token as it is.
            await PlainTextResponse("Connect by websocket.", 400)(scope, receive, send)
        elif scope["method"] == "POST" and _header(scope, _TAB) is not None:
            await self._upload(scope, receive, send)
        else:
            send = with_cache_control(send, scope["path"], self._assets_path)
            if self._cookies.browser.read(_header(scope, b"cookie")) is None:
                send = with_cookie(send, self._new_browser())
            await self._call(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        client_token, client = _header(scope, _TAB) or "", self._client(scope)
        session_id_hash = self._cookies.session_id_hash(_header(scope, b"cookie"))
        async with AsyncExitStack() as stack:
            try:
                tab = await stack.enter_async_context(
                    self._uploads.tab(client_token, session_id_hash, client)
                )
            except StoreUnavailable:
                await refuse(scope, receive, send, 503, {"Retry-After": "5"})
                return
            if tab is None or self._is_foreign(scope):
                if self._throttle.is_due(f"upload {client}"):
                    self._record(Denial.FOREIGN_TAB, scope)
                await refuse(scope, receive, send, 403)
                return
            headers = [(name, value) for name, value in scope["headers"] if name.lower() != _TAB]
            headers.append((_TAB, tab.tree.encode()))
            await self._call({**scope, "headers": headers}, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = self._client(scope)
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        client_token = query.get("token", "")
        session_id_hash = self._cookies.session_id_hash(_header(scope, b"cookie"))
        browser = self._cookies.browser.read(_header(scope, b"cookie"))
        if self._is_foreign(scope):
            # Not counted: a foreign page could use up the limits of a user who visits it.
            if self._throttle.is_due(client):
                self._record(Denial.FOREIGN_ORIGIN, scope)
            await send({"type": "websocket.close", "code": 1008, "reason": "foreign origin"})
        elif await self._is_one_too_many(client):
            await send({"type": "websocket.close", "code": 1013, "reason": "too many connections"})
        elif not is_client_token(client_token):
            await send({"type": "websocket.close", "code": 1008, "reason": "no client token"})
        elif session_id_hash and self._connections.is_replaced(session_id_hash):
            # The browser has a new cookie by now, and sends it when it reconnects.
            await send({"type": "websocket.close", "code": 1012, "reason": "another login"})
        elif browser is None and self._can_answer(scope) and self._throttle.is_due(client_token):
            await self._give_cookie(send)
        else:
            connection = Connection(
                client_token,
                send,
                session_id_hash=session_id_hash,
                browser=hash_session_id(browser) if browser else "",
                client=client,
                # The session of a stale cookie may have been ended from elsewhere.
                may_log_in_silently=bool(browser and not session_id_hash)
                and not self._cookies.no_silent_login.read(_header(scope, b"cookie")),
            )
            if self._event_limits is not None:
                receive = rate_limited(
                    receive, self._event_limits.of_connection(session_id_hash, client)
                )
            await self._connected(scope, receive, connection, query)

    def _new_browser(self) -> str:
        return self._cookies.browser.set(new_session_id(), BROWSER_COOKIE_AGE)

    def _can_answer(self, scope: Scope) -> bool:
        return "websocket.http.response" in (scope.get("extensions") or {})

    async def _give_cookie(self, send: Send) -> None:
        """Refuse a handshake, and give the browser the cookie by which its tabs are known as one
        browser's; it comes again at once. Once for a tab: some browsers keep no cookies.

        Not with the handshake's acceptance, whose headers Granian leaves out; and with 401, since
        Chromium keeps no cookie of a refusal with 503.
        """
        headers = [(b"set-cookie", self._new_browser().encode())]
        await send({"type": "websocket.http.response.start", "status": 401, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b""})

    async def _connected(
        self, scope: Scope, receive: Receive, connection: Connection, query: dict[str, str]
    ) -> None:
        """Serve a connection until it ends.

        It is registered before its session is looked up: if the session ends in between, the
        connection is closed.
        """
        self._connections.add(connection)
        try:
            session = None
            try:
                session = await self._login_of(connection)
                tree = self._tree(connection)
            except StoreUnavailable:
                # The tab shows an empty tree, until its first event after the store is back.
                connection.state_key = secrets.token_hex(16)
                tree = self._state_trees.tree_of(connection.client_token, connection.state_key)
            await self._connections.wait_for_predecessors(tree)
            self._connections.bind(connection, tree)
            if connection.is_closed:
                await connection.close()
                return
            if session is not None:
                self._prefetching.start(connection, session)
            query_string = urlencode({**query, "token": tree}).encode()
            inner_scope = {**self._without_cookies(scope), "query_string": query_string}
            await self._inner(inner_scope, receive, self._sending(connection))
        finally:
            self._connections.remove(connection)

    async def _tree_of(self, connection: Connection) -> str:
        """Look up the connection's login, and return the name of its tree in this tab. Raises
        `StoreUnavailable`."""
        await self._login_of(connection)
        return self._tree(connection)

    async def _login_of(self, connection: Connection) -> Session | None:
        """Look up the session of a connection, and bind it to that login. Raises
        `StoreUnavailable`."""
        session = await self._session(connection.session_id_hash)
        connection.state_key = session.state_key if session else None
        connection.sub = session.sub if session else None
        return session

    def _tree(self, connection: Connection) -> str:
        """The name of a connection's tree, for its login in its tab."""
        return self._state_trees.tree_of(connection.client_token, connection.state_key or NOBODY)

    def _sending(self, connection: Connection) -> Send:
        """Return a `send` for the app. It drops messages once the connection is closed, and sends
        the client token to the browser where Reflex sends the name of a tree."""

        def send(message: Message) -> Awaitable[None]:
            if connection.is_closed:
                return discard(message)
            # A duplicated tab gets a new token, which here is the name of a tree.
            text = message.get("text")
            if text is not None and text.startswith("42") and (found := _NEW_TOKEN.match(text)):
                return renamed(found[1])
            return connection.send(message)

        async def renamed(tree: str) -> None:
            login = connection.state_key or NOBODY
            connection.client_token = self._state_trees.client_token_of(tree, login)
            self._connections.bind(connection, tree)
            text = f'42/_event,["new_token","{connection.client_token}"]'
            await connection.send({"type": "websocket.send", "text": text})

        return send

    async def _session(self, session_id_hash: str | None) -> Session | None:
        stored = await self._store.load(session_id_hash) if session_id_hash else None
        return stored.session if stored else None

    def _client(self, scope: Scope) -> str:
        self._proxy_warning.look_at(scope)
        return client_address(scope, self._trusted_proxies)

    def _is_foreign(self, scope: Scope) -> bool:
        origin = _header(scope, b"origin")
        return origin is not None and origin not in self._origins

    async def _is_one_too_many(self, client: str) -> bool:
        limits = self._request_limits
        return limits is not None and await limits.seconds_to_wait("connection", client) > 0

    def _record(self, denial: Denial, scope: Scope) -> None:
        session_id_hash = self._cookies.session_id_hash(_header(scope, b"cookie"))
        record_access(
            self._audit, Decision(denial), sub=None, ref=session_id_hash, target=scope["path"]
        )

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        session_id_hash = self._cookies.session_id_hash(_header(scope, b"cookie"))
        scope = self._without_cookies(scope)
        await call_with_reference(self._inner, scope, receive, send, session_id_hash)

    def _without_cookies(self, scope: Scope) -> MutableMapping[str, Any]:
        kept = strip(_header(scope, b"cookie"), self._cookie_names)
        headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"cookie"]
        if kept:
            headers.append((b"cookie", kept.encode("latin-1")))
        return {**scope, "headers": headers}


def _is_of_events(scope: Scope) -> bool:
    """Whether it is for Reflex's events, wherever they are mounted."""
    return bool(scope["path"].rstrip("/").endswith(EVENT_PATH))


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _header(scope: Scope, name: bytes) -> str | None:
    """Return all values of a header, joined as cookies are (RFC 9113 section 8.2.3), or None."""
    values = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]
    return "; ".join(values) if values else None
