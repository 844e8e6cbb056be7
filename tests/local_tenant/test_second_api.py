"""A second API: its own audience and scopes, and refresh tokens that serve for both."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from ..flow.world import OTHER_AUDIENCE
from .visitor import API, SCOPE, Visitor

IDENTITY = "openid profile email offline_access"


async def test_scopes_belong_to_their_api(visitor: Visitor) -> None:
    """A scope is granted for the API it belongs to, and not for another."""
    scope = f"{IDENTITY} read:current_user read:messages"
    external = await visitor.tokens(audience=OTHER_AUDIENCE, scope=scope)
    management = await visitor.tokens(audience=API, scope=scope)
    assert external["scope"].split() == [*IDENTITY.split(), "read:messages"]
    assert management["scope"].split() == [*IDENTITY.split(), "read:current_user"]
    claims = (await visitor.decoded(external["access_token"])).claims
    assert claims["aud"][0] == OTHER_AUDIENCE


async def test_consent_names_it(visitor: Visitor) -> None:
    """The consent page says what the second API's scope allows."""
    await visitor.code()
    response = await visitor.authorize(audience=OTHER_AUDIENCE, scope="openid read:messages")
    page = await visitor.browser.get(response.headers["location"])
    assert "Read your messages" in page.text


async def test_refresh_for_another_audience(visitor: Visitor) -> None:
    """With consent, a refresh token gets a token for the other API, and stays what it was."""
    await visitor.code(audience=OTHER_AUDIENCE, scope=f"{IDENTITY} read:messages")
    tokens = await visitor.tokens()
    other = (
        await visitor.refresh(
            tokens["refresh_token"], audience=OTHER_AUDIENCE, scope="read:messages"
        )
    ).json()
    claims = (await visitor.decoded(other["access_token"])).claims
    assert claims["aud"][0] == OTHER_AUDIENCE
    assert "read:messages" in claims["scope"].split()
    first = (await visitor.refresh(other["refresh_token"])).json()
    assert (await visitor.decoded(first["access_token"])).claims["aud"][0] == API
    assert first["scope"] == SCOPE


async def test_without_scope(visitor: Visitor) -> None:
    """Without a scope it is all that the user has allowed there, which may be nothing."""
    tokens = await visitor.tokens()
    other = (await visitor.refresh(tokens["refresh_token"], audience=OTHER_AUDIENCE)).json()
    assert other["scope"] == IDENTITY


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"audience": OTHER_AUDIENCE, "scope": "read:messages"}, "consent_required"),
        ({"audience": "https://unknown.example/"}, "access_denied"),
        ({"scope": "read:messages"}, "invalid_scope"),
    ],
)
async def test_refused(visitor: Visitor, form: dict[str, str], error: str) -> None:
    """A request for too much is refused, and its refresh token is still good."""
    tokens = await visitor.tokens()
    assert (await visitor.refresh(tokens["refresh_token"], **form)).json()["error"] == error
    assert (await visitor.refresh(tokens["refresh_token"])).status_code == 200


async def test_consents_add_up(visitor: Visitor) -> None:
    """Allowing one scope after another does not take the first one back."""
    await visitor.code(scope="openid read:current_user")
    await visitor.code(scope="openid update:current_user_metadata")
    with closing(sqlite3.connect(visitor.file)) as database:
        ((scope,),) = database.execute("SELECT scope FROM consents").fetchall()
    assert set(scope.split()) == {"openid", "read:current_user", "update:current_user_metadata"}


async def test_browser_side_client(visitor: Visitor) -> None:
    """The browser-side client needs the user's consent, as the one with a secret does."""
    spa = {"client_id": "local-spa"}
    tokens = await visitor.tokens(auth=None, **spa)
    response = await visitor.refresh(
        tokens["refresh_token"], auth=None, audience=OTHER_AUDIENCE, scope="read:messages", **spa
    )
    assert response.json()["error"] == "consent_required"
