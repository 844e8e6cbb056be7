"""The HTTP routes of the auth layer: login, callback, profile, health."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeGuard
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ..audit import AuditTrail, Kind, Outcome
from ..config import AuthConfig
from ..errors import (
    AuthError,
    AuthorizationError,
    IdTokenError,
    LoginRefused,
    StoreUnavailable,
    TransactionError,
)
from ..flows.ended_elsewhere import was_ended_from_elsewhere
from ..flows.login_link import login_mode, page_of, safe_return_to
from ..flows.refusals import Refusals
from ..flows.session_manager import SessionManager
from ..session import Cookies, LoginMode, SessionStore, hash_session_id, new_session_id
from ..user import PublicClaims
from .client_address import address_of, client_address
from .gate import BROWSER_COOKIE_AGE
from .login_endings import LOGIN_COOKIE_AGE, LoginEndings
from .logout_routes import LogoutRoutes
from .rate_limiting import Limited, RequestLimits
from .responses import NO_STORE, Documents, json_response, log_error

logger = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]


class Routes:
    """The endpoints. `sessions` are the flows behind them."""

    def __init__(
        self,
        config: AuthConfig,
        store: SessionStore,
        sessions: SessionManager,
        cookies: Cookies,
        audit: AuditTrail,
        limits: RequestLimits | None,
        documents: Documents,
        public_claims: PublicClaims,
        refusals: Refusals,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._config = config
        self._store = store
        self._sessions = sessions
        self._cookies = cookies
        self._audit = audit
        self._limits = limits
        self._documents = documents
        endings = LoginEndings(config, cookies)
        self._logout = LogoutRoutes(config, sessions, cookies, audit, documents, endings)
        self._to_app, self._failed = endings.to_app, endings.failed
        self._without_silent_login = endings.without_silent_login
        self._clock = clock
        self._public_claims = public_claims
        self._refusals = refusals

    def asgi(self) -> Starlette:
        """The application to put behind the gate."""
        base, logout = f"{self._config.api_path}/auth", self._logout
        callback = self._limited("callback", self.callback)
        return Starlette(
            routes=[
                Route(f"{base}/login", self._limited("login", self.login), methods=["GET"]),
                Route(
                    f"{self._config.api_path}{self._sessions.callback.route}",
                    callback,
                    methods=["GET"],
                ),
                Route(f"{base}/popup", self.popup, methods=["GET"]),
                Route(f"{base}/logout", logout.ask, methods=["GET"]),
                Route(f"{base}/logout", logout.log_out, methods=["POST"]),
                Route(
                    f"{base}/logged-out",
                    self._limited("callback", logout.logged_out),
                    methods=["GET"],
                ),
                Route(
                    f"{base}/backchannel-logout",
                    self._limited("backchannel_logout", logout.backchannel),
                    methods=["POST"],
                ),
                Route(f"{base}/profile", self.profile, methods=["GET"]),
                Route(f"{base}/session", self.session, methods=["GET"]),
                Route(f"{base}/health", self.health, methods=["GET"]),
            ],
            exception_handlers={HTTPException: self._not_found},
        )

    async def login(self, request: Request) -> Response:
        """Begin a login and send the browser to the provider."""
        cookies = request.headers.get("cookie")
        browser = self._cookies.login.read(cookies) or new_session_id()
        tabs_of = self._cookies.browser.read(cookies)
        query = request.query_params
        return_to = self._return_to(request)
        current = self._cookies.session_id_hash(cookies)
        try:
            provider = await self._sessions.login.provider_of(query, current)
            if provider is None:  # the user chooses, and the links there have the same query
                return self._to_app(f"{self._config.login_path}?{urlencode(query.multi_items())}")
            url = await self._sessions.login.begin(
                provider,
                browser,
                return_to,
                query=query,
                current=current,
                tabs_of=hash_session_id(tabs_of) if tabs_of else None,
                host=request.headers.get("host"),
            )
        except AuthError as error:
            self._audit.failed(Kind.LOGIN_STARTED, error, target=page_of(return_to))
            return self._failed(error, return_to)
        self._audit.record(
            Kind.LOGIN_STARTED,
            Outcome.SUCCESS,
            "redirected",
            target=page_of(return_to),
            provider=provider.name,
        )
        response = RedirectResponse(url, 302, headers=NO_STORE)
        response.headers.append("set-cookie", self._cookies.login.set(browser, LOGIN_COOKIE_AGE))
        return response

    async def callback(self, request: Request) -> Response:
        """Check the provider's answer, and set the cookie of the new session."""
        cookies = request.headers.get("cookie")
        attempt, browser = self._cookies.login.read(cookies), self._cookies.browser.read(cookies)
        items = request.query_params.multi_items()
        current = self._cookies.session_id_hash(request.headers.get("cookie"))
        try:
            login = await self._sessions.callback.complete(
                attempt,
                items,
                provider=request.path_params.get("provider", ""),
                current=current,
                user_agent=request.headers.get("user-agent"),
                address=address_of(request.scope, self._config.trusted_proxies),
            )
        except TransactionError as error:
            self._audit.failed(Kind.LOGIN_COMPLETED, error, ref=current)
            return await self._callback_again(error, attempt, items, current)
        except LoginRefused as error:
            self._audit.failed(Kind.LOGIN_COMPLETED, error)
            return self._refused_login(error, browser or new_session_id())
        except AuthError as error:
            self._audit.failed(Kind.LOGIN_COMPLETED, error)
            response = self._failed(error)
            if self._is_described(error):
                self._add_sentence(response, error, browser or new_session_id())
            return await self._without_stale_cookie(response, current, error)
        self._audit.record(
            Kind.LOGIN_COMPLETED,
            Outcome.SUCCESS,
            "replaced" if login.replaced else "new",
            sub=login.sub,
            ref=hash_session_id(login.session_id),
            target=page_of(login.return_to),
            provider=request.path_params.get("provider"),
            client=login.client,
        )
        # After the response: the tabs must have the new cookie when they reconnect.
        begun = BackgroundTask(
            self._sessions.begun, login, hash_session_id(browser) if browser else None
        )
        response = self._to_app(login.return_to, mode=login.mode, background=begun)
        # The session itself may end earlier, in the store.
        age = int(self._store.lifetimes.absolute)
        cookie = self._cookies.session.set(login.session_id, age)
        response.headers.append("set-cookie", cookie)
        if self._cookies.no_silent_login.read(cookies):
            response.headers.append("set-cookie", self._cookies.no_silent_login.clear())
        return response

    async def popup(self, request: Request) -> Response:
        """The last page of a login in a window of its own. It closes itself or, with `code` and
        `id`, first says what went wrong."""
        query = request.query_params
        url = f"{self._config.page_prefix}{safe_return_to(query.get('return_to'))}"
        error_id = query.get("id", "")
        browser = self._cookies.browser.read(request.headers.get("cookie"))
        refusal = None
        if browser is not None:
            sealed = query.get("reason", "")
            refusal = self._refusals.open(sealed, hash_session_id(browser), error_id)
        return self._documents.popup(request, query.get("code"), error_id, url, refusal)

    async def _callback_again(
        self,
        error: TransactionError,
        browser: str | None,
        items: Sequence[tuple[str, str]],
        current: str | None,
    ) -> Response:
        """Answer a callback without an open transaction: the user went back in the browser's
        history, or to a bookmark. A signed-in user is redirected to where that login led."""
        try:
            if current is None or await self._store.load(current) is None:
                return await self._without_stale_cookie(self._failed(error), current, error)
            return_to = await self._sessions.callback.return_to_of_completed(browser, items)
        except StoreUnavailable:
            return self._failed(error)
        log_error(error)
        return self._to_app(return_to or "/")

    async def _without_stale_cookie(
        self, response: Response, current: str | None, error: AuthError
    ) -> Response:
        """Delete the session cookie after a failed login if its session does not exist. A session
        that exists stays: a link of another site can make a login fail.

        Because of the cookie of a session that was ended from elsewhere, a login takes the
        password. It goes only if the provider cannot ask for that, or cannot say that it has.
        """
        try:
            is_stale = current is not None and await self._store.load(current) is None
            if is_stale and not _is_of_the_provider(error):
                is_stale = not await was_ended_from_elsewhere(self._store, str(current))
        except StoreUnavailable:
            is_stale = False
        if is_stale:
            response.headers.append("set-cookie", self._cookies.session.clear())
        return response

    async def profile(self, request: Request) -> Response:
        """Return the public claims as JSON. Other sites cannot send the required header."""
        if request.headers.get("x-csrf") != "1":
            return json_response(
                403, {"error": "csrf_header_required", "message": "Send X-CSRF: 1."}
            )
        session_id_hash = self._cookies.session_id_hash(request.headers.get("cookie"))
        try:
            stored = await self._store.load(session_id_hash) if session_id_hash else None
        except StoreUnavailable as error:
            return json_response(503, {"error": error.code}, {"Retry-After": "5"})
        if stored is None:
            return json_response(401, {"error": "login_required"})
        return json_response(200, self._public_claims.of(stored.session.user))

    async def session(self, request: Request) -> Response:
        """Return in how many seconds the session ends. To ask does not count as use. The seconds
        are whole, and relative: the browser's clock may be wrong."""
        session_id_hash = self._cookies.session_id_hash(request.headers.get("cookie"))
        try:
            stored = await self._store.load(session_id_hash) if session_id_hash else None
        except StoreUnavailable as error:
            return json_response(503, {"error": error.code}, {"Retry-After": "5"})
        if stored is None:
            return json_response(401, {"error": "login_required"})
        lifetimes, now = self._store.lifetimes, self._clock()
        seconds = {
            "expires_in": math.ceil(stored.expires_at(lifetimes) - now),
            "ends_in": math.ceil(stored.ends_at(lifetimes) - now),
        }
        return json_response(200, seconds)

    async def health(self, request: Request) -> Response:
        """Whether sessions can be read: 200, or 503 when the store is away."""
        try:
            await self._store.ping()
        except StoreUnavailable as error:
            return json_response(
                503, {"status": "unavailable", "error": error.code}, {"Retry-After": "5"}
            )
        return json_response(200, {"status": "ok"})

    def _limited(self, what: Limited, endpoint: Endpoint) -> Endpoint:
        """Return the endpoint with a rate limit for each client."""
        limits = self._limits
        if limits is None:
            return endpoint

        async def limited(request: Request) -> Response:
            client = client_address(request.scope, self._config.trusted_proxies)
            wait = math.ceil(await limits.seconds_to_wait(what, client))
            if not wait:
                return await endpoint(request)
            if what == "backchannel_logout":
                return json_response(
                    429, {"error": "too_many_requests"}, {"Retry-After": str(wait)}
                )
            query = request.query_params
            mode = login_mode(self._config.authorization_params, query)
            if what == "login" and mode == LoginMode.SILENT:
                return self._to_app(self._return_to(request))
            return self._documents.too_many(request, wait)

        return limited

    def _return_to(self, request: Request) -> str:
        """The path to return to. A login that a third party starts gives it as an absolute URL
        (OpenID Connect Core section 4)."""
        query, app = request.query_params, self._config.at_host(request.headers.get("host"))
        target = query.get("target_link_uri", "").removeprefix(app.app_base_url)
        return safe_return_to(query.get("return_to") or target)

    def _refused_login(self, error: LoginRefused, browser: str) -> Response:
        """Like `_failed`, with the app's sentence, which only the page of this browser shows."""
        response = self._failed(error)
        if error.login_mode == LoginMode.SILENT:  # the user has not asked for a login
            return self._without_silent_login(response)
        self._add_sentence(response, error, browser)
        return response

    def _is_described(self, error: AuthError) -> TypeGuard[AuthorizationError]:
        """Whether the error page shows the provider's sentence. The answer to a login that this
        browser has begun has it; no other site can make one up."""
        return (
            self._config.show_error_description
            and isinstance(error, AuthorizationError)
            and bool(error.error_description)
            and error.login_mode != LoginMode.SILENT
        )

    def _add_sentence(
        self, response: Response, error: LoginRefused | AuthorizationError, browser: str
    ) -> None:
        reason = self._refusals.seal(error, hash_session_id(browser))
        response.headers["location"] += f"&{urlencode({'reason': reason})}"
        response.headers.append(
            "set-cookie", self._cookies.browser.set(browser, BROWSER_COOKIE_AGE)
        )

    async def _not_found(self, request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == 405:
            return json_response(405, {"error": "method_not_allowed"}, dict(error.headers or {}))
        return self._documents.not_found(request)


def _is_of_the_provider(error: AuthError) -> bool:
    """Whether a login failed for what the provider does, and not for what the browser's user did:
    decline, log in silently, or visit an old callback."""
    if error.login_mode == LoginMode.SILENT or error.code == "access_denied":
        return False
    return isinstance(error, AuthorizationError | IdTokenError)
