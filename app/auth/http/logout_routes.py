"""The HTTP routes that end sessions: logout, and the provider's back-channel logout."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.background import BackgroundTasks
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ..audit import AuditTrail, Kind
from ..config import AuthConfig
from ..errors import AuthError, LogoutTokenError, StoreUnavailable
from ..flows.logout import DEFAULT_OPTIONS, LogoutOptions
from ..flows.session_events import SessionEndReason
from ..flows.session_manager import SessionManager
from ..session import Cookies, new_session_id
from .forms import posted_field, posted_fields
from .login_endings import LOGIN_COOKIE_AGE, LoginEndings
from .responses import NO_STORE, Documents, json_response, log_error


class LogoutRoutes:
    """The endpoints. `sessions` are the flows behind them."""

    def __init__(
        self,
        config: AuthConfig,
        sessions: SessionManager,
        cookies: Cookies,
        audit: AuditTrail,
        documents: Documents,
        endings: LoginEndings,
    ) -> None:
        self._config = config
        self._sessions = sessions
        self._cookies = cookies
        self._audit = audit
        self._documents = documents
        self._without_silent_login = endings.without_silent_login

    async def ask(self, request: Request) -> Response:
        """Ask for confirmation: a link of another site must not log a user out."""
        return self._documents.logout_question(request, self._logout_options(request.query_params))

    async def log_out(self, request: Request) -> Response:
        """End the session, notify its tabs, and redirect to the provider's logout."""
        if not self._is_own_request(request):
            return self._documents.logout_question(request, DEFAULT_OPTIONS, status=403)
        options = await self._posted_logout_options(request)
        browser = self._cookies.login.read(request.headers.get("cookie")) or new_session_id()
        session_id_hash = self._cookies.session_id_hash(request.headers.get("cookie"))
        try:
            failure = await self._sessions.before_logout(session_id_hash)
            url, session = await self._sessions.logout.end(
                session_id_hash, options, browser=browser, host=request.headers.get("host")
            )
            takes_password = session is None and await self._sessions.takes_password(
                session_id_hash
            )
        except StoreUnavailable as error:
            self._audit.failed(Kind.LOGOUT, error, ref=session_id_hash)
            return self._documents.try_again_later(request, options)
        # After the response, which deletes the cookie.
        tasks = BackgroundTasks()
        if session_id_hash and session:
            reason = SessionEndReason.LOGOUT
            tasks.add_task(self._sessions.ended, session_id_hash, session, reason)
            tasks.add_task(self._sessions.logout.revoke, session)
        response: Response = RedirectResponse(url, 303, headers=NO_STORE, background=tasks)
        if failure is not None:
            response = self._documents.logged_out(request, url, failure.error_id)
            response.background = tasks
        # Because of the cookie of a session that was ended from elsewhere, the next login takes the
        # password: a logout must not be the way around that.
        if not takes_password:
            response.headers.append("set-cookie", self._cookies.session.clear())
        if options != DEFAULT_OPTIONS:  # what `logged_out` is to find is kept by this cookie
            cookie = self._cookies.login.set(browser, LOGIN_COOKIE_AGE)
            response.headers.append("set-cookie", cookie)
        return self._without_silent_login(response)

    async def logged_out(self, request: Request) -> Response:
        """Go on from the provider's logout to where this browser's logout leads."""
        browser = self._cookies.login.read(request.headers.get("cookie"))
        url = await self._sessions.logout.returned(browser, request.headers.get("host"))
        return RedirectResponse(url, 303, headers=NO_STORE)

    async def _posted_logout_options(self, request: Request) -> LogoutOptions:
        """The options of a logout form. One that cannot be read logs out, too."""
        try:
            fields = await posted_fields(request, error=AuthError)
        except AuthError:
            return DEFAULT_OPTIONS
        return self._logout_options(fields)

    def _logout_options(self, fields: Mapping[str, str]) -> LogoutOptions:
        return LogoutOptions.parse(fields, self._config.logout_urls)

    async def backchannel(self, request: Request) -> Response:
        """End the sessions that the provider names (Back-Channel Logout 1.0 section 2.5).

        The request comes from the provider and has no cookie. The signature of its logout token
        authenticates it.
        """
        try:
            logout_token = await posted_field(request, "logout_token", error=LogoutTokenError)
            await self._sessions.backchannel_logout.end(logout_token)
        except LogoutTokenError as error:
            self._audit.failed(Kind.LOGOUT, error)
            return self._refused(error, 400)
        except AuthError as error:
            self._audit.failed(Kind.LOGOUT, error)
            return self._refused(error, 503, {"Retry-After": "5"})
        return Response(status_code=200, headers=NO_STORE)

    def _refused(
        self, error: AuthError, status: int, headers: dict[str, str] | None = None
    ) -> Response:
        log_error(error)
        body = {"error": "invalid_request", "error_description": f"{error.code} {error.error_id}"}
        return json_response(status, body, headers)

    def _is_own_request(self, request: Request) -> bool:
        """Whether a request is from this app. SameSite=Lax already withholds the cookie from other
        sites; this check also covers other ports of the same host."""
        origin = request.headers.get("origin")
        if origin is not None:
            return origin in self._config.origins
        return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
