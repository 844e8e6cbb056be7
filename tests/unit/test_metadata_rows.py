"""Metadata as the rows of a form: the same metadata comes out, of the same types."""

from __future__ import annotations

from typing import Any

import pytest

from app.metadata_rows import MOST_ROWS, NotFlat, Row, WrongRows, metadata_in, rows_in, rows_of
from app.user_metadata import NotMetadata, as_text


def sent(rows: list[Row]) -> dict[str, str]:
    """The fields that a browser sends for these rows."""
    fields = {}
    for row in rows:
        for name in ("name", "kind", "value", "choice"):
            fields[f"{name}-{row['id']}"] = str(row[name])  # type: ignore[literal-required]
        if row["is_removed"]:
            fields[f"removed-{row['id']}"] = "on"
    return fields


def test_same_metadata() -> None:
    """What the form shows and sends is the same metadata, in the same order and types."""
    metadata = {
        "text": "blue",
        "empty": "",
        "digits": "007",
        "lines": "one\ntwo ",
        "int": 3,
        "big": 2**70,
        "float": 1.0,
        "tiny": -2.5e-30,
        "yes": True,
        "no": False,
        "nothing": None,
        "name-1": "\u202e🦊",
    }
    assert as_text(metadata_in(rows_in(sent(rows_of(metadata))))) == as_text(metadata)


@pytest.mark.parametrize(
    "metadata",
    [
        {"a": []},
        {"a": {}},
        {"": 1},
        {"a\nb": 1},
        {"a": "b\r\nc"},
        dict.fromkeys(map(str, range(101))),
    ],
    ids=["list", "object", "no name", "lines in a name", "carriage return", "too many"],
)
def test_not_flat(metadata: dict[str, Any]) -> None:
    """What a form cannot show as it is has no rows."""
    with pytest.raises(NotFlat):
        rows_of(metadata)


def test_left_out() -> None:
    """A row that is removed, and one that is empty, are left out, whatever else is in them."""
    rows = rows_in({"name-1": "a", "value-1": "b", "name-2": "", "name-7": "c", "removed-7": "on"})
    assert metadata_in(rows) == {"a": "b"}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name-2": "", "value-2": "x"}, "a name"),
        ({"name-2": "a", "value-2": "x"}, "this name"),
        ({"name-2": "b", "kind-2": "number", "value-2": "1,5"}, "not a number"),
        ({"name-2": "b", "kind-2": "number", "value-2": "NaN"}, "not a number"),
        ({"name-2": "b", "kind-2": "number", "value-2": "٣"}, "not a number"),
        ({"name-2": "b", "kind-2": "number", "value-2": "1e999"}, "too large"),
        ({"name-2": "b", "kind-2": "number", "value-2": "9" * 5000}, "too large"),
    ],
)
def test_wrong_row(fields: dict[str, str], problem: str) -> None:
    """A row that cannot be saved says why; the others say nothing."""
    with pytest.raises(WrongRows) as wrong:
        metadata_in(rows_in({"name-1": "a", "value-1": "x", **fields}))
    first, second = wrong.value.rows
    assert first["problem"] == ""
    assert problem in second["problem"]


def test_forged_fields() -> None:
    """Fields that no form has are texts, or nothing; too many rows, and half of a character, are
    refused."""
    forged: dict[str, Any] = {"name-1": ["a"], "kind-1": {}, "value-1": None, "name-x": "b"}
    assert metadata_in(rows_in(forged)) == {"['a']": "None"}
    with pytest.raises(NotMetadata):
        rows_in({f"name-{number}": "a" for number in range(MOST_ROWS + 1)})
    with pytest.raises(NotMetadata):
        metadata_in(rows_in({"name-1": "a", "value-1": "\ud83d"}))
