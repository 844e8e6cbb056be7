"""The authorization endpoint and the two pages it may need on the way (RFC 6749 section 3.1)."""

from __future__ import annotations

import hmac
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oidc.core.errors import ConsentRequiredError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from . import browser_sessions as browsers
from .documents import message
from .login_pages import consent_page, login_page
from .request import TenantRequest, authorization_request
from .seeds import PASSWORD
from .server import NO_STORE, TenantServer
from .users import find_user

UNUSABLE = "This login request cannot be used"
EXPIRED = "This page is no longer open. Go back to the application and log in again."


class Authorize:
    """`/authorize`, `/u/login` and `/u/consent`."""

    def __init__(self, server: TenantServer) -> None:
        self._server = server
        self._database = server.database

    def authorize(self, request: Request) -> Response:
        """Answer at once, or remember the request and show a page."""
        browser = request.cookies.get(browsers.COOKIE) or browsers.new_browser()
        response = self._begin(request.url.query, browser)
        _set_cookie(response, browser)
        return response

    def login_form(self, request: Request) -> Response:
        """The login page."""
        interaction = self._interaction(request)
        if interaction is None:
            return message("Start again", EXPIRED, status=400)
        asked = authorization_request(self._server.settings.issuer, interaction.query)
        client = self._server.clients[asked.payload.client_id]
        hint = asked.payload.data.get("login_hint", "")
        return login_page(client, self._targets(asked), username=hint)

    async def log_in(self, request: Request) -> Response:
        """Check the password; go on with the remembered request under a new cookie."""
        form = await request.form()
        username, password = str(form.get("username", "")), str(form.get("password", ""))
        return await run_in_threadpool(self._log_in, request, username, password)

    def _log_in(self, request: Request, username: str, password: str) -> Response:
        interaction = self._interaction(request)
        if interaction is None:
            return message("Start again", EXPIRED, status=400)
        with self._database.work() as connection:
            user = find_user(connection, email=username)
        if user is None or not hmac.compare_digest(password.encode(), PASSWORD.encode()):
            asked = authorization_request(self._server.settings.issuer, interaction.query)
            client = self._server.clients[asked.payload.client_id]
            problem = "Wrong email address or password."
            return login_page(client, self._targets(asked), username=username, problem=problem)
        browsers.note_login(self._database, interaction)
        old = request.cookies[browsers.COOKIE]
        browser = browsers.begin_session(self._database, old, user, self._server.clock())
        response = self._continue(
            browsers.Interaction(interaction.id, interaction.query, True), browser
        )
        _set_cookie(response, browser)
        return response

    def consent_form(self, request: Request) -> Response:
        """The consent page."""
        interaction = self._interaction(request)
        session = browsers.find_session(self._database, request.cookies.get(browsers.COOKIE))
        if interaction is None or session is None:
            return message("Start again", EXPIRED, status=400)
        asked = authorization_request(self._server.settings.issuer, interaction.query)
        client = self._server.clients[asked.payload.client_id]
        return consent_page(client, session.user, self._scope(asked), self._targets(asked))

    async def consent(self, request: Request) -> Response:
        """Accept or decline."""
        accepted = (await request.form()).get("action") == "accept"
        return await run_in_threadpool(self._consent, request, accepted)

    def _consent(self, request: Request, accepted: bool) -> Response:
        interaction = self._interaction(request)
        session = browsers.find_session(self._database, request.cookies.get(browsers.COOKIE))
        if interaction is None or session is None:
            return message("Start again", EXPIRED, status=400)
        browsers.close_interaction(self._database, interaction)
        asked = authorization_request(self._server.settings.issuer, interaction.query)
        if accepted:
            self._save_consent(asked, session)
        return self._answer(asked, session, accepted=accepted)

    def _begin(self, query: str, browser: str) -> Response:
        asked = authorization_request(self._server.settings.issuer, query)
        session = browsers.find_session(self._database, browser)
        try:
            self._server.get_consent_grant(asked, session.user if session else None)
        except OAuth2Error as error:
            return self._refuse(error)
        except ValueError:  # Authlib will not quote such a redirect_uri in its message
            text = "Its redirect_uri is not registered for this application."
            return message(UNUSABLE, text, status=400)
        if session is None or self._wants_login(asked, session):
            interaction = browsers.open_interaction(
                self._database, browser, query, self._server.clock()
            )
            return _see_other(f"/u/login?{urlencode({'state': interaction})}")
        if self._wants_consent(asked, session):
            if asked.payload.data.get("prompt") == "none":
                return self._refuse(
                    ConsentRequiredError(
                        redirect_uri=asked.payload.redirect_uri, state=asked.payload.state
                    )
                )
            interaction = browsers.open_interaction(
                self._database, browser, query, self._server.clock()
            )
            return _see_other(f"/u/consent?{urlencode({'state': interaction})}")
        return self._answer(asked, session, accepted=True)

    def _continue(self, interaction: browsers.Interaction, browser: str) -> Response:
        """After a login: the consent page, or the answer."""
        asked = authorization_request(self._server.settings.issuer, interaction.query)
        session = browsers.find_session(self._database, browser)
        if session is None:
            return message("Start again", EXPIRED, status=400)
        if self._wants_consent(asked, session):
            return _see_other(f"/u/consent?{urlencode({'state': interaction.id})}")
        browsers.close_interaction(self._database, interaction)
        return self._answer(asked, session, accepted=True)

    def _answer(
        self, asked: TenantRequest, session: browsers.BrowserSession, *, accepted: bool
    ) -> Response:
        asked.session = session
        try:
            grant = self._server.get_consent_grant(asked, session.user)
        except OAuth2Error as error:
            return self._refuse(error)
        response: Response = self._server.create_authorization_response(
            asked, grant_user=session.user if accepted else None, grant=grant
        )
        return response

    def _refuse(self, error: OAuth2Error) -> Response:
        """Back to the client if its redirect_uri is known to be its own; else a page."""
        if not error.redirect_uri:
            text = error.get_error_description() or error.error
            return message(UNUSABLE, text, status=400)
        parameters = [("iss", self._server.settings.issuer), *error.get_body()]
        separator = "&" if "?" in error.redirect_uri else "?"
        return _see_other(f"{error.redirect_uri}{separator}{urlencode(parameters)}")

    def _wants_login(self, asked: TenantRequest, session: browsers.BrowserSession) -> bool:
        data = asked.payload.data
        max_age = data.get("max_age", "")
        is_old = max_age.isdecimal() and self._server.clock() - session.auth_time > int(max_age)
        return data.get("prompt") in ("login", "select_account") or is_old

    def _wants_consent(self, asked: TenantRequest, session: browsers.BrowserSession) -> bool:
        return "consent" in asked.payload.data.get("prompt", "").split() or not (
            browsers.has_consented(self._database, session.user, *self._consent_key(asked))
        )

    def _save_consent(self, asked: TenantRequest, session: browsers.BrowserSession) -> None:
        browsers.save_consent(self._database, session.user, *self._consent_key(asked))

    def _consent_key(self, asked: TenantRequest) -> tuple[str, str, str]:
        audience = self._server.audience(asked.payload.data)
        return asked.payload.client_id, audience, self._scope(asked)

    def _scope(self, asked: TenantRequest) -> str:
        audience = self._server.audience(asked.payload.data)
        return self._server.apis.allowed_scope(audience, asked.payload.scope)

    def _interaction(self, request: Request) -> browsers.Interaction | None:
        browser = request.cookies.get(browsers.COOKIE)
        return browsers.find_interaction(
            self._database, browser, request.query_params.get("state", "")
        )

    def _targets(self, asked: TenantRequest) -> tuple[str, ...]:
        parts = urlsplit(asked.payload.redirect_uri)
        return (f"{parts.scheme}://{parts.netloc}", *self._server.settings.app_urls)


def _see_other(url: str) -> Response:
    return RedirectResponse(url, 303, headers=NO_STORE)


def _set_cookie(response: Any, browser: str) -> None:
    response.set_cookie(browsers.COOKIE, browser, httponly=True, samesite="lax", path="/")
