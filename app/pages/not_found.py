"""Not found: the page for every address that has none."""

from __future__ import annotations

import reflex as rx

from app.auth_service import auth

from ..components.layout import layout


@auth.public
def not_found() -> rx.Component:
    return layout(
        rx.el.section(
            rx.el.h1("There is nothing here"),
            rx.el.p("This app has no page at this address."),
            rx.el.a("Go to the start page", href="/", class_name="button"),
            class_name="card problem",
        ),
    )
