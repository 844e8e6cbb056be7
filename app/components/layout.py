"""The layout of every page: a header with navigation, login and logout, and the content."""

from __future__ import annotations

import reflex as rx

from app.auth import AuthState
from app.auth_service import auth

from ..config import HAS_EXTERNAL_API


def layout(*children: rx.Component) -> rx.Component:
    """A page: the header, the error of `AuthState` if there is one, the content, the inspector."""
    return rx.fragment(
        rx.el.header(
            rx.el.nav(
                rx.el.a("Call an API", href="/", class_name="brand"),
                rx.el.div(
                    external_link() if HAS_EXTERNAL_API else rx.fragment(),
                    rx.cond(AuthState.is_authenticated, signed_in(), signed_out()),
                    class_name="actions",
                ),
                class_name="bar",
            ),
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
        rx.el.main(*children, auth.request_inspector()),
        auth.expiry_warning(),
    )


def external_link() -> rx.Component:
    return rx.el.a("External API", href="/external", class_name="link")


def signed_in() -> rx.Component:
    return rx.fragment(
        rx.el.a("Profile", href="/profile", class_name="link"),
        rx.el.a("Account", href="/account", class_name="link"),
        logout_button(),
    )


def signed_out() -> rx.Component:
    """Show nothing until it is known whether a user is signed in: no button flickers."""
    return rx.cond(
        AuthState.is_loading, rx.fragment(), auth.login_link("Log in", class_name="button")
    )


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
