"""How a login attempt ends: on a page, on the page for login problems, or in its own window."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response

from ..config import AuthConfig
from ..errors import AcrNotMet, AuthError, AuthorizationError, LoginLinkError
from ..flows.login_link import safe_return_to
from ..session import Cookies, LoginMode, new_session_id
from .responses import NO_STORE, log_error

LOGIN_COOKIE_AGE = 600  # seconds a person may take at the provider

NEEDS_THE_USER = frozenset(
    {
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "login_required",
    }
)
"""What a provider answers to `prompt=none` if it has to ask (OpenID Connect Core 3.1.2.6)."""


class LoginEndings:
    """The redirects at the end of a login, by where it takes place (`LoginMode`)."""

    def __init__(self, config: AuthConfig, cookies: Cookies) -> None:
        self._config = config
        self._cookies = cookies

    def to_app(
        self, path: str, *, mode: str | None = None, background: BackgroundTask | None = None
    ) -> Response:
        """Redirect to a page of the app; from a popup, to the page that closes it."""
        url = f"{self._config.page_prefix}{path}"
        if mode == LoginMode.POPUP:
            url = f"{self._config.api_prefix}/auth/popup?{urlencode({'return_to': path})}"
        return RedirectResponse(url, 303, headers=NO_STORE, background=background)

    def failed(self, error: AuthError, return_to: str | None = None) -> Response:
        """Redirect to the page for login problems. Of the error, the URL has only a stable code,
        the id that is also in the log, and what a new attempt needs: the path that the login was to
        lead to, which of several providers it was and, if that did not meet them, the link's
        `acr_values`.

        A provider's error code is the provider's text, so only a known one becomes the code. After
        a silent login, redirect to the page that the user was on.
        """
        return_to = safe_return_to(return_to or error.return_to)
        if error.login_mode == LoginMode.SILENT and not isinstance(error, LoginLinkError):
            return self._failed_silently(error, return_to)
        log_error(error)
        parameters = {"code": error.code, "id": error.error_id, "return_to": return_to}
        if error.provider:
            parameters["provider"] = error.provider
        if isinstance(error, AcrNotMet):
            parameters["acr_values"] = error.acr_values
        query = urlencode(parameters)
        if error.login_mode == LoginMode.POPUP:
            url = f"{self._config.api_prefix}/auth/popup?{query}"
            return RedirectResponse(url, 303, headers=NO_STORE)
        return self.to_app(f"{self._config.error_path}?{query}")

    def _failed_silently(self, error: AuthError, return_to: str) -> Response:
        response = self.to_app(return_to)
        if not isinstance(error, AuthorizationError):
            log_error(error)
            return response
        if error.code not in NEEDS_THE_USER:
            log_error(error)
        return self.without_silent_login(response)

    def without_silent_login(self, response: Response) -> Response:
        """Let the browser not log in silently until it is closed, or until the user logs in."""
        cookie = self._cookies.no_silent_login.set(new_session_id(), None)
        response.headers.append("set-cookie", cookie)
        return response
