"""Profile: the user, and their `user_metadata` in the API, which they can edit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import reflex as rx
from reflex.event import EventSpec

from app.auth import AuthError, AuthState, User, UserScopedState
from app.auth_service import auth

from ..components.layout import layout
from ..components.problem import describe, url_to_allow
from ..config import config
from ..user_metadata import (
    LONGEST,
    ChangedElsewhere,
    NotMetadata,
    as_text,
    fetch_metadata,
    is_text_of,
    parse_metadata,
    save_metadata,
)

FAILURES = (AuthError, httpx.HTTPError, ValueError)
CONFLICT = (
    "Your metadata was changed elsewhere while you were editing. Its present value is shown below. "
    "Save again to replace it with your text, or cancel to keep it."
)
NOT_SAVED = "You typed this text before, and it is not saved. Save it, or cancel to drop it."
DRAFT = "metadata"  # the name of the text in the editor, which outlives this State (auth.draft)


async def load_metadata(http: httpx.AsyncClient, user: User) -> dict[str, Any]:
    """The metadata of this user."""
    return await fetch_metadata(http, url_of(user))


class ProfileState(UserScopedState):
    """The component's class in the Angular sample. It subscribes to the user, calls the API and
    takes the metadata from the response. An edit is shown at once, and taken back if it cannot be
    saved."""

    status: str = "loading"
    metadata: dict[str, Any] = {}
    problem: str = ""

    is_editing: bool = False
    draft: str = ""
    edition: int = 0  # another editor for each text that the browser gives back
    edit_problem: str = ""
    ask_url: str = ""
    theirs: str = ""
    notice: str = ""
    _base: dict[str, Any] = {}  # the metadata that the draft began with
    _is_edit_wanted: bool = False
    _restored: dict[str, str] = {}  # a text that the browser has given back, until it is shown

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
            self.status, self.metadata = "loaded", metadata
            if self._is_edit_wanted:
                self._open_editor()
            self._open_restored()

    @rx.event
    def edit(self) -> None:
        """Open the editor, at once or when the metadata has been loaded (after a reconnect)."""
        if self.status == "loaded":
            self._open_editor()
        self._is_edit_wanted = self.status == "loading"

    def _open_editor(self) -> None:
        self._is_edit_wanted = False
        self._base, self.draft = self.metadata, as_text(self.metadata)
        if len(self.draft) > LONGEST:
            self.notice = (
                f"Your metadata has {len(self.draft):,} characters. With more than {LONGEST:,} it "
                "cannot be edited here."
            )
            return
        self.is_editing = True
        self.edit_problem = self.ask_url = self.theirs = self.notice = ""

    @rx.event
    def restore(self, draft: dict[str, Any]) -> EventSpec | None:
        """Open the editor with a text that was typed before this State began, once the metadata has
        been loaded."""
        self._restored = {name: str(draft.get(name, "")) for name in ("text", "since")}
        return None if self.status == "loading" else self._open_restored()

    def _open_restored(self) -> EventSpec | None:
        """The metadata that the text was typed over goes along, so that saving it notices a change
        that was made since."""
        restored, self._restored = self._restored, {}
        if not restored:
            return None
        try:
            base = parse_metadata(restored["since"])
        except NotMetadata:
            return auth.forget_draft(DRAFT)  # no text of this editor
        if self.status == "loaded" and is_text_of(restored["text"], self.metadata):
            return auth.forget_draft(DRAFT)  # saved; only the answer was lost
        self._base, self.draft, self.edition = base, restored["text"], self.edition + 1
        self.is_editing, self.edit_problem = True, NOT_SAVED
        self.ask_url = self.theirs = self.notice = ""
        return None

    @rx.event
    def cancel(self) -> EventSpec:
        self.is_editing = False
        self.edit_problem = self.theirs = self.notice = ""
        return auth.forget_draft(DRAFT)

    @rx.event(background=True)
    @auth.require_login
    async def save(self, form: dict[str, Any]) -> EventSpec | None:
        text = str(form.get("metadata", ""))
        async with self:
            if not self.is_editing:
                return None
            self.draft, self.edit_problem, self.ask_url = text, "", ""
            try:
                edited = parse_metadata(text)
            except NotMetadata as error:
                self.edit_problem = str(error)
                return None
            base, self.metadata = dict(self._base), edited
            self.is_editing, self.notice, self.theirs = False, "Saving…", ""
        try:
            async with auth.http_client(self) as http:
                saved = await save_metadata(http, await self._url(), base, edited)
        except ChangedElsewhere as conflict:
            async with self:
                self._take_back(conflict.current, CONFLICT)
                self.theirs = as_text(conflict.current)
            return None
        except FAILURES as error:
            async with self:
                self._take_back(base, describe(error), url_to_allow(error))
            return None
        async with self:
            self.metadata, self.notice = saved, "Saved."
        await auth.user_changed(self)
        return auth.forget_draft(DRAFT)

    def _take_back(self, metadata: dict[str, Any], problem: str, ask_url: str = "") -> None:
        """Show the API's metadata, and the editor with the user's text."""
        self._base = self.metadata = metadata
        self.edit_problem, self.ask_url = problem, ask_url
        self.is_editing, self.notice = True, ""

    async def _url(self) -> str:
        return url_of(await auth.get_user(self) or {})

    @rx.var
    def metadata_json(self) -> str:
        return as_text(self.metadata)

    @rx.var
    def base_json(self) -> str:
        return as_text(self._base)


def url_of(user: Mapping[str, Any]) -> str:
    """The user in the Management API."""
    return f"{config.domain}/api/v2/users/{quote(str(user.get('sub')), safe='')}"


@auth.require_login
def profile() -> rx.Component:
    """The component's template in the Angular sample."""
    return layout(
        person(
            auth.user_name(),
            email=AuthState.user["email"].to(str),
            picture=AuthState.user["picture"].to(str),
        ),
        rx.el.section(
            rx.el.h2("Your metadata"),
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
    )


def editor() -> rx.Component:
    """A form whose text is only in the browser until it is sent, so that no keystroke gets lost."""
    return rx.el.form(
        rx.cond(
            ProfileState.edit_problem != "",
            rx.el.p(
                ProfileState.edit_problem,
                role="alert",
                custom_attrs={"data-testid": "metadata-problem"},
            ),
        ),
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
        rx.el.label("A JSON object", html_for="metadata", class_name="muted small"),
        rx.el.textarea(
            key=ProfileState.edition,
            default_value=ProfileState.draft,
            id="metadata",
            name="metadata",
            rows="10",
            spell_check=False,
            auto_focus=True,
            custom_attrs={
                **auth.draft_field(DRAFT, since=ProfileState.base_json),
                "data-testid": "metadata-editor",
            },
        ),
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
        on_submit=ProfileState.save,
        class_name="editor problem",
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
