"""JSON as in RFC 8259 that can be written again: parsed strictly at the door, mended in the file.

Python's parser also accepts `NaN` and `Infinity`, makes infinity of `1e999`, keeps half of a
surrogate pair, and nests until the stack ends. Such a value cannot be encoded as UTF-8 JSON.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

DEEPEST = 100  # objects and arrays within each other
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text; bytes are UTF-8 (RFC 8259 section 8.1).

    Raises:
        ValueError: it is not JSON, or holds what JSON cannot carry on; the message says what.
    """
    try:
        value = json.loads(text.decode() if isinstance(text, bytes) else text, **_STRICT)
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _check(value, DEEPEST)
    return value


def stored_object(text: str | None) -> dict[str, Any] | None:
    """An object from the data file. What JSON cannot hold is mended: U+FFFD for half of a surrogate
    pair, null for infinity and for what is nested too deeply. A text that is no object is empty."""
    if text is None:
        return None
    try:
        value = _mended(json.loads(text), DEEPEST)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text[:20]} is out of range")
    return number


_STRICT: dict[str, Any] = {"parse_constant": _refuse, "parse_float": _finite}


def _check(value: Any, depth: int) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise ValueError("a text has half of a surrogate pair")
    elif isinstance(value, dict | list):
        if not depth:
            raise ValueError("nested too deeply")
        for name, member in value.items() if isinstance(value, dict) else enumerate(value):
            _check(name, depth)
            _check(member, depth - 1)


def _mended(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, dict | list):
        return value
    if not depth:
        return None
    if isinstance(value, list):
        return [_mended(member, depth - 1) for member in value]
    return {_mended(name, depth): _mended(member, depth - 1) for name, member in value.items()}
