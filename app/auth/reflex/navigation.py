"""Navigation from the single-page app to the auth layer's routes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import reflex as rx
from reflex.config import get_config
from reflex.event import EventSpec

LoginUrl = Callable[..., str]


class DocumentForm(rx.el.Div):  # type: ignore[misc]  # loaded lazily
    """A plain `<form>`, which navigates the document when it is submitted. Reflex's own form sends
    an event instead."""

    tag = "form"

    action: rx.Var[str]
    method: rx.Var[str]


def current_path(state: rx.State) -> str:
    """The path and query of the page a tab is on, as the browser reports them, to return to."""
    return path_of(state.router.url)


def path_of(url: Any) -> str:
    """Return path and query of `router.url`, the path as the app names it: without `frontend_path`,
    and without the slash that file servers add at its end. A computed variable must read
    `router.url` in its own body: Reflex finds its dependencies there."""
    path = url.path.removeprefix(get_config().prepend_frontend_path("/").rstrip("/"))
    path = path.rstrip("/") or "/"
    return path + (f"?{url.query}" if url.query else "")


def go_to_login(state: Any, login_url: LoginUrl, **parameters: str) -> EventSpec:
    """Send the browser to the login, with these parameters, and back to the page it is on.

    This is a document navigation: on one origin, `rx.redirect` would look for a page of the app.
    """
    url = login_url(current_path(state), **parameters)
    # The event lets kept-forms.js keep what was typed into the page.
    return _call(
        "(url => { window.dispatchEvent(new Event('auth-leave'));"
        " window.location.assign(globalThis.reflexOidc?.withHash(url) ?? url); })",
        url,
    )


def log_in_silently(state: Any, login_url: LoginUrl) -> EventSpec:
    """Let the script send the browser to a silent login and back to the page it is on, unless it
    has done so before in this tab."""
    return _call(
        "globalThis.reflexOidc?.silentLogin", login_url(current_path(state), prompt="none")
    )


def _call(function: str, url: str) -> EventSpec:
    # JSON is also a JavaScript literal, so the path cannot break out of the script.
    return rx.call_script(f"{function}({json.dumps(url)})")
