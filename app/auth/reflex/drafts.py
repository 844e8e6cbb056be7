"""Text that is typed and not saved: it outlives the State that it was typed into (drafts.js)."""

from __future__ import annotations

import json
import re
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from .state import AuthState

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def draft(name: str, on_restore: Any) -> rx.Component:
    """The form that the script fills in and submits, for the event with the text."""
    return rx.el.form(
        rx.el.input(type="hidden", name="text"),
        rx.el.input(type="hidden", name="since"),
        rx.el.button(type="button", on_click=AuthState.give_drafts),
        on_submit=on_restore,
        hidden=True,
        custom_attrs={
            "data-auth-draft-of": _checked(name),
            "data-auth-tree": AuthState.tree_id,
            "data-auth-keep": "no",
        },
    )


def draft_field(name: str, since: str | rx.Var[str]) -> dict[str, Any]:
    """The attributes by which the script knows the field."""
    return {"data-auth-draft": _checked(name), "data-auth-draft-since": since}


def forget_draft(name: str) -> EventSpec:
    """The event that drops the text in the browser."""
    argument = json.dumps(_checked(name))
    return rx.call_script(f"globalThis.reflexOidc?.forgetDraft({argument})")


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"A draft cannot be named {name!r}: use letters, digits, - and _.")
    return name
