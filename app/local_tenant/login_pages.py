"""The login page, the page for the second step, and the consent page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from starlette.responses import HTMLResponse

from .clients import Client
from .html import alert, document
from .users import User


def login_page(
    client: Client,
    targets: Sequence[str],
    state: str,
    *,
    username: str = "",
    problem: str | None = None,
    status: int | None = None,
) -> HTMLResponse:
    """A form for e-mail address and password. The address is kept after a wrong password."""
    query = f"?state={escape(state, quote=True)}"
    body = f"""
        <h1>Welcome</h1>
        <p>Log in to continue to {escape(client.name)}.</p>
        {alert(problem)}
        <form method="post">
          <label>Email address
            <input name="username" type="email" required autocomplete="username"
              value="{escape(username, quote=True)}"></label>
          <label>Password
            <input name="password" type="password" required autocomplete="current-password"></label>
          <button data-testid="tenant-login">Continue</button>
        </form>
        <p class="after"><a href="/u/forgot-password{query}">Forgot your password?</a>
          <a href="/u/signup{query}">Sign up</a></p>"""
    status = status or (400 if problem else 200)
    return document("Log in", body, status=status, form_targets=targets)


def second_step_page(
    client: Client,
    user: User,
    targets: Sequence[str],
    *,
    problem: str | None = None,
    status: int = 200,
) -> HTMLResponse:
    """A form for the code."""
    body = f"""
        <h1>Enter your code</h1>
        <p>{escape(client.name)} asks for a second step. You are {escape(user.email)}.</p>
        {alert(problem)}
        <form method="post">
          <label>Six-digit code
            <input name="code" required inputmode="numeric" pattern="[0-9]{{6}}" maxlength="6"
              autocomplete="one-time-code" autofocus></label>
          <button data-testid="tenant-second-step">Continue</button>
        </form>"""
    return document("Enter your code", body, status=status, form_targets=targets)


def consent_page(
    client: Client, user: User, scopes: Mapping[str, str], targets: Sequence[str]
) -> HTMLResponse:
    """A list of the requested scopes, each with what it allows, to accept or decline."""
    items = "".join(_scope(name, text) for name, text in scopes.items())
    body = f"""
        <h1>Allow {escape(client.name)}?</h1>
        <p>You are {escape(user.name)} ({escape(user.email)}).
          The application asks to:</p>
        <ul class="scopes">{items}</ul>
        <form method="post" class="row">
          <button name="action" value="decline" class="quiet"
            data-testid="tenant-decline">Decline</button>
          <button name="action" value="accept" data-testid="tenant-accept">Accept</button>
        </form>"""
    return document("Allow access?", body, form_targets=targets)


def _scope(name: str, text: str) -> str:
    return f"<li>{escape(text)}<code>{escape(name)}</code></li>"
