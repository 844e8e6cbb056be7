"""Pushed authorization requests (RFC 9126)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from ..flow.world import APP
from .visitor import CLIENT, Visitor, answer


async def push(visitor: Visitor, *, auth: Any = CLIENT, **changes: str | None) -> httpx.Response:
    """Push the usual request, with these changes."""
    parameters = dict(parse_qsl(urlsplit(visitor.authorize_url(**changes)).query))
    return await visitor.application.post("/oauth/par", data=parameters, auth=auth)


def reference(visitor: Visitor, uri: str, client_id: str = "local-app") -> str:
    """The authorization request that refers to a pushed one."""
    return str(httpx.URL("/authorize", params={"client_id": client_id, "request_uri": uri}))


async def test_push(visitor: Visitor) -> None:
    """A pushed request is answered as at Auth0, leads to a login once, and shows no parameter."""
    await visitor.code()
    pushed = await push(visitor, state="pushed state")
    assert pushed.status_code == 201
    document = pushed.json()
    assert document["expires_in"] == 30
    assert document["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
    url = reference(visitor, document["request_uri"])
    response = answer(await visitor.browser.get(url))
    assert response["state"] == "pushed state"
    assert (await visitor.redeem(response["code"])).status_code == 200
    again = await visitor.browser.get(url)
    assert again.status_code == 400
    assert "location" not in again.headers


async def test_pages(visitor: Visitor) -> None:
    """The pages of a pushed request stay usable after the reference has been used up."""
    uri = (await push(visitor)).json()["request_uri"]
    page = (await visitor.browser.get(reference(visitor, uri))).headers["location"]
    form = {"username": "alice@example.com", "password": "password"}
    consent = (await visitor.browser.post(page, data=form)).headers["location"]
    assert "code" in answer(await visitor.browser.post(consent, data={"action": "accept"}))


async def test_reference(visitor: Visitor) -> None:
    """A reference of another client, one that has expired, and one that was never given, are
    refused on a page."""
    uri = (await push(visitor)).json()["request_uri"]
    for url in (
        reference(visitor, uri, "local-spa"),
        reference(visitor, f"{uri}x"),
        reference(visitor, "urn:ietf:params:oauth:request_uri:"),
    ):
        assert (await visitor.browser.get(url)).status_code == 400
    visitor.clock.now += 30
    assert (await visitor.browser.get(reference(visitor, uri))).status_code == 400


@pytest.mark.parametrize(
    ("changes", "error", "status"),
    [
        ({"redirect_uri": "https://evil.example/"}, "invalid_request", 400),
        ({"redirect_uri": "http://\\"}, "invalid_request", 400),
        ({"code_challenge": None}, "invalid_request", 400),
        ({"prompt": "bogus"}, "invalid_request", 400),
        ({"audience": "https://unknown.example/"}, "access_denied", 403),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request", 400),
    ],
)
async def test_bent_push(
    visitor: Visitor, changes: dict[str, str | None], error: str, status: int
) -> None:
    """What `/authorize` would refuse is refused at the push, without a redirect."""
    response = await push(visitor, **changes)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert "state" not in response.json()


async def test_client(visitor: Visitor) -> None:
    """A client pushes with its own credentials, for itself only; a public one without."""
    wrong = await push(visitor, auth=("local-app", "wrong"))
    assert wrong.status_code == 401
    assert (await push(visitor, auth=None)).status_code == 401
    public = await push(visitor, auth=None, client_id="local-spa", redirect_uri=f"{APP}/")
    assert public.status_code == 201
    mixed = await push(visitor, client_id="local-spa", redirect_uri=f"{APP}/")
    assert mixed.status_code in (400, 401)
