"""The layout of every page: a header with navigation, login and logout, and the content."""

from __future__ import annotations

from pathlib import Path

import reflex as rx

from app.auth import AuthState
from app.auth_service import auth

from ..config import HAS_EXTERNAL_API


def layout(*children: rx.Component, here: str = "") -> rx.Component:
    """A page: the header, the error of `AuthState` if there is one, the content, the inspector.
    `here` is the path of the page, which the navigation marks."""
    return rx.fragment(
        rx.el.header(
            rx.el.a("Skip to the content", href="#content", class_name="skip"),
            rx.el.nav(
                rx.el.a("Call an API", href="/", class_name="brand", **_current(here, "/")),
                rx.el.div(
                    nav_link("External API", "/external", here)
                    if HAS_EXTERNAL_API
                    else rx.fragment(),
                    rx.cond(AuthState.is_authenticated, signed_in(here), signed_out()),
                    class_name="actions",
                ),
                theme_switch(),
                class_name="bar",
                aria_label="Pages",
            ),
            class_name="top",
        ),
        rx.cond(
            AuthState.error != "",
            rx.el.p(
                AuthState.error,
                class_name="banner",
                role="alert",
                custom_attrs={"data-testid": "auth-error"},
            ),
        ),
        rx.el.main(
            rx.el.div(*children, id="content", tab_index=-1, class_name="content"),
            auth.request_inspector(),
        ),
        auth.expiry_warning(),
    )


def head_script() -> rx.Component:
    """The app's script, in the head of every page, so that the theme is set before the first
    paint."""
    code = (Path(__file__).parent / "page.js").read_text()
    return rx.el.script(code)


def nav_link(text: str, path: str, here: str) -> rx.Component:
    return rx.el.a(text, href=path, class_name="nav", **_current(here, path))


def _current(here: str, path: str) -> dict[str, dict[str, str]]:
    return {"custom_attrs": {"aria-current": "page"}} if here == path else {}


def signed_in(here: str = "") -> rx.Component:
    return rx.fragment(
        nav_link("Profile", "/profile", here),
        nav_link("Account", "/account", here),
        logout_button(),
    )


def signed_out() -> rx.Component:
    """Show nothing until it is known whether a user is signed in: no button flickers."""
    return rx.cond(
        AuthState.is_loading, rx.fragment(), auth.login_link("Log in", class_name="button")
    )


def theme_switch() -> rx.Component:
    """Between light and dark. Reflex remembers it; until it is used, the system decides."""
    return rx.el.button(
        rx.el.span("◐", aria_hidden=True),
        type="button",
        class_name="button quiet icon",
        aria_label="Change between light and dark",
        title="Light or dark",
        on_click=rx.toggle_color_mode,
        custom_attrs={"data-testid": "theme"},
    )


def connection_lost(is_stateful: bool = True) -> rx.Component:
    """Shown while the websocket is away. The page stays as it is, with what is typed into it. It
    stands in place of Reflex's own overlay, so that one of them tells and not both."""
    note = rx.el.p(
        "Connection lost. Reconnecting… What you have typed stays.",
        class_name="banner offline",
        role="status",
    )
    return rx.fragment(rx.connection_banner(note)) if is_stateful else rx.fragment()


def logout_button() -> rx.Component:
    """A form that posts. A link could be followed by accident, or from another site."""
    return auth.logout_form(
        rx.el.button(
            "Log out",
            type="submit",
            class_name="button quiet",
            custom_attrs={"data-testid": "logout"},
        ),
    )
