"""UserInfo: the claims that the access token's scope covers."""

from __future__ import annotations

import pytest

from .visitor import ALICE, Visitor


@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ("openid", {"sub"}),
        ("openid email", {"sub", "email", "email_verified"}),
        (
            "openid profile",
            {
                *("sub", "name", "given_name", "family_name", "nickname"),
                *("picture", "updated_at"),
            },
        ),
    ],
)
async def test_claims(visitor: Visitor, scope: str, claims: set[str]) -> None:
    """Each scope has its claims (OpenID Connect Core section 5.4)."""
    tokens = await visitor.tokens(scope=scope)
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    document = (await visitor.application.get("/userinfo", headers=headers)).json()
    assert document.keys() == claims
    assert document["sub"] == ALICE


async def test_refused(visitor: Visitor) -> None:
    """Without a valid access token with the scope openid there is 401 and a challenge."""
    tokens = await visitor.tokens()
    narrow = await visitor.tokens(scope="read:current_user")
    visitor_headers = [
        {},
        {"Authorization": f"Basic {tokens['access_token']}"},
        {"Authorization": "Bearer garbage"},
        {"Authorization": f"Bearer {tokens['id_token']}"},
        {"Authorization": f"Bearer {narrow['access_token']}"},
    ]
    for headers in visitor_headers:
        response = await visitor.application.get("/userinfo", headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")
    visitor.clock.now += 3600
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await visitor.application.get("/userinfo", headers=headers)).status_code == 401
