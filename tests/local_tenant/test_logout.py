"""Logging out at the tenant, by OpenID's endpoint and by Auth0's."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from ..flow.world import APP
from .visitor import Visitor


async def is_signed_in(visitor: Visitor) -> bool:
    """Whether the tenant knows who is at the browser."""
    location = (await visitor.authorize()).headers["location"]
    return not location.startswith("/u/login")


async def sid_of(visitor: Visitor, id_token: str) -> str:
    """The session that an ID token names."""
    return str((await visitor.decoded(id_token)).claims["sid"])


async def test_id_token_hint(visitor: Visitor) -> None:
    """With the ID token the session ends at once, also when that token has expired."""
    tokens = await visitor.tokens()
    visitor.clock.now += 7 * 86_400
    query = urlencode({"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": APP})
    response = await visitor.browser.get(f"/oidc/logout?{query}")
    assert response.headers["location"] == APP
    assert not await is_signed_in(visitor)


async def test_logout_hint(visitor: Visitor) -> None:
    """So it does with client_id and the session's sid; state comes back."""
    tokens = await visitor.tokens()
    form = {
        "client_id": "local-app",
        "logout_hint": await sid_of(visitor, tokens["id_token"]),
        "post_logout_redirect_uri": APP,
        "state": "a b",
    }
    response = await visitor.browser.post("/oidc/logout", data=form)
    assert response.headers["location"] == f"{APP}?state=a+b"
    assert not await is_signed_in(visitor)


@pytest.mark.parametrize("hint", [{}, {"logout_hint": "guess"}, {"id_token_hint": "guess"}])
async def test_asks(visitor: Visitor, hint: dict[str, str]) -> None:
    """Without a hint at this very session the person is asked, and only the answer logs out."""
    await visitor.tokens()
    query = urlencode({"client_id": "local-app", **hint})
    response = await visitor.browser.get(f"/oidc/logout?{query}")
    assert response.status_code == 200
    assert "Log out?" in response.text
    assert await is_signed_in(visitor)
    await visitor.browser.post("/u/logout")
    assert not await is_signed_in(visitor)


@pytest.mark.parametrize("target", ["https://evil.example/", f"{APP}/other", f"{APP}.evil.example"])
async def test_unregistered_target(visitor: Visitor, target: str) -> None:
    """An address that is not registered is not gone to, and the session stays."""
    tokens = await visitor.tokens()
    client = {"client_id": "local-app"}
    hint = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": target}
    queries = (
        f"/oidc/logout?{urlencode({**client, **hint})}",
        f"/v2/logout?{urlencode({**client, 'returnTo': target})}",
    )
    for query in queries:
        response = await visitor.browser.get(query)
        assert response.status_code == 400
        assert "You are still logged in" in response.text
    assert await is_signed_in(visitor)


async def test_auth0s_endpoint(visitor: Visitor) -> None:
    """Auth0's own endpoint logs out and goes to returnTo."""
    await visitor.tokens()
    query = urlencode({"client_id": "local-app", "returnTo": APP})
    response = await visitor.browser.get(f"/v2/logout?{query}")
    assert response.headers["location"] == APP
    assert not await is_signed_in(visitor)


async def test_refresh_tokens_end_too(visitor: Visitor) -> None:
    """Logging out at the tenant ends the refresh tokens of that session."""
    tokens = await visitor.tokens()
    await visitor.browser.get("/v2/logout?client_id=local-app")
    assert (await visitor.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
