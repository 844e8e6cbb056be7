"""The forms that a user fills in before an authorization request is answered: login, second step
and consent."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from . import browser_sessions as browsers
from .authorize import EXPIRED, Authorize
from .html import message
from .login_pages import consent_page, login_page, second_step_page
from .passwords import is_password
from .request import TenantRequest
from .response_modes import see_other
from .second_step import is_locked, pass_second_step
from .second_step import second_step_page as second_step_page_of
from .users import User, find_user, record_login

BLOCKED = "Too many wrong passwords. Wait five minutes, or start the tenant again."


class LoginForms(Authorize):
    """`/u/login`, `/u/second-step` and `/u/consent`."""

    def login_form(self, request: Request) -> Response:
        """The login page."""
        interaction = self._interaction(request)
        if interaction is None:
            return message("Start again", EXPIRED, status=400)
        return self._login_page(interaction)

    async def log_in(self, request: Request) -> Response:
        """Check the password, then continue the stored request under a new cookie."""
        form = await request.form()
        username, password = str(form.get("username", "")), str(form.get("password", ""))
        return await run_in_threadpool(self.enter, request, username, password)

    def enter(self, request: Request, username: str, password: str) -> Response:
        """Log a user in to the request that is open in this browser."""
        interaction = self._interaction(request)
        if interaction is None:
            return message("Start again", EXPIRED, status=400)
        guess = "password", username, request.client.host if request.client else ""
        if self._server.guesses.is_blocked(*guess):
            self._note(request, interaction, "limit_wc", username)
            return self._login_page(interaction, username=username, problem=BLOCKED, status=429)
        with self._database.transaction() as connection:
            user = find_user(connection, email=username)
        if user is None or not is_password(password, user.password):
            self._server.guesses.wrong(*guess)
            self._note(request, interaction, "fp" if user else "fu", username)
            problem = "Wrong email address or password."
            return self._login_page(interaction, username=username, problem=problem)
        self._server.guesses.right(*guess)
        with self._database.transaction() as connection:
            record_login(connection, user.user_id, guess[2], self._server.clock())
        self._note(request, interaction, "f" if user.blocked else "s", user.email, user)
        browsers.mark_logged_in(self._database, interaction)
        old = request.cookies[self._server.cookie]
        browser = browsers.begin_session(self._database, old, user, self._server.clock())
        response = self._continue(
            browsers.Interaction(interaction.id, interaction.query, True), browser
        )
        self._set_cookie(response, browser)
        return response

    def _login_page(
        self,
        interaction: browsers.Interaction,
        *,
        username: str | None = None,
        problem: str | None = None,
        status: int | None = None,
    ) -> Response:
        oauth_request = self._request_of(interaction)
        hint = oauth_request.payload.data.get("login_hint", "")
        return login_page(
            self._server.clients[oauth_request.payload.client_id],
            self._targets(oauth_request),
            interaction.id,
            username=hint if username is None else username,
            problem=problem,
            status=status,
        )

    def second_step_form(self, request: Request) -> Response:
        """The page for the second step."""
        interaction, session = self._interaction_and_session(request)
        if interaction is None or session is None:
            return message("Start again", EXPIRED, status=400)
        return self._second_step_page(interaction, session)

    async def second_step(self, request: Request) -> Response:
        """Check the code, then continue the stored request."""
        code = str((await request.form()).get("code", ""))
        return await run_in_threadpool(self._second_step, request, code)

    def _second_step(self, request: Request, code: str) -> Response:
        interaction, session = self._interaction_and_session(request)
        if interaction is None or session is None:
            return message("Start again", EXPIRED, status=400)
        now = self._server.clock()
        if is_locked(self._database, session.user.user_id, now):
            problem = "Too many wrong codes. Wait a quarter of an hour."
            return self._second_step_page(interaction, session, problem=problem, status=429)
        is_right = pass_second_step(self._database, session, code, now)
        outcome = "gd_auth_succeed" if is_right else "gd_auth_failed"
        self._note(request, interaction, outcome, session.user.email, session.user)
        if not is_right:
            problem = "Wrong code."
            return self._second_step_page(interaction, session, problem=problem, status=400)
        return self._continue(interaction, request.cookies[self._server.cookie])

    def _second_step_page(
        self,
        interaction: browsers.Interaction,
        session: browsers.BrowserSession,
        *,
        problem: str | None = None,
        status: int = 200,
    ) -> Response:
        oauth_request = self._request_of(interaction)
        client = self._server.clients[oauth_request.payload.client_id]
        return second_step_page(
            client, session.user, self._targets(oauth_request), problem=problem, status=status
        )

    def consent_form(self, request: Request) -> Response:
        """The consent page."""
        interaction, session = self._interaction_and_session(request)
        if interaction is None or session is None:
            return message("Start again", EXPIRED, status=400)
        oauth_request = self._request_of(interaction)
        client = self._server.clients[oauth_request.payload.client_id]
        _, audience, scope = self._consent_key(oauth_request)
        scopes = {name: self._server.apis.describe(audience, name) for name in scope.split()}
        return consent_page(client, session.user, scopes, self._targets(oauth_request))

    async def consent(self, request: Request) -> Response:
        """Accept or decline."""
        accepted = (await request.form()).get("action") == "accept"
        return await run_in_threadpool(self._consent, request, accepted)

    def _consent(self, request: Request, accepted: bool) -> Response:
        interaction, session = self._interaction_and_session(request)
        if interaction is None or session is None:
            return message("Start again", EXPIRED, status=400)
        oauth_request = self._request_of(interaction)
        parameters = oauth_request.payload.data
        page = second_step_page_of(self._database, parameters, session)
        if self._lacks_login(oauth_request, interaction, session):
            page = "/u/login"
        if page is not None:  # the form was sent without it
            return see_other(f"{page}?{urlencode({'state': interaction.id})}")
        browsers.close_interaction(self._database, interaction)
        outcome = "consent" if accepted else "noconsent"
        self._note(request, interaction, outcome, self._scope(oauth_request), session.user)
        if accepted:
            self._save_consent(oauth_request, session)
        return self._answer(oauth_request, session, accepted=accepted)

    def _save_consent(self, oauth_request: TenantRequest, session: browsers.BrowserSession) -> None:
        browsers.save_consent(self._database, session.user, *self._consent_key(oauth_request))

    def _note(
        self,
        request: Request,
        interaction: browsers.Interaction,
        outcome: str,
        description: str,
        user: User | None = None,
    ) -> None:
        """Add to the tenant's log."""
        self._server.log.record(
            outcome,
            description,
            user_id=user.user_id if user else None,
            client_id=self._request_of(interaction).payload.client_id,
            ip=request.client.host if request.client else None,
        )
