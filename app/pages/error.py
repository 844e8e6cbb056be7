"""Error: the auth layer's page for login problems, in the layout of this app."""

from __future__ import annotations

import reflex as rx

from app.auth_service import auth

from ..components.layout import layout


@auth.public
def error() -> rx.Component:
    return layout(auth.login_problem())
