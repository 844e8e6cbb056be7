"""Validation by the part of JSON Schema that the seed file and the Management API need.

A schema is a JSON Schema (draft 2020-12) with `type`, `properties`, `required`,
`additionalProperties`, `items`, `enum`, `format`, `minLength`, `maxLength`, `minimum`, `maximum`,
`maxItems`, `minProperties` and `pattern`; so that it can stand in an OpenAPI description, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

Schema = Mapping[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_EMAIL = re.compile(r"[^@\s\x00-\x1f\"<>]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


class Invalid(ValueError):
    """A value that does not fit; `place` leads to it: names of members and indices."""

    def __init__(self, text: str, *place: str | int) -> None:
        super().__init__(text)
        self.text = text
        self.place = place

    @property
    def path(self) -> str:
        """The place in the notation of JavaScript, such as `users[2].email`."""
        parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.place)
        return "".join(parts).lstrip(".")


def check(value: Any, schema: Schema) -> None:
    """Check a value as `json.loads` gives it.

    Raises:
        Invalid: the first thing that does not fit, in Auth0's words.
    """
    for problem in _problems(value, schema, ()):
        raise problem


def _problems(value: Any, schema: Schema, place: tuple[str | int, ...]) -> Iterator[Invalid]:
    allowed = schema.get("type", ())
    types = (allowed,) if isinstance(allowed, str) else tuple(allowed)
    if types and not any(_is_of(value, name) for name in types):
        found = _name_of(value)
        yield Invalid(f"Expected type {' or '.join(types)} but found type {found}", *place)
        return
    if "enum" in schema and value not in schema["enum"]:
        yield Invalid(f"No enum match for: {value}", *place)
    if isinstance(value, str):
        yield from (Invalid(text, *place) for text in _of_text(value, schema))
    elif isinstance(value, dict):
        yield from _of_object(value, schema, place)
    elif isinstance(value, list):
        yield from _of_array(value, schema, place)
    elif isinstance(value, int | float):
        yield from (Invalid(text, *place) for text in _of_number(value, schema))


def _is_of(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])


def _name_of(value: Any) -> str:
    return next(name for name in _TYPES if _is_of(value, name))


def _of_text(value: str, schema: Schema) -> Iterator[str]:
    size = len(value)
    if size < schema.get("minLength", 0):
        yield f"String is too short ({size} chars), minimum {schema['minLength']}"
    if size > schema.get("maxLength", size):
        yield f"String is too long ({size} chars), maximum {schema['maxLength']}"
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        yield f"String does not match pattern {schema['pattern']}: {value}"
    kind = schema.get("format")
    if kind in _FORMATS and not _FORMATS[kind](value):
        yield f"Object didn't pass validation for format {kind}: {value}"


def _of_number(value: float, schema: Schema) -> Iterator[str]:
    if value < schema.get("minimum", value):
        yield f"Value {value} is less than minimum {schema['minimum']}"
    if value > schema.get("maximum", value):
        yield f"Value {value} is greater than maximum {schema['maximum']}"


def _of_object(
    value: Mapping[str, Any], schema: Schema, place: tuple[str | int, ...]
) -> Iterator[Invalid]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield Invalid(f"Missing required property: {name}", *place)
    unknown = sorted(set(value) - set(known))
    if unknown and schema.get("additionalProperties") is False:
        yield Invalid(f"Additional properties not allowed: {', '.join(unknown)}", *place)
    if len(value) < schema.get("minProperties", 0):
        yield Invalid(f"Too few properties defined ({len(value)})", *place)
    for name, member in value.items():
        if name in known:
            yield from _problems(member, known[name], (*place, name))


def _of_array(value: list[Any], schema: Schema, place: tuple[str | int, ...]) -> Iterator[Invalid]:
    if len(value) > schema.get("maxItems", len(value)):
        yield Invalid(f"Array is too long ({len(value)}), maximum {schema['maxItems']}", *place)
    if len(value) < schema.get("minItems", 0):
        yield Invalid(f"Array is too short ({len(value)}), minimum {schema['minItems']}", *place)
    for index, item in enumerate(value):
        yield from _problems(item, schema.get("items", {}), (*place, index))


def _is_uri(text: str) -> bool:
    if re.search(r"[\s\\<>\"\x00-\x20\x7f]", text) or not text.isascii():
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme) and bool(parts.netloc or parts.path)


_FORMATS: dict[str, Callable[[str], bool]] = {
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "uri": _is_uri,
}
