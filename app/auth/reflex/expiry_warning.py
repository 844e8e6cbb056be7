"""The bar that says, a minute before, that the session ends."""

from __future__ import annotations

from typing import Any

import reflex as rx

from .pages import Views
from .state import AuthState


class ExpiryElement(rx.el.Div):  # type: ignore[misc]  # loaded lazily
    """The custom element `<auth-expiry>` of `reflex-oidc.js`, which has the timer."""

    tag = "AuthExpiry"  # Reflex makes a JavaScript name of it, which cannot have a hyphen
    alias = "auth-expiry"


def expiry_warning(views: Views, session_url: str, **props: Any) -> rx.Component:
    """Return the bar. `session_url` is the route that says when the session ends.

    The script shows it, and writes the text into the paragraph; a screen reader then reads it out.
    """
    attributes = {
        "data-expires-at": AuthState.expires_at,
        "data-session-url": session_url,
        "data-text": views.text("expires"),
    }
    bar = expiry_bar(views, **props)
    element = ExpiryElement.create(bar, lang=AuthState.language, custom_attrs=attributes)
    return rx.cond(AuthState.is_authenticated, element)


def expiry_bar(views: Views, text: str | rx.Var[str] = "", **props: Any) -> rx.Component:
    """Return the bar alone, without the element that has the timer and hides it."""
    again: Any = AuthState.refresh
    stay: Any = AuthState.stay_signed_in
    props.setdefault("class_name", "auth-expiry-bar")
    # With a name, it is a landmark: a screen reader can go to it.
    props.setdefault("aria_label", views.text("session"))
    return rx.el.section(
        rx.el.p(text, role="status", custom_attrs={"data-testid": "expiry-text"}),
        rx.el.button(
            views.text("stay"),
            type="button",
            on_click=stay,
            class_name="auth-button auth-stay",
            custom_attrs={"data-testid": "stay-signed-in"},
        ),
        views.login_link(
            views.text("log_in_again"),
            class_name="auth-button auth-again",
            custom_attrs={"data-testid": "log-in-again"},
        ),
        # The script clicks it when the session has ended: the tab then follows at once.
        rx.el.button(hidden=True, type="button", on_click=again, class_name="auth-over"),
        **props,
    )
