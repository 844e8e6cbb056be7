"""Metadata whose values are plain, as the rows of a form."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, TypedDict

from .user_metadata import NotMetadata, as_text, parse_metadata

KINDS = {"text": "Text", "number": "Number", "boolean": "Yes or no", "null": "Nothing"}
MOST_ROWS = 100

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")  # RFC 8259, section 6
_NAME_FIELD = re.compile(r"name-([0-9]{1,4})")


class Row(TypedDict):
    """An entry as it stands in the form. `value` is that of a text or a number, `choice` ("true" or
    "false") that of a yes or no."""

    id: str
    name: str
    kind: str
    value: str
    choice: str
    is_removed: bool
    problem: str


class NotFlat(ValueError):
    """The metadata does not fit into the form. The message says why."""


class WrongRows(ValueError):
    """At least one of `rows` says in its `problem` what is wrong with it."""

    def __init__(self, rows: list[Row]) -> None:
        super().__init__("An entry needs a correction.")
        self.rows = rows


def new_row(number: int) -> Row:
    """An empty row, the `number`th of the form."""
    return _row(number, "", "text")


def rows_of(metadata: Mapping[str, Any]) -> list[Row]:
    """Rows for each entry. `metadata_in` turns them into the same metadata.

    Raises:
        NotFlat: a value is a list or an object, or a form cannot show the entry as it is.
    """
    if len(metadata) > MOST_ROWS:
        raise NotFlat(f"The form has room for {MOST_ROWS} entries. Edit these as JSON.")
    return [_row_of(number, *entry) for number, entry in enumerate(metadata.items())]


def rows_in(fields: Mapping[str, Any]) -> list[Row]:
    """The rows in the fields of a submitted form.

    Raises:
        NotMetadata: there are too many.
    """
    numbers = [int(match[1]) for match in map(_NAME_FIELD.fullmatch, fields) if match]
    if len(numbers) > MOST_ROWS:
        raise NotMetadata(f"The form has room for {MOST_ROWS} entries. Edit them as JSON.")
    return [_row_in(fields, number) for number in numbers]


def metadata_in(rows: list[Row]) -> dict[str, Any]:
    """The metadata that the rows say. Rows that are removed, or empty, are left out.

    Raises:
        WrongRows: a row has no name, a name that another one has, or a number that is none.
        NotMetadata: the metadata is too long.
    """
    metadata: dict[str, Any] = {}
    checked = []
    for row in rows:
        problem = ""
        if not _is_left_out(row):
            try:
                metadata[_free_name(row, metadata)] = _value(row)
            except NotMetadata as error:
                problem = str(error)
        checked.append(Row(**{**row, "problem": problem}))
    if any(row["problem"] for row in checked):
        raise WrongRows(checked)
    return parse_metadata(as_text(metadata))


def _row(number: int, name: str, kind: str, value: str = "", choice: str = "true") -> Row:
    return Row(
        id=str(number),
        name=name,
        kind=kind,
        value=value,
        choice=choice,
        is_removed=False,
        problem="",
    )


def _row_of(number: int, name: str, value: Any) -> Row:
    # An <input> drops line breaks, and a <textarea> changes carriage returns.
    if not name or {"\n", "\r"} & set(name):
        raise NotFlat("An entry has no name, or one of several lines. Edit it as JSON.")
    match value:
        case bool():
            return _row(number, name, "boolean", choice="true" if value else "false")
        case int() | float():
            return _row(number, name, "number", json.dumps(value))
        case None:
            return _row(number, name, "null")
        case str() if "\r" not in value:
            return _row(number, name, "text", value)
        case _:
            shown = "a list" if isinstance(value, list) else "more than a line of text or a number"
            raise NotFlat(f"“{name[:60]}” is {shown}, which the form cannot show. Edit it as JSON.")


def _row_in(fields: Mapping[str, Any], number: int) -> Row:
    def field(name: str) -> str:
        return str(fields.get(f"{name}-{number}", ""))

    kind = field("kind")
    row = _row(number, field("name"), kind if kind in KINDS else "text", field("value"))
    row["choice"] = "false" if field("choice") == "false" else "true"
    row["is_removed"] = f"removed-{number}" in fields
    return row


def _is_left_out(row: Row) -> bool:
    is_empty = not row["name"] and not row["value"] and row["kind"] == "text"
    return row["is_removed"] or is_empty


def _free_name(row: Row, taken: Mapping[str, Any]) -> str:
    if not row["name"]:
        raise NotMetadata("Give this entry a name, or remove it.")
    if row["name"] in taken:
        raise NotMetadata("Another entry has this name. Change one of them, or remove it.")
    return row["name"]


def _value(row: Row) -> str | int | float | bool | None:
    match row["kind"]:
        case "number":
            return _number(row["value"].strip())
        case "boolean":
            return row["choice"] == "true"
        case "null":
            return None
        case _:
            return row["value"]


def _number(text: str) -> int | float:
    if not _NUMBER.fullmatch(text):
        raise NotMetadata("This is not a number. Write one as in 12, -3.5 or 1e6.")
    try:
        number: int | float = json.loads(text)
    except ValueError:
        number = math.inf  # an integer of thousands of digits
    if math.isinf(number):
        raise NotMetadata("This number is too large.")
    return number
