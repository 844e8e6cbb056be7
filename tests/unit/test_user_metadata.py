"""What a person writes into the metadata editor, and what is sent for it."""

from __future__ import annotations

from typing import Any

import pytest

from app.local_tenant.management import merged
from app.user_metadata import LONGEST, NotMetadata, as_text, changes_between, parse_metadata


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1, column 1"),
        ('{"a": 1,\n "b" 2}', "line 2, column 6"),
        ("[1, 2]", "not an object"),
        ("null", "not an object"),
        ('{"a": NaN}', "NaN is not a JSON value"),
        ('{"a": -Infinity}', "-Infinity is not"),
        ('{"a": 1e999}', "number that is too large"),
        ('{"a": ' + "9" * 5000 + "}", "number that is too large"),
        ('{"a": 1, "a": 2}', '"a" is there twice'),
        ('{"b": {"c": 1, "c": 1}}', '"c" is there twice'),
        ('{"a": "\\ud800"}', "half a character"),
        ('{"a":' * 100_00 + "1" + "}" * 100_00, "nested too deeply"),
        ('{"a": "' + "x" * LONGEST + '"}', "too long"),
    ],
)
def test_refused(text: str, says: str) -> None:
    """What cannot be saved is refused with a sentence that says where and why."""
    with pytest.raises(NotMetadata) as caught:
        parse_metadata(text)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("base", "edited"),
    [
        ({}, {"a": 1}),
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1}}),
        ({"a": 1}, {"a": True}),
        ({"a": 1, "b": "\u00fc"}, {"b": "\u00fc", "c": [None]}),
        ({"a": 1}, {}),
        ({"a": 1}, {"a": 1}),
    ],
)
def test_changes(base: dict[str, Any], edited: dict[str, Any]) -> None:
    """Merged as Auth0 merges, the changes make of the one exactly the other; without any, nothing
    is sent (an empty object would delete everything)."""
    changes = changes_between(base, edited)
    assert as_text(merged(base, changes) if changes else base) == as_text(edited)


def test_only_changes_are_sent() -> None:
    """What was not edited is not sent, so that it cannot undo what somebody else does to it."""
    assert changes_between({"a": 1, "b": 2}, {"a": 1, "b": 3}) == {"b": 3}
