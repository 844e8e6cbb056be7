"""What to call the person who is logged in."""

from __future__ import annotations

from typing import Any

import reflex as rx

from app.auth import AuthState


def user_name() -> rx.Component:
    """Their name; or their e-mail address, or `sub`, where the provider does not say."""
    shown: Any = AuthState.user["sub"]
    for claim in ("email", "name"):
        shown = rx.cond(AuthState.user[claim], AuthState.user[claim], shown)
    return rx.fragment(shown)
