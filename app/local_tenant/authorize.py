"""The authorization endpoint (RFC 6749 section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oidc.core.errors import ConsentRequiredError, LoginRequiredError
from starlette.requests import Request
from starlette.responses import Response

from . import browser_sessions as browsers
from .clients import Client
from .device_grant import DeviceActivationGrant
from .html import UNUSABLE, message
from .login_rules import refusal
from .oauth_errors import AccessDeniedError, SilentMfaRequiredError, error_items
from .pushed_requests import resolved_query
from .request import TenantRequest, authorization_request
from .request_objects import unpacked
from .response_modes import origin_of, redirect_uri_of, respond, see_other
from .second_step import second_step_page as second_step_page_of
from .server import TenantServer

EXPIRED = "This page is no longer open. Go back to the application and log in again."


@dataclass(frozen=True, slots=True)
class Opened:
    """An authorization request that waits for the user. `targets` are where it may lead to."""

    client: Client
    targets: Sequence[str]
    session: browsers.BrowserSession | None


class Authorize:
    """`/authorize`: answers a request, or leads to the form that it waits for."""

    def __init__(self, server: TenantServer) -> None:
        self._server = server
        self._database = server.database

    def authorize(self, request: Request) -> Response:
        """Answer at once, or store the request and show a form."""
        browser = request.cookies.get(self._server.cookie) or browsers.new_browser()
        response = self._begin(request.url.query, browser)
        self._set_cookie(response, browser)
        return response

    def begin(self, request: Request, query: str) -> Response:
        """Begin an authorization request of the tenant's own, for `/activate`."""
        browser = request.cookies.get(self._server.cookie) or browsers.new_browser()
        response = self._serve(query, browser)
        self._set_cookie(response, browser)
        return response

    async def authorize_by_post(self, request: Request) -> Response:
        """OpenID Connect Core section 3.1.2.1. Only a GET from another site brings the cookie."""
        items = parse_qsl((await request.body()).decode("ascii", "replace"), keep_blank_values=True)
        return see_other(f"/authorize?{urlencode(items)}")

    def opened(self, request: Request) -> Opened | None:
        """The request that is open in this browser, for a page of an account."""
        interaction, session = self._interaction_and_session(request)
        if interaction is None:
            return None
        oauth_request = self._request_of(interaction)
        client = self._server.clients[oauth_request.payload.client_id]
        return Opened(client, self._targets(oauth_request), session)

    def proceed(self, request: Request) -> Response:
        """Continue the open request after a page of an account."""
        interaction = self._interaction(request)
        if interaction is None:
            return message("Start again", EXPIRED, status=400)
        return self._continue(interaction, request.cookies[self._server.cookie])

    def _begin(self, query: str, browser: str) -> Response:
        resolved = resolved_query(self._server, query)
        if resolved is None:
            text = "Its request_uri has expired, has been used, or is another application's."
            return message(UNUSABLE, text, status=400)
        try:
            return self._serve(unpacked(self._server, resolved), browser)
        except OAuth2Error as error:  # of a request object
            return message(UNUSABLE, error.get_error_description() or error.error, status=400)

    def _serve(self, resolved: str, browser: str) -> Response:
        oauth_request = authorization_request(self._server.settings.issuer, resolved)
        session = self._server.session_of(browser)
        try:
            self._server.get_consent_grant(oauth_request, session.user if session else None)
        except OAuth2Error as error:
            return self._refuse(oauth_request, error)
        except ValueError:  # Authlib cannot quote a redirect_uri with such characters
            text = "Its redirect_uri is not registered for this application."
            return message(UNUSABLE, text, status=400)
        is_new = oauth_request.payload.data.get("screen_hint") == "signup"
        page: str | None = "/u/signup" if is_new else "/u/login"
        refusal: type[OAuth2Error] = LoginRequiredError
        if session is not None and not self._wants_login(oauth_request, session):
            page, refusal = self._missing(oauth_request, session)
            if page is None:
                return self._answer(oauth_request, session, accepted=True)
        if oauth_request.payload.data.get("prompt") == "none":
            return self._refuse(oauth_request, refusal(redirect_uri=redirect_uri_of(oauth_request)))
        interaction = browsers.open_interaction(
            self._database, browser, resolved, self._server.clock()
        )
        return see_other(f"{page}?{urlencode({'state': interaction})}")

    def _missing(
        self, oauth_request: TenantRequest, session: browsers.BrowserSession
    ) -> tuple[str | None, type[OAuth2Error]]:
        """The page that a logged-in user has to see first, and its error for `prompt=none`."""
        if self._refusal(oauth_request, session) is not None:
            return None, LoginRequiredError  # the response says why
        parameters = oauth_request.payload.data
        page = second_step_page_of(self._database, parameters, session)
        if page is not None:
            return page, SilentMfaRequiredError
        is_missing = self._wants_consent(oauth_request, session)
        return "/u/consent" if is_missing else None, ConsentRequiredError

    def _continue(self, interaction: browsers.Interaction, browser: str) -> Response:
        """Continue after a login or a second step: with the next form, or with the response."""
        oauth_request = self._request_of(interaction)
        session = self._server.session_of(browser)
        if session is None:
            return message("Start again", EXPIRED, status=400)
        page, _ = self._missing(oauth_request, session)
        if self._lacks_login(oauth_request, interaction, session):
            page = "/u/login"
        if page is not None:
            return see_other(f"{page}?{urlencode({'state': interaction.id})}")
        browsers.close_interaction(self._database, interaction)
        return self._answer(oauth_request, session, accepted=True)

    def _answer(
        self, oauth_request: TenantRequest, session: browsers.BrowserSession, *, accepted: bool
    ) -> Response:
        oauth_request.session = session
        refused = self._refusal(oauth_request, session)
        if refused is not None:
            self._server.log.record(
                "f",
                refused.get_error_description(),
                user_id=session.user.user_id,
                client_id=oauth_request.payload.client_id,
            )
            refused.redirect_uri = redirect_uri_of(oauth_request)
            return self._refuse(oauth_request, refused)
        try:
            grant = self._server.get_consent_grant(oauth_request, session.user)
            if not accepted:
                if isinstance(grant, DeviceActivationGrant):
                    grant.decline()
                raise AccessDeniedError(redirect_uri=redirect_uri_of(oauth_request))
            items = grant.authorization_items(session.user)
        except OAuth2Error as error:
            return self._refuse(oauth_request, error)
        return respond(self._server, oauth_request, items)

    def _refuse(self, oauth_request: TenantRequest, error: OAuth2Error) -> Response:
        """Send the error to the client if its redirect_uri is registered; else show a page."""
        if not error.redirect_uri:
            text = error.get_error_description() or error.error
            return message(UNUSABLE, text, status=400)
        error.state = None
        return respond(self._server, oauth_request, error_items(error))

    def _lacks_login(
        self,
        oauth_request: TenantRequest,
        interaction: browsers.Interaction,
        session: browsers.BrowserSession,
    ) -> bool:
        """Whether the request asks for the password, and the user has gone on without it."""
        return not interaction.logged_in and self._wants_login(oauth_request, session)

    def _wants_login(self, oauth_request: TenantRequest, session: browsers.BrowserSession) -> bool:
        data = oauth_request.payload.data
        prompts = set(data.get("prompt", "").split())
        max_age = data.get("max_age", "")
        is_old = max_age.isdecimal() and self._server.clock() - session.auth_time > int(max_age)
        return bool({"login", "select_account"} & prompts) or is_old

    def _wants_consent(
        self, oauth_request: TenantRequest, session: browsers.BrowserSession
    ) -> bool:
        return "consent" in oauth_request.payload.data.get("prompt", "").split() or not (
            browsers.has_consented(self._database, session.user, *self._consent_key(oauth_request))
        )

    def _consent_key(self, oauth_request: TenantRequest) -> tuple[str, str, str]:
        audience = self._server.audience(oauth_request.payload.data)
        return oauth_request.payload.client_id, audience, self._scope(oauth_request)

    def _refusal(
        self, oauth_request: TenantRequest, session: browsers.BrowserSession
    ) -> OAuth2Error | None:
        client = self._server.clients[oauth_request.payload.client_id]
        parameters, now = oauth_request.payload.data, self._server.clock()
        return refusal(self._database, client, parameters, session.user, now)

    def _scope(self, oauth_request: TenantRequest) -> str:
        audience = self._server.audience(oauth_request.payload.data)
        return self._server.apis.allowed_scope(audience, oauth_request.payload.scope)

    def _interaction(self, request: Request) -> browsers.Interaction | None:
        browser = request.cookies.get(self._server.cookie)
        return browsers.find_interaction(
            self._database, browser, request.query_params.get("state", "")
        )

    def _interaction_and_session(
        self, request: Request
    ) -> tuple[browsers.Interaction | None, browsers.BrowserSession | None]:
        session = self._server.session_of(request.cookies.get(self._server.cookie))
        return self._interaction(request), session

    def _request_of(self, interaction: browsers.Interaction) -> TenantRequest:
        return authorization_request(self._server.settings.issuer, interaction.query)

    def _targets(self, oauth_request: TenantRequest) -> tuple[str, ...]:
        origin = origin_of(redirect_uri_of(oauth_request))
        return (origin, *self._server.settings.app_origins)

    def _set_cookie(self, response: Response, browser: str) -> None:
        response.set_cookie(
            self._server.cookie,
            browser,
            httponly=True,
            samesite="lax",
            path="/",
            secure=self._server.settings.tls,
        )
