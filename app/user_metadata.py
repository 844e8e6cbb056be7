"""`user_metadata` as text that a person edits, and as what the Management API takes and gives."""

from __future__ import annotations

import json
from typing import Any, NoReturn

LONGEST = 64 * 1024  # characters of a text that is read at all


class NotMetadata(ValueError):
    """The text cannot be saved; the message says where and why, for the person who wrote it."""


def pluck_metadata(user: Any) -> dict[str, Any]:
    """The `user_metadata` of a user as the API gives one; absent until some is set.

    Raises:
        ValueError: it is not a user.
    """
    metadata = user.get("user_metadata", {}) if isinstance(user, dict) else None
    if not isinstance(metadata, dict):
        raise ValueError("The API's answer is not a user.")
    return metadata


def as_text(metadata: dict[str, Any]) -> str:
    """For reading and editing."""
    return json.dumps(metadata, indent=2, ensure_ascii=False)


def parse_metadata(text: str) -> dict[str, Any]:
    """The JSON object (RFC 8259) that somebody wrote.

    Raises:
        NotMetadata: it is none, or one that no API would take.
    """
    if len(text) > LONGEST:
        raise NotMetadata(f"This is too long: {len(text):,} characters of at most {LONGEST:,}.")
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise NotMetadata(
            f"This is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from None
    except RecursionError:
        raise NotMetadata("This is nested too deeply.") from None
    except UnicodeEncodeError:
        raise NotMetadata("This has half a character in it (a lone surrogate).") from None
    except NotMetadata:
        raise
    except ValueError:
        raise NotMetadata("This has a number that is too large.") from None
    if not isinstance(value, dict):
        raise NotMetadata('This is not an object; write one, as in {"color": "blue"}.')
    return value


def changes_between(base: dict[str, Any], edited: dict[str, Any]) -> dict[str, Any]:
    """What to PATCH, so that `base` becomes `edited`: Auth0 merges the first level, replaces what
    is below, and deletes what is `null`."""
    removed = {name: None for name in base if name not in edited}
    changed = {
        name: value
        for name, value in edited.items()
        if name not in base or as_text({name: base[name]}) != as_text({name: value})
    }
    return removed | changed


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotMetadata(f"The name {json.dumps(twice)} is there twice in one object.")
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise NotMetadata(f"{name} is not a JSON value.")
