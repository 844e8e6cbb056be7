"""Home: what the app does, and the link to log in."""

from __future__ import annotations

import reflex as rx

from app.auth import AuthState
from app.auth_service import auth

from ..components.layout import layout
from ..config import IS_LOCAL_TENANT, config


@auth.public
def home() -> rx.Component:
    return layout(
        rx.el.section(
            rx.el.h1("Call an API, with tokens that never leave the server"),
            rx.el.p(
                "Log in, and this app calls an API for you. An interceptor on the server attaches "
                "the access token to the requests on its list, and to no others.",
                class_name="lead",
            ),
            rx.cond(AuthState.is_authenticated, greeting(), login_link()),
            class_name="hero",
        ),
        rx.el.section(*steps(), class_name="steps"),
        local_tenant_note() if IS_LOCAL_TENANT else rx.fragment(),
    )


def login_link() -> rx.Component:
    """The second link to the login on this page."""
    return auth.login_link(
        "Log in", class_name="button", custom_attrs={"data-testid": "login-below"}
    )


def greeting() -> rx.Component:
    return rx.el.p(
        "You are logged in as ",
        rx.el.strong(auth.user_name(), custom_attrs={"data-testid": "user-name"}),
        ". ",
        rx.el.a("See your profile", href="/profile", class_name="link"),
    )


def steps() -> list[rx.Component]:
    texts = (
        ("1", "Log in", "OpenID Connect with PKCE. The browser gets a cookie, and no token."),
        ("2", "Call", "GET /api/v2/users/{you}, with the right access token."),
        ("3", "See", "Your user_metadata, rendered again whenever it changes."),
    )
    return [
        rx.el.div(
            rx.el.span(number, class_name="number"),
            rx.el.h2(title),
            rx.el.p(text, class_name="muted"),
            class_name="card",
        )
        for number, title, text in texts
    ]


def local_tenant_note() -> rx.Component:
    return rx.el.p(
        "No provider is configured, so the app uses the local tenant. Log in as ",
        rx.el.code("alice@example.com"),
        " or ",
        rx.el.code("bob@example.com"),
        " with the password ",
        rx.el.code("password"),
        ", or as ",
        rx.el.code("carol@example.com"),
        ", who has a second step, too: the code ",
        rx.el.code("123456"),
        ". Edit their metadata in the ",
        rx.el.a("dashboard", href=f"{config.domain}/dashboard", class_name="link"),
        ".",
        class_name="note",
    )
