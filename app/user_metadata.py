"""`user_metadata` in the Management API, and as the text that a user edits."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import httpx

LONGEST = 64 * 1024  # characters; a longer text is refused unread


class NotMetadata(ValueError):
    """The text cannot be saved. The message tells its author where and why; `at` is the place, the
    index of a character, if there is one."""

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.at = at


class ChangedElsewhere(Exception):
    """The API's metadata, `current`, is no longer what the edit began with."""

    def __init__(self, current: dict[str, Any]) -> None:
        super().__init__("The metadata was changed elsewhere.")
        self.current = current


async def fetch_metadata(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """The metadata of the user at `url`.

    Raises:
        AuthError, httpx.HTTPError, ValueError: the API has not answered with a user.
    """
    return pluck_metadata((await http.get(url)).raise_for_status().json())


async def save_metadata(
    http: httpx.AsyncClient, url: str, base: dict[str, Any], edited: dict[str, Any]
) -> dict[str, Any]:
    """Replace the metadata `base` by `edited`, and return what the API then has.

    The API has no conditional PATCH, so this reads the metadata first. It reads it again where the
    answer does not say whether the change was carried out: 202, 204, or a gateway's 504.

    Raises:
        ChangedElsewhere: the metadata is no longer `base`.
        AuthError, httpx.HTTPError, ValueError: the change was not carried out.
    """
    current = await fetch_metadata(http, url)
    if current != base:
        raise ChangedElsewhere(current)
    changes = changes_between(base, edited)
    if not changes:
        return current
    try:
        response = await http.patch(url, json={"user_metadata": changes})
        user = response.raise_for_status().json()
        # A 202 may have a body that is no user: it must not be shown as a user without metadata.
        return pluck_metadata(user if "user_metadata" in user else None)
    except (httpx.HTTPError, TypeError, ValueError) as error:
        if isinstance(error, httpx.HTTPStatusError) and error.response.is_client_error:
            raise
        now = await fetch_metadata(http, url)
        if now == base:
            raise
        return now


def pluck_metadata(user: Any) -> dict[str, Any]:
    """The `user_metadata` in the API's response; empty if the user has none yet.

    Raises:
        ValueError: the response is not a user.
    """
    metadata = user.get("user_metadata", {}) if isinstance(user, dict) else None
    if not isinstance(metadata, dict):
        raise ValueError("The API's answer is not a user.")
    return metadata


def as_text(metadata: dict[str, Any]) -> str:
    """Metadata as indented JSON, to read and edit."""
    return json.dumps(metadata, indent=2, ensure_ascii=False)


def parse_metadata(text: str) -> dict[str, Any]:
    """The JSON object (RFC 8259) in a text.

    Raises:
        NotMetadata: the text is too long, or is not a JSON object that can be sent as UTF-8.
    """
    if len(text) > LONGEST:
        raise NotMetadata(f"This is too long: {len(text):,} characters of at most {LONGEST:,}.")
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise NotMetadata(
            f"This is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.",
            error.pos,
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


def line_around(text: str, at: int) -> tuple[str, str, str]:
    """The line of a text that has the character at this index: what is before it, the character (a
    space at the end of the line), and what is after it. At most 60 characters of each side."""
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line, column = text[start : end if end >= 0 else len(text)], at - start
    return (
        line[max(0, column - 60) : column],
        line[column : column + 1] or " ",
        line[column + 1 :][:60],
    )


def changes_between(base: dict[str, Any], edited: dict[str, Any]) -> dict[str, Any]:
    """The body of the PATCH that turns `base` into `edited`. Auth0 merges the first level, replaces
    what is below it, and deletes members that are `null`."""
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
