"""Profile: who is logged in, and the `user_metadata` that the API holds about them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import httpx
import reflex as rx

from ..auth import AuthError, AuthState, UserScopedState
from ..auth_service import auth
from ..components.layout import layout
from ..components.problem import describe
from ..config import config


class ProfileState(UserScopedState):
    """The component's class: subscribes to the user, calls the API, plucks the metadata."""

    status: str = "loading"
    metadata: dict[str, Any] = {}
    problem: str = ""

    @auth.on_user_change
    async def get_user_metadata(self, user: dict[str, Any] | None) -> None:
        if user is None:
            return
        async with self:
            self.status = "loading"
        try:
            async with auth.http_client(self) as http:
                response = await http.get(
                    f"{config.domain}/api/v2/users/{quote(user['sub'], safe='')}"
                )
            metadata = pluck_metadata(response.raise_for_status().json())
        except (AuthError, httpx.HTTPError, ValueError) as error:
            async with self:
                self.status, self.problem = "failed", describe(error)
            return
        async with self:
            self.status, self.metadata = "loaded", metadata

    @rx.var
    def metadata_json(self) -> str:
        return json.dumps(self.metadata, indent=2, ensure_ascii=False)


def pluck_metadata(user: Any) -> dict[str, Any]:
    """The `user_metadata` of a user as the API gives one; absent until some is set.

    Raises:
        ValueError: it is not a user.
    """
    metadata = user.get("user_metadata", {}) if isinstance(user, dict) else None
    if not isinstance(metadata, dict):
        raise ValueError("The API's answer is not a user.")
    return metadata


@auth.require_login
def profile() -> rx.Component:
    """The component's template."""
    return layout(
        rx.el.section(
            rx.el.img(src=AuthState.user["picture"], alt="", class_name="avatar"),
            rx.el.div(
                rx.el.h1(AuthState.user["name"], custom_attrs={"data-testid": "user-name"}),
                rx.el.p(AuthState.user["email"], class_name="muted"),
            ),
            class_name="card person",
        ),
        rx.el.section(
            rx.el.h2("Your metadata"),
            rx.match(
                ProfileState.status,
                ("loaded", loaded()),
                ("failed", failed()),
                loading(),
            ),
            class_name="card",
        ),
    )


def loading() -> rx.Component:
    return rx.el.p(
        "Loading your metadata…",
        class_name="muted loading",
        role="status",
        custom_attrs={"data-testid": "loading"},
    )


def loaded() -> rx.Component:
    return rx.fragment(
        rx.el.pre(ProfileState.metadata_json, custom_attrs={"data-testid": "user-metadata"}),
        rx.cond(
            ProfileState.metadata_json == "{}",
            rx.el.p("There is no metadata about you yet.", class_name="muted"),
        ),
    )


def failed() -> rx.Component:
    return rx.el.div(
        rx.el.p(ProfileState.problem, role="alert", custom_attrs={"data-testid": "auth-error"}),
        rx.el.button("Try again", class_name="button", on_click=ProfileState.get_user_metadata),
        class_name="problem",
    )
