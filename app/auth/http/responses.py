"""The responses of the routes: JSON, log lines of errors, and the few documents that the backend
renders itself. All other pages are the app's."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Mapping
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from ..errors import ERROR_ID, AuthError, AuthorizationError
from ..flows.logout import LogoutOptions
from ..flows.refusals import Refusal
from ..texts import AuthTexts
from ..texts.english import PROBLEMS
from ..well_formed import well_formed_json
from .login_hints import hint_about

logger = logging.getLogger(__name__)

NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}

# The documents have an inline style, and no script but that of the popup.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
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
form { margin: 0; } small { display: block; margin-top: 1.25rem; opacity: .75; }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: 1rem; }
button { border: 0; border-radius: .6rem; padding: .6rem 1.1rem; cursor: pointer; color: #fff;
  background: #4f46e5; }
"""


# A browser lets a script close a window that a script has opened. In any other window, and without
# scripts, the link is shown.
_CLOSE = """
const [link, button] = document.querySelectorAll(".actions > *");
const end = () => {
  window.close();
  setTimeout(() => { link.hidden = false; button.hidden = true; }, 500);
};
button.addEventListener("click", end);
button.hidden = false;
link.hidden = true;
if (document.querySelector("[data-is-done]")) end();
"""
_CLOSE_HASH = base64.b64encode(hashlib.sha256(_CLOSE.encode()).digest()).decode()
_POPUP_POLICY = f"{_POLICY}; script-src 'sha256-{_CLOSE_HASH}'"  # CSP 3 section 2.3.1


class Documents:
    """The documents, in the language of the browser. `home` is the URL of the start page, and
    `logout_path` the path of the logout route."""

    def __init__(self, home: str, logout_path: str, texts: AuthTexts) -> None:
        self._home = home
        self._logout_path = logout_path
        self._texts = texts

    def logout_question(
        self, request: Request, options: LogoutOptions, *, status: int = 200
    ) -> HTMLResponse:
        """The page that asks for confirmation. Its form posts the options to `/auth/logout`."""
        actions = self._logout_form(request, "log_out", options) + self._link(request, "stay")
        key = "logout_local" if options.is_local else "logout"
        return self._document(request, key, actions, status=status, title="logout_title")

    def popup(
        self,
        request: Request,
        code: str | None,
        error_id: str,
        url: str,
        refusal: Refusal | None = None,
    ) -> HTMLResponse:
        """The last page of a popup. Without a `code` it closes the window. Else it says what went
        wrong, and has a button that closes it. `url` is the page for a window that stays open,
        `refusal` has the sentence about a refused login.

        Of `code` and `error_id`, which are in the page's URL, only a known code and a well-formed
        id have an effect.
        """
        key = "popup" if code is None else code if f"{code}_title" in PROBLEMS else "login_failed"
        reason = said = ""
        if refusal is not None and refusal.is_of_provider:
            says = self._text(request, "provider_says")
            said = f'<p>{says} <q dir="auto">{escape(refusal.reason)}</q></p>'
        elif refusal is not None:
            key, reason = "login_refused", refusal.reason
        link = f'<a href="{escape(url)}">{self._text(request, "go_on")}</a>'
        button = f"<button hidden>{self._text(request, 'close_window')}</button>"
        note = "<span data-is-done></span>" if code is None else self._reference(request, error_id)
        script = f"<script>{_CLOSE}</script>"
        response = self._document(
            request,
            key,
            link + button,
            status=200,
            said=said,
            more=note + script,
            reason=reason,
        )
        response.headers["Content-Security-Policy"] = _POPUP_POLICY
        return response

    def _reference(self, request: Request, error_id: str) -> str:
        if not ERROR_ID.fullmatch(error_id):
            return ""
        return f"<small>{self._text(request, 'reference')} <code>{error_id}</code></small>"

    def not_found(self, request: Request) -> HTMLResponse:
        """The answer to an unknown path below `/auth/`."""
        return self._document(request, "not_found", self._link(request), status=404)

    def try_again_later(self, request: Request, options: LogoutOptions) -> HTMLResponse:
        """The answer when logout fails because of the store. Session and cookie are kept."""
        actions = self._logout_form(request, "try_again", options) + self._link(request)
        return self._document(request, "logout_failed", actions, status=503, retry_after=5)

    def logged_out(self, request: Request, url: str, error_id: str) -> HTMLResponse:
        """The answer to a logout whose hook failed: the session has ended. `url` is where the
        logout goes on."""
        link = f'<a href="{escape(url)}">{self._text(request, "finish_logout")}</a>'
        return self._document(request, "logged_out", link, status=500, error_id=error_id)

    def too_many(self, request: Request, seconds: int) -> HTMLResponse:
        """The answer to a client that exceeds a rate limit (RFC 6585 section 4)."""
        link = self._link(request)
        return self._document(request, "too_many", link, status=429, retry_after=seconds)

    def _text(self, request: Request, key: str) -> str:
        return escape(self._texts.text(key, self._language(request)))

    def _language(self, request: Request) -> str:
        return self._texts.choose(request.headers.get("accept-language"))

    def _link(self, request: Request, key: str = "start_page") -> str:
        return f'<a href="{escape(self._home)}">{self._text(request, key)}</a>'

    def _logout_form(self, request: Request, key: str, options: LogoutOptions) -> str:
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{escape(value)}">'
            for name, value in options.fields().items()
        )
        button = f"<button>{self._text(request, key)}</button>"
        return f'<form method="post" action="{escape(self._logout_path)}">{fields}{button}</form>'

    def _document(
        self,
        request: Request,
        key: str,
        actions: str,
        *,
        status: int,
        retry_after: int | None = None,
        said: str = "",
        more: str = "",
        title: str | None = None,
        error_id: str = "",
        reason: str = "",
    ) -> HTMLResponse:
        title = self._text(request, title or f"{key}_title")
        text = escape(reason) or self._text(request, key)
        text = text.replace("{seconds}", str(retry_after)).replace("{error_id}", error_id)
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return HTMLResponse(
            f'<!doctype html><html lang="{escape(self._language(request))}">'
            f'<meta charset="utf-8"><title>{title}</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<style>{_STYLE}</style>"
            f"<main><h1>{title}</h1><p>{text}</p>{said}"
            f'<div class="actions">{actions}</div>{more}</main></html>',
            status_code=status,
            headers={**_HEADERS, **headers},
        )


def json_response(
    status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON response that no cache may store."""
    return JSONResponse(well_formed_json(body), status, headers={**NO_STORE, **(headers or {})})


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
    if isinstance(error, AuthorizationError) and (hint := hint_about(error)):
        logger.warning("[%s] %s", error.error_id, hint)


def _printable(text: str | None) -> str | None:
    """Shorten a provider's text for the log. (`%r` escapes control characters.)"""
    return text[:200] if text else None
