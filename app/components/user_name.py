"""The user's name."""

from __future__ import annotations

from typing import Any

import reflex as rx

from app.auth import AuthState


def user_name() -> rx.Component:
    """The claim `name`; or `email`, or else `sub`, if the provider gives no name."""
    shown: Any = AuthState.user["sub"]
    for claim in ("email", "name"):
        shown = rx.cond(AuthState.user[claim], AuthState.user[claim], shown)
    return rx.fragment(shown)
