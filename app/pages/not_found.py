"""Not found: an address that belongs to no page."""

from __future__ import annotations

import reflex as rx

from app.auth_service import auth

from ..components.layout import layout


@auth.public
def not_found() -> rx.Component:
    return layout(
        rx.el.section(
            rx.el.h1("There is nothing here"),
            rx.el.p("This address belongs to no page of this app."),
            rx.el.a("Go to the start page", href="/", class_name="button"),
            class_name="card problem",
        ),
    )
