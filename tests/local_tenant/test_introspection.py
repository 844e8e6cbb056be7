"""Token introspection (RFC 7662): own tokens only."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..flow.world import OTHER_AUDIENCE
from .visitor import ALICE, API, CLIENT, Visitor

SERVICE = ("external-api", "secret-of-the-api")


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    """A tenant with an application that is the second API."""
    seeds = tmp_path / "seeds.json"
    names = ("client_id", "client_secret", "resource_server_identifier")
    application = dict(zip(names, (*SERVICE, OTHER_AUDIENCE), strict=True))
    seeds.write_text(json.dumps({"applications": [application]}))
    visitor = Visitor(tmp_path, seed_file=seeds)
    yield visitor
    await visitor.browser.aclose()
    await visitor.application.aclose()


async def introspect(visitor: Visitor, token: str, auth: Any = CLIENT) -> httpx.Response:
    """The answer to a question about a token."""
    return await visitor.application.post("/oauth/introspect", data={"token": token}, auth=auth)


async def test_own_tokens(visitor: Visitor) -> None:
    """A client learns what its own access and refresh tokens are worth."""
    tokens = await visitor.tokens()
    of_access = (await introspect(visitor, tokens["access_token"])).json()
    assert of_access["active"] is True
    assert (of_access["client_id"], of_access["sub"]) == ("local-app", ALICE)
    assert API in of_access["aud"]
    assert (of_access["token_type"], of_access["exp"]) == ("Bearer", int(visitor.clock.now) + 3600)
    of_refresh = (await introspect(visitor, tokens["refresh_token"])).json()
    assert (of_refresh["active"], of_refresh["sub"]) == (True, ALICE)


async def test_an_api(visitor: Visitor) -> None:
    """An API learns of the access tokens that are for it, whoever got them, and of no others."""
    messages = await visitor.tokens(audience=OTHER_AUDIENCE, scope="openid read:messages")
    found = (await introspect(visitor, messages["access_token"], SERVICE)).json()
    assert (found["active"], found["scope"]) == (True, "openid read:messages")
    tokens = await visitor.tokens()
    for name in ("access_token", "refresh_token"):
        assert (await introspect(visitor, tokens[name], SERVICE)).json() == {"active": False}


async def test_inactive(visitor: Visitor) -> None:
    """Of a text that is no token, an ID token, a used, revoked or expired token, and one of a
    blocked user, a client learns only that it is not active."""
    tokens = await visitor.tokens()
    next_ = (await visitor.refresh(tokens["refresh_token"])).json()["refresh_token"]
    for token in ("x", "a.b.c", tokens["id_token"], tokens["refresh_token"]):
        assert (await introspect(visitor, token)).json() == {"active": False}
    await visitor.dashboard(f"/users/{ALICE.replace('|', '%7C')}", action="block")
    for token in (tokens["access_token"], next_):
        assert (await introspect(visitor, token)).json() == {"active": False}
    await visitor.dashboard(f"/users/{ALICE.replace('|', '%7C')}", action="unblock")
    assert (await introspect(visitor, tokens["access_token"])).json()["active"] is True
    visitor.clock.now += 3600
    assert (await introspect(visitor, tokens["access_token"])).json() == {"active": False}


async def test_clients(visitor: Visitor) -> None:
    """Only a client with credentials may ask; the answer is not kept by caches."""
    tokens = await visitor.tokens()
    assert (
        await introspect(visitor, tokens["access_token"], ("local-app", "x"))
    ).status_code == 401
    form = {"token": tokens["access_token"], "client_id": "local-spa"}
    public = await visitor.application.post("/oauth/introspect", data=form)
    assert public.status_code == 401
    missing = await visitor.application.post("/oauth/introspect", auth=CLIENT, data={"x": "y"})
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")
    right = await introspect(visitor, tokens["access_token"])
    assert right.headers["cache-control"] == "no-store"
