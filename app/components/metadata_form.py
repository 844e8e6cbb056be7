"""The editor of metadata: a form with a row for each entry, or a field for the JSON.

What is typed is only in the browser until it is sent, so that no keystroke gets lost: the fields
have no `value`. Each button sends all of them (`data-press`, page.js).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from ..metadata_rows import KINDS, Row

PROBLEM = "metadata-problem"


def switch(view: rx.Var[str] | str) -> rx.Component:
    """Between the two views, which edit the same draft."""
    return rx.el.div(
        press(
            "form", "Form", custom_attrs={"aria-pressed": rx.cond(view == "form", "true", "false")}
        ),
        press(
            "json", "JSON", custom_attrs={"aria-pressed": rx.cond(view == "json", "true", "false")}
        ),
        role="group",
        aria_label="Edit as",
        class_name="switch",
    )


def press(name: str, text: str, **props: Any) -> rx.Component:
    """A button that sends the form, and says which one it was."""
    attributes = {**props.pop("custom_attrs", {}), "data-press": name}
    return rx.el.button(
        text, type="button", class_name="button quiet small", custom_attrs=attributes, **props
    )


def pressed_field() -> rx.Component:
    """What `press` fills in while the form is sent."""
    return rx.el.input(type="hidden", name="pressed")


def what_is_wrong(problem: Any, wrong_line: Any) -> rx.Component:
    """The problem of the whole, and the line that it is about, if there is one."""
    return rx.fragment(
        rx.cond(
            problem != "",
            rx.el.p(problem, id=PROBLEM, role="alert", custom_attrs={"data-testid": PROBLEM}),
        ),
        rx.cond(wrong_line.length() > 0, wrong_line_of(wrong_line)),
    )


def wrong_line_of(line: Any) -> rx.Component:
    """A line: its number, what is before the wrong character, the character, what is after it."""
    return rx.el.pre(
        rx.el.span(line[0], class_name="line-number"),
        line[1],
        rx.el.mark(line[2]),
        line[3],
        class_name="line",
        tab_index=0,  # a long line scrolls
        role="region",
        aria_label="The line with the error",
        custom_attrs={"data-testid": "wrong-line"},
    )


def json_field(
    text: rx.Var[str] | str, *, is_wrong: rx.Var[bool] | bool, has_focus: rx.Var[bool] | bool
) -> rx.Component:
    return rx.fragment(
        rx.el.label("A JSON object", html_for="metadata", class_name="muted small"),
        rx.el.textarea(
            default_value=text,
            id="metadata",
            name="metadata",
            rows="10",
            spell_check=False,
            auto_focus=has_focus,
            custom_attrs={
                "aria-invalid": rx.cond(is_wrong, "true", "false"),
                "aria-describedby": PROBLEM,
                "data-testid": "metadata-editor",
            },
        ),
    )


def show_at(text: str, at: int) -> EventSpec:
    """The event that puts the cursor to this character of the JSON."""
    units = len(text[:at].encode("utf-16-le", "surrogatepass")) // 2  # a browser counts these
    return rx.call_script(f"globalThis.appShowAt?.('metadata', {units})")


def row_fields(rows: rx.Var[list[Row]] | list[Row], focus: rx.Var[str] | str) -> rx.Component:
    """A row for each entry, and a button for another one."""
    return rx.el.div(
        rx.foreach(rows, lambda row: row_field(row, focus)),
        rx.el.p(press("add", "Add an entry"), class_name="choices"),
        class_name="rows",
        custom_attrs={"data-testid": "metadata-rows"},
    )


def row_field(row: Any, focus: rx.Var[str] | str) -> rx.Component:
    """The fields of an entry. Which of the two fields for a value is shown, the style sheet decides
    by the kind that is chosen; what has been typed into the other one stays."""
    number = row["id"].to(str)
    is_wrong = row["problem"].to(str) != ""
    return rx.el.fieldset(
        rx.el.legend("Entry ", row["name"].to(str)),
        field(
            "Name",
            f"name-{number}",
            rx.el.input(
                default_value=row["name"].to(str),
                id=f"name-{number}",
                name=f"name-{number}",
                auto_focus=focus == number,
                auto_complete="off",
                custom_attrs=described(number, is_wrong),
            ),
        ),
        field(
            "Kind",
            f"kind-{number}",
            rx.el.select(
                *(rx.el.option(text, value=kind) for kind, text in KINDS.items()),
                default_value=row["kind"].to(str),
                id=f"kind-{number}",
                name=f"kind-{number}",
            ),
            "kind",
        ),
        field("Value", f"value-{number}", value_field(row, number, is_wrong), "value"),
        field(
            "Value",
            f"choice-{number}",
            rx.el.select(
                rx.el.option("Yes", value="true"),
                rx.el.option("No", value="false"),
                default_value=row["choice"].to(str),
                id=f"choice-{number}",
                name=f"choice-{number}",
            ),
            "choice",
        ),
        rx.el.label(
            rx.el.input(
                type="checkbox",
                name=f"removed-{number}",
                default_checked=row["is_removed"].to(bool),
                class_name="removed",
            ),
            "Remove",
            class_name="remove",
        ),
        rx.el.p(row["problem"].to(str), id=f"problem-{number}", role="alert"),
        key=number,
        class_name="row",
        custom_attrs={"data-testid": "metadata-row"},
    )


def field(label: str, name: Any, control: rx.Component, kind: str = "name") -> rx.Component:
    return rx.el.div(
        rx.el.label(label, html_for=name, class_name="muted small"),
        control,
        class_name=f"field {kind}",
    )


def value_field(row: Any, number: rx.Var[str], is_wrong: rx.Var[bool]) -> rx.Component:
    """One line; or several for a text that has them, which an `<input>` would join."""
    props: dict[str, Any] = {
        "default_value": row["value"].to(str),
        "id": f"value-{number}",
        "name": f"value-{number}",
        "custom_attrs": described(number, is_wrong),
    }
    return rx.cond(
        row["value"].to(str).contains("\n"),
        rx.el.textarea(rows="3", **props),
        rx.el.input(auto_complete="off", **props),
    )


def described(number: rx.Var[str], is_wrong: rx.Var[bool]) -> Mapping[str, Any]:
    """The attributes that connect a field with the problem of its row."""
    return {
        "aria-invalid": rx.cond(is_wrong, "true", "false"),
        "aria-describedby": f"problem-{number}",
    }
