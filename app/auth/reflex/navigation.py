"""Leaving the single-page app for the auth layer's routes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import reflex as rx
from reflex.event import EventSpec

LoginUrl = Callable[..., str]


class DocumentForm(rx.el.Div):  # type: ignore[misc]  # loaded lazily
    """A plain `<form>`: submitting it is a document navigation. Reflex's own form stays on the
    page."""

    tag = "form"

    action: rx.Var[str]
    method: rx.Var[str]


def current_path(state: rx.State) -> str:
    """The path and query of the page a tab is on, as the browser says."""
    return path_of(state.router.url)


def path_of(url: Any) -> str:
    """Path and query of `router.url`. A computed variable has to take that from `self` in its own
    body, or Reflex does not see that it depends on it."""
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def go_to_login(state: Any, login_url: LoginUrl, **parameters: str) -> EventSpec:
    """Send the browser to the login, with these parameters, and back to the page it is on.

    A document navigation: on one origin, `rx.redirect` would look for a page of the app.
    """
    url = login_url(current_path(state), **parameters)
    return rx.call_script(f"window.location.assign({json.dumps(url)})")
