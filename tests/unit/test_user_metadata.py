"""What a person writes into the metadata editor, and what is sent for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.components.problem import describe
from app.local_tenant.management.users import merged
from app.user_metadata import (
    LONGEST,
    ChangedElsewhere,
    NotMetadata,
    as_text,
    changes_between,
    line_around,
    parse_metadata,
    save_metadata,
)

URL = "https://api.example.com/api/v2/users/me"
User = dict[str, Any]


class Api:
    """An API that carries a change out, or does not, and then gives any answer."""

    def __init__(self, answer: Callable[[User], Response], *, carries_out: bool = True) -> None:
        self.metadata: User = {"color": "blue"}
        self._answer = answer
        self._carries_out = carries_out
        routes = [Route("/api/v2/users/me", self._user, methods=["GET", "PATCH"])]
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=routes)))

    async def _user(self, request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse({"user_metadata": self.metadata})
        if self._carries_out:
            self.metadata = merged(self.metadata, (await request.json())["user_metadata"])
        return self._answer({"user_metadata": self.metadata})


@pytest.mark.parametrize(
    "answer",
    [
        JSONResponse,
        lambda _: Response(status_code=204),
        lambda _: Response("accepted", 202),
        lambda _: Response("gateway timeout", 504),
    ],
    ids=["the user", "204", "202", "504"],
)
async def test_carried_out(answer: Callable[[User], Response]) -> None:
    """A change that was carried out is saved, whatever the API answers."""
    api = Api(answer)
    saved = await save_metadata(api.http, URL, {"color": "blue"}, {"color": "green"})
    assert saved == api.metadata == {"color": "green"}


@pytest.mark.parametrize("status", [202, 400, 413, 500, 504])
async def test_not_carried_out(status: int) -> None:
    """A change that was not carried out is a failure, whatever the API answers."""
    api = Api(lambda _: JSONResponse({"message": "No."}, status), carries_out=False)
    with pytest.raises((httpx.HTTPStatusError, ValueError)):
        await save_metadata(api.http, URL, {"color": "blue"}, {"color": "green"})


async def test_changed_elsewhere() -> None:
    """Metadata that somebody else has changed is not overwritten, and is handed over."""
    api = Api(JSONResponse)
    with pytest.raises(ChangedElsewhere) as caught:
        await save_metadata(api.http, URL, {"color": "red"}, {"color": "green"})
    assert caught.value.current == api.metadata == {"color": "blue"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"message": "Payload validation error."}, "(status 400): Payload validation error."),
        ({"message": "x" * 1000}, "(status 400): " + "x" * 200 + "."),
        ({"message": 1}, "(status 400)."),
        (["a list"], "(status 400)."),
    ],
)
def test_reason(body: Any, says: str) -> None:
    """The user reads the reason that the API gives for a refusal, shortened."""
    response = httpx.Response(400, json=body, request=httpx.Request("PATCH", URL))
    with pytest.raises(httpx.HTTPStatusError) as caught:
        response.raise_for_status()
    assert describe(caught.value).endswith(says)


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("odd_url", "two ways"),
        ("not_on_list", "allowed list"),
        (None, "Log out and log in again"),
    ],
)
def test_refused_without_token(reason: str | None, says: str) -> None:
    """Where no token went along, the user is not told to log in again, which cannot help."""
    extensions = {"auth_reason": reason} if reason else {}
    request = httpx.Request("GET", URL)
    response = httpx.Response(401, request=request, extensions=extensions)
    with pytest.raises(httpx.HTTPStatusError) as caught:
        response.raise_for_status()
    assert says in describe(caught.value)


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


@pytest.mark.parametrize(
    ("text", "at", "line"),
    [
        ("a\nbcd\ne", 3, ("b", "c", "d")),
        ("a\nbcd\ne", 5, ("bcd", " ", "")),
        ("", 0, ("", " ", "")),
        ("x" * 200, 100, ("x" * 60, "x", "x" * 60)),
    ],
)
def test_line_around(text: str, at: int, line: tuple[str, str, str]) -> None:
    """The line of an error is shown around its place, also at its end, and not without end."""
    assert line_around(text, at) == line
