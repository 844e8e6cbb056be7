"""The metadata of a page, and what happens to it while the user edits it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx
import reflex as rx
from reflex.event import EventSpec

from app.auth import AuthError, StoreUnavailable
from app.auth_service import auth

from ..components.metadata_form import show_at
from ..components.problem import describe, url_to_allow
from ..config import config
from ..metadata_rows import NotFlat, Row, WrongRows, metadata_in, new_row, rows_in, rows_of
from ..user_metadata import (
    LONGEST,
    ChangedElsewhere,
    NotMetadata,
    as_text,
    changes_between,
    line_around,
    parse_metadata,
    save_metadata,
)

FAILURES = (AuthError, httpx.HTTPError, ValueError)
CONFLICT = (
    "Your metadata was changed elsewhere while you were editing. Its present value is shown below. "
    "Save again to replace it with your text, or cancel to keep it."
)
NOT_SAVED = "You typed this text before, and it is not saved. Save it, or cancel to drop it."
DRAFT = "metadata"  # the name of what is in the editor, which outlives this State (auth.draft)


class MetadataEditor(rx.State, mixin=True):
    """The metadata, and its editor: a form with a row for each entry, or the JSON. An edit is shown
    at once, and taken back if it cannot be saved."""

    status: str = "loading"
    metadata: dict[str, Any] = {}
    changed: str = ""  # the names of the entries that were changed elsewhere

    is_editing: bool = False
    view: str = "json"  # or "form", as the user chose last
    entries: list[Row] = []
    draft: str = ""
    edition: int = 0  # another editor for each text that comes from elsewhere than its fields
    focus: str = ""  # the row that has the focus when it is shown, or "json"
    edit_problem: str = ""
    wrong_line: list[str] = []  # where the JSON is wrong: number, before, there, after
    ask_url: str = ""
    theirs: str = ""
    notice: str = ""
    _base: dict[str, Any] = {}  # the metadata that the edit began with
    _is_edit_wanted: bool = False
    _is_saving: bool = False
    _restored: dict[str, str] = {}  # what the browser has given back, until it is shown

    def _show(self, metadata: dict[str, Any]) -> EventSpec | None:
        """Show what the API has, beside an editor that is open."""
        if self.status == "loaded" and not self._is_saving and metadata != self.metadata:
            names = changes_between(self.metadata, metadata)
            self.changed = ", ".join(f"“{name[:30]}”" for name in list(names)[:3])
            self.changed += " and more" if len(names) > 3 else ""
            self.notice = ""
        self.status, self.metadata = "loaded", metadata
        if self._is_edit_wanted:
            self._open_editor()
        return self._open_restored()

    @rx.event
    def dismiss(self) -> EventSpec:
        """Take the note away that the metadata was changed. The focus was in it."""
        self.changed = ""
        return rx.set_focus("metadata-heading")

    @rx.event
    def edit(self) -> None:
        """Open the editor, at once or when the metadata has been loaded (after a reconnect)."""
        if self.status == "loaded":
            self._open_editor()
        self._is_edit_wanted = self.status == "loading"

    def _open_editor(self) -> None:
        self._is_edit_wanted = False
        text = as_text(self.metadata)
        if len(text) > LONGEST:
            self.notice = (
                f"Your metadata has {len(text):,} characters. With more than {LONGEST:,} it "
                "cannot be edited here."
            )
            return
        self._base, self.draft = self.metadata, text
        if self.view == "form":
            try:
                self.entries = rows_of(self.metadata) or [new_row(0)]
            except NotFlat:
                self.view = "json"
        self.focus = "0" if self.view == "form" else "json"
        self.edition += 1
        self._begin()

    def _begin(self, problem: str = "") -> None:
        """Show the editor, with this above it."""
        self.is_editing, self.edit_problem, self.wrong_line = True, problem, []
        self.ask_url = self.theirs = self.notice = self.changed = ""

    @rx.event
    def restore(self, draft: dict[str, Any]) -> EventSpec | None:
        """Open the editor with what was typed before this State began, once the metadata has been
        loaded."""
        self._restored = {name: str(draft.get(name, "")) for name in ("text", "since")}
        return None if self.status == "loading" else self._open_restored()

    def _open_restored(self) -> EventSpec | None:
        """The metadata that the text was typed over goes along, so that saving it notices a change
        that was made since."""
        restored, self._restored = self._restored, {}
        if not restored or self._is_saving:
            return None
        try:
            base = parse_metadata(restored["since"])
            self._take(_fields_in(restored["text"]))
        except NotMetadata:
            return auth.forget_draft(DRAFT)  # nothing of this editor
        if self.status == "loaded" and self._edited_or_none() == self.metadata:
            self.is_editing = False
            return auth.forget_draft(DRAFT)  # saved; only the answer was lost
        self._base, self.edition = base, self.edition + 1
        self._begin(NOT_SAVED)
        return None

    @rx.event
    def cancel(self) -> EventSpec:
        self.is_editing = False
        self.edit_problem = self.theirs = self.notice = ""
        return auth.forget_draft(DRAFT)

    @rx.event(background=True)
    @auth.require_login
    async def save(self, form: dict[str, Any]) -> EventSpec | None:
        """Save what is in the fields; or, if another button was pressed, do what it says."""
        async with self:
            if not self.is_editing:
                return None
            self.edit_problem, self.ask_url, self.wrong_line = "", "", []
            try:
                self._take(form)
                if pressed := str(form.get("pressed", "")):
                    self._press(pressed)
                    return None
                edited = self._edited()
            except (NotMetadata, NotFlat, WrongRows) as error:
                return self._explain(error)
            base, self.metadata = dict(self._base), edited
            self.is_editing, self.notice, self.theirs, self.changed = False, "Saving…", "", ""
            self._is_saving = True
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
            self.metadata, self.notice, self._is_saving = saved, "Saved.", False
        with suppress(StoreUnavailable):  # saved all the same; other tabs show it when they load
            await auth.user_changed(self)
        return auth.forget_draft(DRAFT)

    def _take(self, fields: Mapping[str, Any]) -> None:
        """What the browser has in the fields is the draft, in the view that they belong to."""
        # In the form, Reflex sends None for the field of the JSON, which is not there.
        if fields.get("metadata") is not None:
            self.view, self.draft = "json", str(fields["metadata"])
        else:
            self.view, self.entries = "form", rows_in(fields)

    def _press(self, pressed: str) -> None:
        """Change to the other view with what has been typed, or add a row."""
        match pressed, self.view:
            case "add", "form":
                number = 1 + max((int(row["id"]) for row in self.entries), default=-1)
                self.entries, self.focus = [*self.entries, new_row(number)], str(number)
            case "json", "form":
                self.draft = as_text(self._edited())
                self.view, self.focus = "json", ""
            case "form", "json":
                self.entries = rows_of(self._edited()) or [new_row(0)]
                self.view, self.focus = "form", ""

    def _edited(self) -> dict[str, Any]:
        """The metadata that the draft says. Raises `NotMetadata` or `WrongRows`."""
        return parse_metadata(self.draft) if self.view == "json" else metadata_in(self.entries)

    def _edited_or_none(self) -> dict[str, Any] | None:
        try:
            return self._edited()
        except (NotMetadata, WrongRows):
            return None

    def _explain(self, error: NotMetadata | NotFlat | WrongRows) -> EventSpec | None:
        """Say what is wrong: above the editor, and at the row or the character."""
        self.edit_problem = str(error)
        if isinstance(error, WrongRows):
            self.entries = error.rows
        elif isinstance(error, NotMetadata) and error.at is not None:
            number = self.draft.count("\n", 0, error.at) + 1
            self.wrong_line = [str(number), *line_around(self.draft, error.at)]
            return show_at(self.draft, error.at)
        return None

    def _take_back(self, metadata: dict[str, Any], problem: str, ask_url: str = "") -> None:
        """Show the API's metadata, and the editor with what the user typed."""
        self._base = self.metadata = metadata
        self.edit_problem, self.ask_url = problem, ask_url
        self.is_editing, self.notice, self.focus, self._is_saving = True, "", "", False

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


def _fields_in(text: str) -> dict[str, Any]:
    """The fields of the editor in a draft. Raises `NotMetadata`, if it is none of this editor."""
    try:
        # Each character of a field may be escaped.
        fields = json.loads(text) if len(text) <= 2 * LONGEST else None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise NotMetadata("This is no draft.")
    return fields
