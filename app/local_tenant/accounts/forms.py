"""The forms of the account pages."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from starlette.responses import HTMLResponse

from ..clients import Client
from ..html import alert, document
from ..passwords import SHORTEST

_PASSWORD = f"""
    <label>{{label}}
      <input name="password" type="password" required minlength="{SHORTEST}"
        autocomplete="new-password"></label>"""


def sign_up_page(
    client: Client,
    state: str,
    targets: Sequence[str],
    *,
    email: str = "",
    problem: str = "",
    status: int = 200,
) -> HTMLResponse:
    """A form for e-mail address and password."""
    body = f"""
        <h1>Sign up</h1>
        <p>Sign up to continue to {escape(client.name)}.</p>
        {alert(problem)}
        <form method="post">
          <label>Email address
            <input name="email" type="email" required autocomplete="username"
              value="{escape(email, quote=True)}"></label>
          {_PASSWORD.format(label="Password")}
          <button data-testid="tenant-sign-up">Continue</button>
        </form>
        <p class="after">Already have an account?
          <a href="/u/login?state={escape(state, quote=True)}">Log in</a></p>"""
    return document("Sign up", body, status=status, form_targets=targets)


def request_page(state: str, *, sent: bool = False) -> HTMLResponse:
    """A form for the e-mail address whose password is forgotten."""
    back = f'<p class="after"><a href="/u/login?state={escape(state, quote=True)}">Back</a></p>'
    note = (
        '<p role="status">If there is such an account, a link is in the '
        '<a href="/dashboard/mailbox">mailbox</a>, since this tenant sends no e-mail.</p>'
    )
    form = """
        <p>Enter your address, and you get a link to choose a new password.</p>
        <form method="post">
          <label>Email address
            <input name="email" type="email" required autocomplete="username"></label>
          <button data-testid="tenant-request-password">Continue</button>
        </form>"""
    body = f"<h1>Forgot your password?</h1>{note if sent else form}{back}"
    return document("Forgot your password?", body)


def new_password_page(email: str, targets: Sequence[str], *, problem: str = "") -> HTMLResponse:
    """A form for a new password."""
    body = f"""
        <h1>Choose a new password</h1>
        <p>For {escape(email)}.</p>
        {alert(problem)}
        <form method="post">
          {_PASSWORD.format(label="New password")}
          <button data-testid="tenant-new-password">Change password</button>
        </form>"""
    status = 400 if problem else 200
    return document("Choose a new password", body, status=status, form_targets=targets)


def verification_page(email: str, targets: Sequence[str]) -> HTMLResponse:
    """A button that verifies an address."""
    body = f"""
        <h1>Verify your address</h1>
        <p>Is {escape(email)} your address?</p>
        <form method="post"><button data-testid="tenant-verify">Verify</button></form>"""
    return document("Verify your address", body, form_targets=targets)


def enrolment_page(
    client: Client, secret: str, uri: str, targets: Sequence[str], *, problem: str = ""
) -> HTMLResponse:
    """The secret for an authenticator app, and a form for its first code."""
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    body = f"""
        <h1>Secure your account</h1>
        <p>{escape(client.name)} needs a second step. Enter this key in an authenticator app, or
          <a href="{escape(uri, quote=True)}">open one on this device</a>.</p>
        <p class="secret"><code data-testid="totp-secret">{escape(groups)}</code></p>
        <details><summary>Address for the app</summary>
          <p><code data-testid="totp-uri">{escape(uri)}</code></p></details>
        {alert(problem)}
        <form method="post">
          <label>Six-digit code
            <input name="code" required inputmode="numeric" pattern="[0-9]{{6}}" maxlength="6"
              autocomplete="one-time-code"></label>
          <button data-testid="tenant-enrol">Continue</button>
        </form>"""
    status = 400 if problem else 200
    return document("Secure your account", body, status=status, form_targets=targets)
