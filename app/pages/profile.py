"""Profile: the user, and their `user_metadata` in the API, which they can edit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import reflex as rx

from app.auth import AuthState, User, UserScopedState
from app.auth_service import auth

from ..components.layout import layout
from ..components.metadata_form import (
    json_field,
    pressed_field,
    row_fields,
    switch,
    what_is_wrong,
)
from ..components.problem import describe, url_to_allow
from ..user_metadata import fetch_metadata
from .claims import claims, token_times
from .metadata_editor import DRAFT, FAILURES, MetadataEditor, url_of


async def load_metadata(http: httpx.AsyncClient, user: User) -> dict[str, Any]:
    """The metadata of this user."""
    return await fetch_metadata(http, url_of(user))


class ProfileState(MetadataEditor, UserScopedState):
    """The component's class in the Angular sample. It subscribes to the user, calls the API and
    takes the metadata from the response."""

    problem: str = ""

    @auth.on_user_change(prefetch=load_metadata)
    async def get_user_metadata(
        self, user: User | None, load: Callable[[], Awaitable[dict[str, Any]]]
    ) -> None:
        if user is None:
            return
        try:
            metadata = await load()
        except FAILURES as error:
            async with self:
                self.status, self.problem = "failed", describe(error)
                self.ask_url = url_to_allow(error)
                self._open_restored()
            return
        async with self:
            self._show(metadata)


@auth.require_login
def profile() -> rx.Component:
    """The component's template in the Angular sample."""
    return layout(
        person(
            auth.user_name(),
            email=AuthState.user["email"].to(str),
            picture=AuthState.user["picture"].to(str),
        ),
        claims(),
        rx.el.section(
            rx.el.h2("Your metadata", id="metadata-heading", tab_index=-1),
            auth.draft(DRAFT, on_restore=ProfileState.restore),
            rx.cond(
                ProfileState.is_editing,
                editor(),
                rx.match(
                    ProfileState.status,
                    ("loaded", loaded()),
                    ("failed", failed()),
                    loading(),
                ),
            ),
            class_name="card",
        ),
        rx.cond(ProfileState.status != "loading", token_times()),
        here="/profile",
    )


def person(
    name: rx.Component | str, *, email: rx.Var[str] | str, picture: rx.Var[str] | str
) -> rx.Component:
    """The card of a user, who may have none of the three."""
    return rx.el.section(
        rx.cond(
            picture,
            rx.el.img(src=picture, alt="", referrer_policy="no-referrer", class_name="avatar"),
            rx.el.span("?", aria_hidden=True, class_name="avatar"),
        ),
        rx.el.div(
            rx.el.h1(name, dir="auto", custom_attrs={"data-testid": "user-name"}),
            rx.el.p(email, class_name="muted"),
        ),
        class_name="card person",
    )


def loading() -> rx.Component:
    return rx.el.p(
        "Loading your metadata…",
        class_name="loading",
        role="status",
        custom_attrs={"data-testid": "loading"},
    )


def loaded() -> rx.Component:
    return rx.fragment(
        rx.el.pre(
            ProfileState.metadata_json,
            tab_index=0,  # a long text scrolls, with the keyboard, too
            role="region",
            aria_label="Your metadata",
            custom_attrs={"data-testid": "user-metadata"},
        ),
        rx.cond(
            ProfileState.metadata_json == "{}",
            rx.el.p("There is no metadata about you yet.", class_name="muted"),
        ),
        rx.el.div(
            rx.el.button(
                "Edit",
                class_name="button quiet",
                on_click=ProfileState.edit,
                custom_attrs={"data-testid": "edit-metadata"},
            ),
            rx.el.span(ProfileState.notice, class_name="muted", role="status"),
            class_name="choices",
        ),
        changed_elsewhere(ProfileState.changed, on_dismiss=ProfileState.dismiss),
    )


def changed_elsewhere(
    names: rx.Var[str] | str, more: str = "", *, on_dismiss: Any = None
) -> rx.Component:
    """A note that these entries were changed in another tab, browser or app."""
    note = rx.el.div(
        rx.el.p("Changed in another tab or app: ", rx.el.strong(names), ". ", more),
        rx.el.button(
            "Dismiss", type="button", class_name="button quiet small", on_click=on_dismiss
        ),
        role="status",
        class_name="changed",
        custom_attrs={"data-testid": "metadata-changed"},
    )
    return rx.cond(names != "", note)


def editor() -> rx.Component:
    wrong_line: Any = ProfileState.wrong_line
    return rx.el.form(
        what_is_wrong(ProfileState.edit_problem, ProfileState.wrong_line),
        rx.cond(
            ProfileState.theirs != "",
            rx.el.pre(
                ProfileState.theirs,
                tab_index=0,
                role="region",
                aria_label="Your metadata now",
                custom_attrs={"data-testid": "metadata-now"},
            ),
        ),
        switch(ProfileState.view),
        rx.cond(
            ProfileState.view == "json",
            json_field(
                ProfileState.draft,
                is_wrong=wrong_line.length() > 0,
                has_focus=ProfileState.focus == "json",
            ),
            row_fields(ProfileState.entries, ProfileState.focus),
        ),
        pressed_field(),
        rx.el.div(
            rx.el.button(
                "Save",
                type="submit",
                class_name="button",
                custom_attrs={"data-testid": "save-metadata"},
            ),
            rx.el.button(
                "Cancel", type="button", class_name="button quiet", on_click=ProfileState.cancel
            ),
            rx.cond(
                ProfileState.ask_url != "",
                auth.login_popup("Allow it", url=ProfileState.ask_url),
            ),
            class_name="choices",
        ),
        changed_elsewhere(
            ProfileState.changed,
            "What you have typed stays. Save shows you the change before it replaces it.",
            on_dismiss=ProfileState.dismiss,
        ),
        key=ProfileState.edition,
        on_submit=ProfileState.save,
        class_name="editor problem",
        custom_attrs=auth.draft_field(DRAFT, since=ProfileState.base_json),
    )


def failed() -> rx.Component:
    return rx.el.div(
        rx.el.p(ProfileState.problem, role="alert", custom_attrs={"data-testid": "auth-error"}),
        rx.el.p(
            rx.cond(
                ProfileState.ask_url != "",
                rx.el.a(
                    "Allow it",
                    href=ProfileState.ask_url,
                    reload_document=True,
                    class_name="button",
                ),
                rx.el.button(
                    "Try again", class_name="button", on_click=ProfileState.get_user_metadata
                ),
            ),
        ),
        class_name="problem",
    )
