"""The account pages: sign up, forgotten password, new password, verified address, enrolment."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from .. import second_step, tickets
from ..authorize import EXPIRED
from ..html import message
from ..login_forms import LoginForms
from ..server import NO_STORE, TenantServer
from ..totp import enrolment_uri
from ..users import User, find_user
from . import forms
from .creation import TOO_MANY, SignUpError, change_password, send_reset, sign_up, verify_email

_USED = "This link has been used or has expired."
Handler = Callable[[Request, dict[str, str]], Response]


class AccountPages:
    """Pages that belong to an open login (by `state`), and pages that a mail leads to (by
    `ticket`). Nobody can guess either, so that no other site can send their forms."""

    def __init__(self, server: TenantServer, authorize: LoginForms) -> None:
        self._server = server
        self._authorize = authorize

    def routes(self) -> list[Route]:
        """The pages, each with its form."""
        pages: dict[str, tuple[Handler, Handler]] = {
            "/u/signup": (self._sign_up_form, self._sign_up),
            "/u/forgot-password": (self._request_form, self._request),
            f"/u/{tickets.NEW_PASSWORD}": (self._password_form, self._change_password),
            f"/u/{tickets.VERIFICATION}": (self._verification_form, self._verify),
            "/u/mfa-enrollment": (self._enrolment_form, self._enrol),
        }
        return [
            route
            for path, (show, send) in pages.items()
            for route in (
                Route(path, _shown(show), methods=["GET"]),
                Route(path, _sent(send), methods=["POST"]),
            )
        ]

    def _sign_up_form(self, request: Request, form: dict[str, str]) -> Response:
        return self._sign_up_page(request)

    def _sign_up(self, request: Request, form: dict[str, str]) -> Response:
        opened = self._authorize.opened(request)
        if opened is None:
            return _expired()
        email, password = form.get("email", ""), form.get("password", "")
        try:
            ip = request.client.host if request.client else ""
            sign_up(self._server, email, password, client_id=opened.client.client_id, ip=ip)
        except SignUpError as problem:
            status = 429 if problem.code == TOO_MANY else 400
            return self._sign_up_page(request, email=email, problem=str(problem), status=status)
        return self._authorize.enter(request, email, password)

    def _sign_up_page(
        self, request: Request, *, email: str = "", problem: str = "", status: int = 200
    ) -> Response:
        opened = self._authorize.opened(request)
        if opened is None:
            return _expired()
        state = request.query_params.get("state", "")
        return forms.sign_up_page(
            *(opened.client, state, opened.targets), email=email, problem=problem, status=status
        )

    def _request_form(self, request: Request, form: dict[str, str]) -> Response:
        if self._authorize.opened(request) is None:
            return _expired()
        return forms.request_page(request.query_params.get("state", ""))

    def _request(self, request: Request, form: dict[str, str]) -> Response:
        if self._authorize.opened(request) is None:
            return _expired()
        with self._server.database.transaction() as database:
            user = find_user(database, email=form.get("email", ""))
        if user is not None:
            send_reset(self._server, user)
        return forms.request_page(request.query_params.get("state", ""), sent=True)

    def _password_form(self, request: Request, form: dict[str, str]) -> Response:
        _, user, result_url = self._ticket(request, tickets.NEW_PASSWORD)
        targets = _targets(result_url)
        return _used() if user is None else forms.new_password_page(user.email, targets)

    def _change_password(self, request: Request, form: dict[str, str]) -> Response:
        value, user, result_url = self._ticket(request, tickets.NEW_PASSWORD)
        if user is None:
            return _used()
        try:
            change_password(self._server, user.user_id, form.get("password", ""))
        except SignUpError as problem:
            targets = _targets(result_url)
            return forms.new_password_page(user.email, targets, problem=str(problem))
        tickets.use_ticket(self._server.database, value)
        return _done("Password changed", "Log in with your new password.", result_url)

    def _verification_form(self, request: Request, form: dict[str, str]) -> Response:
        _, user, result_url = self._ticket(request, tickets.VERIFICATION)
        targets = _targets(result_url)
        return _used() if user is None else forms.verification_page(user.email, targets)

    def _verify(self, request: Request, form: dict[str, str]) -> Response:
        value, user, result_url = self._ticket(request, tickets.VERIFICATION)
        if user is None or not tickets.use_ticket(self._server.database, value):
            return _used()
        verify_email(self._server, user.user_id)
        return _done("Address verified", f"{user.email} is verified.", result_url)

    def _enrolment_form(self, request: Request, form: dict[str, str]) -> Response:
        return self._enrolment_page(request)

    def _enrol(self, request: Request, form: dict[str, str]) -> Response:
        opened = self._authorize.opened(request)
        if opened is None or opened.session is None:
            return _expired()
        server, code = self._server, form.get("code", "")
        if not second_step.enrol(server.database, opened.session, code, server.clock()):
            server.log.record("gd_auth_failed", user_id=opened.session.user.user_id)
            return self._enrolment_page(request, problem="Wrong code.")
        server.log.record("gd_enrollment_complete", user_id=opened.session.user.user_id)
        return self._authorize.proceed(request)

    def _enrolment_page(self, request: Request, *, problem: str = "") -> Response:
        opened = self._authorize.opened(request)
        if opened is None or opened.session is None:
            return _expired()
        secret = second_step.offered_secret(self._server.database, opened.session)
        if secret is None:  # the user has a second step already
            return self._authorize.proceed(request)
        name = f"Local tenant {self._server.settings.port}"
        uri = enrolment_uri(secret, opened.session.user.email, name)
        return forms.enrolment_page(opened.client, secret, uri, opened.targets, problem=problem)

    def _ticket(self, request: Request, kind: str) -> tuple[str, User | None, str | None]:
        value = request.query_params.get("ticket", "")
        ticket = tickets.find_ticket(self._server.database, kind, value, self._server.clock())
        if ticket is None:
            return value, None, None
        with self._server.database.transaction() as database:
            return value, find_user(database, user_id=ticket.user_id), ticket.result_url


def _shown(handle: Handler) -> Callable[[Request], Response]:
    return lambda request: handle(request, {})


def _sent(handle: Handler) -> Callable[[Request], object]:
    async def sent(request: Request) -> Response:
        items = (await request.form()).items()
        form = {name: value for name, value in items if isinstance(value, str)}
        return await run_in_threadpool(handle, request, form)

    return sent


def _expired() -> Response:
    return message("Start again", EXPIRED, status=400)


def _used() -> Response:
    return message("This link is no longer good", _USED, status=400)


def _targets(result_url: str | None) -> tuple[str, ...]:
    """The origin that a form's redirect leads to, for the policy of its page."""
    parts = urlsplit(result_url or "")
    return (f"{parts.scheme}://{parts.netloc}",) if parts.netloc else ()


def _done(title: str, text: str, result_url: str | None) -> Response:
    # An application's own page, which the ticket names: an administrator created it.
    if result_url and urlsplit(result_url).scheme in ("http", "https"):
        return RedirectResponse(result_url, 303, headers=NO_STORE)
    return message(title, text, status=200)
