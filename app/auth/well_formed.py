"""Texts that can be sent: JSON may hold half of a surrogate pair, which UTF-8 cannot encode."""

from __future__ import annotations

import json
from typing import TypeVar

Value = TypeVar("Value")


def well_formed(text: str) -> str:
    """Return the text with U+FFFD for each lone surrogate; the same object if there is none.

    JSON may spell one as `"\\ud83d"` (RFC 8259 section 8.2), and Python's parser keeps it.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def well_formed_json(value: Value) -> Value:
    """Return a JSON value with `well_formed` texts, names of members included; the same object if
    there is nothing to replace."""
    text = json.dumps(value, ensure_ascii=False)
    replaced = well_formed(text)
    return value if replaced is text else json.loads(replaced)
