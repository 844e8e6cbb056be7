"""The methods of AuthService where there is no tab: in the app's own HTTP routes, and in jobs."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

import httpx

# FastAPI evaluates the annotations of a dependency, so these are needed when the app runs.
from starlette.requests import HTTPConnection, Request

from .access.checks import rule_of
from .access.policy import Requirement, Rule
from .config import AuthConfig
from .flows.offline_access import OfflineAccess
from .http.requests import RequestSession, RequestSessions, page_of_request, reference_of
from .http.route_guard import Endpoint, RouteGuard
from .http_clients import GetAccessToken, HttpClients, token_request
from .interceptor import TokenOptions
from .reflex.access_rules import mark
from .user import User


class WithoutTab:
    """A part of AuthService, which sets these attributes. `config` is the one it was made with."""

    config: AuthConfig
    _http_clients: HttpClients
    _get_access_token: GetAccessToken
    _request_sessions: RequestSessions
    _route_guard: RouteGuard
    _login_rule: Rule
    _offline_access: Callable[[str, str | None, str | None], OfflineAccess]

    async def session(self, request: HTTPConnection) -> RequestSession | None:
        """Return the session of a request to one of the app's own routes; None if no user is signed
        in. The request counts as a use of the session.

        Raises:
            StoreUnavailable: the session cannot be read.
            RuntimeError: the request has not passed the gate, or is a websocket.
        """
        return await self._request_sessions.of(request)

    async def current_user(self, request: Request) -> User:
        """Return the public claims of the request's user: a dependency for FastAPI, as in
        `user: Annotated[User, Depends(auth.current_user)]`.

        Raises:
            HTTPException: 401 if no user is signed in, 403 if a request that changes something
                comes from another origin, 503 while sessions cannot be read.
        """
        session = await self._route_guard.authorize(request, self._login_rule)
        return self._request_sessions.public_claims.of(session.user)

    def require_login_http(self, endpoint: Endpoint) -> Endpoint:
        """Guard an endpoint of Starlette or FastAPI, an `async def` with a parameter for the
        request.

        Without a session, a browser that navigates is redirected to the login, and a script gets
        401 with a `login_url` in JSON. A request that changes something must come from a page of
        this app, else the answer is 403. While sessions cannot be read, it is 503.
        """
        return mark(self._route_guard.around(endpoint, self._login_rule), self._login_rule)

    def require_http(self, *predicates: Requirement) -> Callable[[Endpoint], Endpoint]:
        """Guard an endpoint like `require_login_http`, for users who meet every check (see
        `require`). The answer to others is 403, or a login if a check asks for one.

        A check may take the endpoint's arguments by their names: `def owns(viewer, order_id)`.
        Raises `TypeError` if the endpoint does not have one that a check takes.
        """
        rule = rule_of(predicates)
        return lambda endpoint: mark(self._route_guard.around(endpoint, rule), rule)

    def http_client_for(self, request: HTTPConnection) -> httpx.AsyncClient:
        """Return an HTTP client that acts for the user of a request, like `http_client`.

        The `login_url` of `LoginRequired` and `ConsentRequired` returns to the page that sent the
        request, else to "/". Raises `RuntimeError` like `session`.
        """
        return self._client_for(request)

    def _client_for(
        self, request: HTTPConnection, *, is_inspected: bool = False
    ) -> httpx.AsyncClient:
        reference = reference_of(request)
        page = functools.partial(page_of_request, request, self.config)

        async def get_access_token(options: TokenOptions, refused: str | None = None) -> str:
            await self._request_sessions.load(request)  # a use; and the audit trail names the user
            return await self._get_access_token(reference.session_id_hash, page, options, refused)

        return self._http_clients.without_tab(
            get_access_token, reference, is_inspected=is_inspected
        )

    def http_client_of(
        self, *, sub: str, session: str | None = None, provider: str | None = None
    ) -> httpx.AsyncClient:
        """Return an HTTP client that acts for a user when no tab is open, in a job for example.

        `sub` is the user's. The token is that of the session that was used last, of those that have
        a refresh token; one that has a token for the wanted audience and scope comes first.
        `session`, the id of a `RequestSession` or `Device`, selects one of the user's sessions.
        `provider` is the user's, where the app has several. Requests raise `LoginRequired`, without
        a `login_url`, if there is none.

        The audit trail has an event `offline_access`. Raises `ValueError` if `sub` is empty, or
        if the app has several providers and `provider` is none of them.
        """
        access = self._offline_access(sub, session, provider)

        def get_access_token(options: TokenOptions, refused: str | None = None) -> Awaitable[str]:
            return access.access_token(token_request(options, refused))

        return self._http_clients.without_tab(get_access_token, access)
