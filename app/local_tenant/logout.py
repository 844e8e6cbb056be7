"""Logging out at the tenant: OpenID Connect RP-Initiated Logout 1.0, and Auth0's `/v2/logout`."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from . import browser_sessions as browsers
from .html import document, message
from .server import NO_STORE, TenantServer

QUESTION = """
    <h1>Log out?</h1><p>You will be logged out of this tenant.</p>
    <form method="post" action="/u/logout">
      <button data-testid="tenant-logout">Log out</button></form>
"""


class Logout:
    """`/oidc/logout`, `/v2/logout`, and the page that asks for confirmation."""

    def __init__(self, server: TenantServer) -> None:
        self._server = server

    async def oidc(self, request: Request) -> Response:
        """Section 2, by GET or POST."""
        parameters = dict(request.query_params)
        if request.method == "POST":
            form = await request.form()
            parameters |= {name: str(value) for name, value in form.items()}
        return await run_in_threadpool(self._oidc, request, parameters)

    def _oidc(self, request: Request, parameters: Mapping[str, str]) -> Response:
        client_id, sid = self._hint(parameters)
        target = parameters.get("post_logout_redirect_uri")
        if target is not None and not self._is_registered(client_id, target):
            return _not_registered("post_logout_redirect_uri")
        session = self._server.session_of(request.cookies.get(self._server.cookie))
        if session is not None and session.sid != sid:
            return document("Log out?", QUESTION)
        if session is not None:
            browsers.end_session(self._server.database, session.sid)
            self._server.log.record("slo", session.user.email, user_id=session.user.user_id)
        state = parameters.get("state")
        if target is None or not state:
            return _redirect(target)
        separator = "&" if "?" in target else "?"
        return _redirect(f"{target}{separator}{urlencode({'state': state})}")

    def auth0(self, request: Request) -> Response:
        """Auth0's own endpoint, which asks for no confirmation."""
        client_id = request.query_params.get("client_id", "")
        target = request.query_params.get("returnTo")
        if target is not None and not self._is_registered(client_id, target):
            return _not_registered("returnTo")
        self._end(request)
        return _redirect(target)

    def confirmed(self, request: Request) -> Response:
        """The confirmed logout. The SameSite cookie keeps other sites from confirming it."""
        self._end(request)
        return _redirect(None)

    def _end(self, request: Request) -> None:
        session = self._server.session_of(request.cookies.get(self._server.cookie))
        if session is not None:
            browsers.end_session(self._server.database, session.sid)
            self._server.log.record("slo", session.user.email, user_id=session.user.user_id)

    def _hint(self, parameters: Mapping[str, str]) -> tuple[str, str]:
        """The client id and the `sid` of the request. An expired ID token is accepted as a hint."""
        client_id = parameters.get("client_id", "")
        claims = self._server.signer.claims(parameters.get("id_token_hint", ""))
        if claims is None:
            return client_id, parameters.get("logout_hint", "")
        return client_id or str(claims.get("aud")), str(claims.get("sid"))

    def _is_registered(self, client_id: str, target: str) -> bool:
        client = self._server.query_client(client_id)
        return client is not None and target in client.post_logout_redirect_uris


def _not_registered(parameter: str) -> Response:
    text = f"Its {parameter} is not registered for this application. You are still logged in."
    return message("This logout request cannot be used", text, status=400)


def _redirect(target: str | None) -> Response:
    if target is None:
        return message("You are logged out", "You can close this page.", status=200)
    return RedirectResponse(target, 303, headers=NO_STORE)
