"""The responses of the routes: JSON, log lines of errors, and the few documents that the backend
renders itself. All other pages are the app's."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from html import escape

from starlette.responses import HTMLResponse, JSONResponse, Response

from ..errors import AuthError

logger = logging.getLogger(__name__)

NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}

# The documents have an inline style, and no script.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  box-sizing: border-box; font: 1rem/1.5 system-ui, sans-serif;
  background: light-dark(#f6f7fb, #0f1220); color: light-dark(#1d2333, #e8eaf4); }
main { max-width: 26rem; width: 100%; box-sizing: border-box; padding: 2rem; border-radius: 1rem;
  background: light-dark(#fff, #181c2e); border: 1px solid light-dark(#e2e5f0, #2a3050); }
h1 { margin: 0 0 .5rem; font-size: 1.35rem; } p { margin: 0 0 1.25rem; }
button, a { font: inherit; } a { color: light-dark(#4f46e5, #a5b0ff); }
button + a { margin-left: 1rem; }
button { border: 0; border-radius: .6rem; padding: .6rem 1.1rem; cursor: pointer; color: #fff;
  background: #4f46e5; }
"""


def logout_question(home: str, *, status: int = 200) -> HTMLResponse:
    """The page that asks for confirmation. Its form posts to `/auth/logout`."""
    return _document(
        "Log out?",
        "You will be logged out of this app and at the login provider.",
        '<form method="post" action="/auth/logout"><button>Log out</button>'
        f'<a href="{escape(home, quote=True)}">Stay logged in</a></form>',
        status=status,
    )


def not_found(home: str) -> HTMLResponse:
    """The answer to an unknown path below `/auth/`."""
    return _document(
        "There is nothing here",
        "This address belongs to no page of this app.",
        f'<a href="{escape(home, quote=True)}">Go to the start page</a>',
        status=404,
    )


def try_again_later(home: str) -> HTMLResponse:
    """The answer when logout fails because of the store. Session and cookie are kept."""
    return _document(
        "Not just now",
        "You are still logged in: the app cannot reach its session store. Try again in a moment.",
        '<form method="post" action="/auth/logout"><button>Try again</button>'
        f'<a href="{escape(home, quote=True)}">Go to the start page</a></form>',
        status=503,
        headers={"Retry-After": "5"},
    )


def too_many(home: str, seconds: int) -> HTMLResponse:
    """The answer to a client that exceeds a rate limit (RFC 6585 section 4)."""
    return _document(
        "Too many attempts",
        f"There were too many logins from your network. Try again in {seconds} seconds.",
        f'<a href="{escape(home, quote=True)}">Go to the start page</a>',
        status=429,
        headers={"Retry-After": str(seconds)},
    )


def _document(
    title: str, text: str, actions: str, *, status: int, headers: dict[str, str] | None = None
) -> HTMLResponse:
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style>"
        f"<main><h1>{escape(title)}</h1><p>{escape(text)}</p>{actions}</main></html>",
        status_code=status,
        headers={**_HEADERS, **(headers or {})},
    )


def json_response(
    status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON response that no cache may store."""
    return JSONResponse(body, status, headers={**NO_STORE, **(headers or {})})


def log_error(error: AuthError) -> None:
    """Log an error with its id, which the response shows, and the provider's own error."""
    logger.warning(
        "[%s] %s: %s (provider: error=%r description=%r)",
        error.error_id,
        error.code,
        error,
        _printable(error.error),
        _printable(error.error_description),
    )


def _printable(text: str | None) -> str | None:
    """Shorten a provider's text for the log. (`%r` escapes control characters.)"""
    return text[:200] if text else None
