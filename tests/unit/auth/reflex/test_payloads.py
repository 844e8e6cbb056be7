"""Which arguments of an event fit its handler."""

from __future__ import annotations

import dataclasses
import enum
import uuid
from datetime import datetime
from typing import Annotated, Any, Literal, Optional, TypedDict

import pytest
import reflex as rx

from app.auth.reflex.payloads import FORM_DATA_ENTRIES_KEY, fits, parameters_of


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Row(TypedDict):
    name: str


class Size(enum.Enum):
    SMALL = "small"


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        *(("x", str), (1, int), ("1", int), (1, float), (2.0, int), (True, bool), ([], Any)),
        *((None, Optional[str]), ("x", str | None), ("a", Literal["a"]), ("x", Annotated[str, 1])),  # noqa: UP045
        *(
            ([1, "2"], list[int]),
            ([], set[int]),
            ([1, "x"], tuple[int, str]),
            ([1], tuple[int, ...]),
        ),
        *(({}, dict), ({"a": 1}, dict[str, int]), ({"x": 1}, Point), ({"name": "x"}, Row)),
        *(
            ("small", Size),
            ("2026-01-01", datetime),
            ("0f0e0d0c-0b0a-4900-8800-070605040302", uuid.UUID),
        ),
        (Point(1), Point),
    ],
)
def test_fits(value: Any, hint: Any) -> None:
    """What Reflex makes a value of that type of."""
    assert fits(value, hint)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        *((1, str), ("x", int), (True, int), (None, str), ({}, str), ("x", bool), (1, str | None)),
        *(("b", Literal["a"]), ("x", list[str]), ([1], list[str]), ({}, list), ([], dict)),
        *(
            ({"a": "x"}, dict[str, int]),
            ({}, Point),
            ({"z": 1}, Point),
            ({}, Row),
            ({"name": 1}, Row),
        ),
        *(("big", Size), ("today", datetime), ("x", uuid.UUID), ([{}], list[rx.UploadFile])),
    ],
)
def test_does_not_fit(value: Any, hint: Any) -> None:
    """What it would raise an exception for, or hand to the handler as it is."""
    assert not fits(value, hint)


@pytest.mark.skipif(FORM_DATA_ENTRIES_KEY is None, reason="Reflex 0.10.0 sends a plain object")
def test_forms() -> None:
    """A submitted form fits whatever Reflex makes of it, if its entries are pairs."""
    form = {"__reflex_form_data__": [["name", "Ann"]]}
    assert all(fits(form, hint) for hint in (dict[str, Any], Row, dict))
    for entries in (None, "x", [1], [["a"]], [[1, 2]]):
        assert not fits({"__reflex_form_data__": entries}, dict)


def test_parameters() -> None:
    """Names count, too: those that are missing, and those that the handler does not take."""

    def handler(self: Any, text: str, unit: str = "") -> None: ...
    def takes_all(self: Any, *args: Any, **kwargs: Any) -> None: ...

    assert parameters_of(handler).problem({"text": "x"}) is None
    assert parameters_of(handler).problem({}) == "it lacks text"
    assert "does not take" in (parameters_of(handler).problem({"text": "x", "self": 1}) or "")
    assert parameters_of(takes_all).problem({"x": 1}) is None
