"""Home: the lesson of the quickstart, whose steps are marked as they are done."""

from __future__ import annotations

import reflex as rx

from app.auth import AuthState
from app.auth_service import auth

from ..components.layout import layout
from ..components.source_code import call_source, function_source, source_code
from ..config import IS_LOCAL_TENANT, config
from .profile import ProfileState


class ReadsElement(rx.el.Div):  # type: ignore[misc]  # loaded lazily
    """The custom element `<app-reads>` of `page.js`: what a script can read in this page."""

    tag = "AppReads"
    alias = "app-reads"


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
            rx.el.div(
                rx.cond(
                    AuthState.is_authenticated,
                    greeting(),
                    rx.cond(AuthState.is_loading, rx.fragment(), login_link()),
                ),
                class_name="hero-action",
            ),
            class_name="hero",
        ),
        local_tenant_note() if IS_LOCAL_TENANT else rx.fragment(),
        rx.el.ol(*steps(), class_name="steps"),
        what_scripts_read(),
        here="/",
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
    is_loaded = AuthState.is_authenticated & (ProfileState.status == "loaded")
    return [
        step(
            1,
            "Log in",
            "OpenID Connect with PKCE. The browser gets a cookie, and no token.",
            AuthState.is_authenticated,
            function_source("components/layout.py", "signed_out"),
        ),
        step(
            2,
            "Get a token",
            "This entry of the allowed list says which request gets which access token.",
            is_loaded,
            call_source("config.py", "AllowedRoute"),
        ),
        step(
            3,
            "See your metadata",
            "The profile calls the API when the user changes, and shows the answer.",
            is_loaded,
            "\n\n\n".join(
                function_source("pages/profile.py", name)
                for name in ("load_metadata", "get_user_metadata")
            ),
        ),
    ]


def step(
    number: int, title: str, text: str, is_done: rx.Var[bool] | bool, source: str
) -> rx.Component:
    """One step of the lesson, with the code that does it. `is_done` marks it."""
    return rx.el.li(
        rx.cond(
            is_done,
            rx.el.span("✓", class_name="number done", role="img", aria_label="Done"),
            rx.el.span(str(number), class_name="number"),
        ),
        rx.el.div(rx.el.h2(title), rx.el.p(text, class_name="muted")),
        source_code(source, f"The code for “{title}”"),
        class_name="card step",
        custom_attrs={"data-testid": "step"},
    )


def what_scripts_read() -> rx.Component:
    return rx.el.details(
        rx.el.summary("What can a script read here?"),
        rx.el.p(
            "The login is one HttpOnly cookie, which no script can read. This is all that one can:",
            class_name="muted",
        ),
        ReadsElement.create(),
        class_name="card reads",
        custom_attrs={"data-testid": "script-reads"},
    )


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
