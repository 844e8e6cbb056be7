"""The cookie: what is set, and what is made of anything a client may send."""

from __future__ import annotations

import pytest

from app.auth.session import SessionCookie, strip

SESSION_ID = "i" * 43
COOKIE = SessionCookie(False, "auth_session")


def test_attributes() -> None:
    """The cookie is out of a script's reach and is not sent along from other sites."""
    text = COOKIE.set(SESSION_ID, 60)
    assert text == f"auth_session={SESSION_ID}; Max-Age=60; Path=/; HttpOnly; SameSite=Lax"


def test_browser_session() -> None:
    """Without an age, the browser keeps it until it is closed."""
    text = COOKIE.set(SESSION_ID, None)
    assert text == f"auth_session={SESSION_ID}; Path=/; HttpOnly; SameSite=Lax"


def test_https_attributes() -> None:
    """On https it is Secure and bound to the host by its prefix."""
    text = SessionCookie(True, "auth_session").set(SESSION_ID, 60)
    assert text.startswith("__Host-auth_session=")
    assert text.endswith("; Secure")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"auth_session={SESSION_ID}", SESSION_ID),
        (f"theme=dark; auth_session={SESSION_ID}; other=1", SESSION_ID),
        (f"auth_session={SESSION_ID}; auth_session={SESSION_ID}", SESSION_ID),
        (f"auth_session={SESSION_ID}; auth_session={'j' * 43}", None),
        (f"auth_session={SESSION_ID}x", None),
        (f'auth_session="{SESSION_ID}"', None),
        (f"auth_sessionx={SESSION_ID}", None),
        ("auth_session=", None),
        ("auth_session", None),
        (";;==;\x00\xff", None),
        (f"pad={'x' * 20_000}; auth_session={SESSION_ID}", None),
        ("", None),
        (None, None),
    ],
)
def test_read(header: str | None, expected: str | None) -> None:
    """Only one well-formed session id is taken; garbage, oversized and planted cookies are not."""
    assert COOKIE.read(header) == expected


def test_strip() -> None:
    """Our cookies are taken out wherever they stand and the rest is left as it was."""
    header = f'auth_session={SESSION_ID}; theme="dark"; auth_login=1;a=b=c; auth_session=2'
    assert strip(header, {"auth_session", "auth_login"}) == 'theme="dark"; a=b=c'
    assert strip(f"auth_session={SESSION_ID}", {"auth_session"}) is None
