"""Refresh tokens: rotated at every use, and a second use ends the family."""

from __future__ import annotations

from pathlib import Path

import pytest

from .visitor import SCOPE, Visitor


async def test_rotation(visitor: Visitor) -> None:
    """Each use gives another refresh token and a fresh access token of the same scope."""
    tokens = await visitor.tokens()
    for _ in range(3):
        visitor.clock.now += 3600
        new = (await visitor.refresh(tokens["refresh_token"])).json()
        assert new["refresh_token"] != tokens["refresh_token"]
        assert new["access_token"] != tokens["access_token"]
        assert new["scope"] == SCOPE
        claims = (await visitor.decoded(new["access_token"])).claims
        assert claims["exp"] == int(visitor.clock()) + 3600
        tokens = new


async def test_reuse(visitor: Visitor) -> None:
    """A refresh token used a second time is refused, and so is its successor from then on."""
    first = await visitor.tokens()
    second = (await visitor.refresh(first["refresh_token"])).json()
    for token in (first, second):
        response = await visitor.refresh(token["refresh_token"])
        assert response.status_code == 403
        assert response.json() == {
            "error": "invalid_grant",
            "error_description": "Unknown or invalid refresh token.",
        }


async def test_overlap(tmp_path: Path) -> None:
    """A tenant with a rotation overlap takes a used refresh token again for that long: whoever did
    not get the answer may ask once more. After that, reuse ends the family."""
    visitor = Visitor(tmp_path, rotation_overlap=10)
    first = await visitor.tokens()
    second = (await visitor.refresh(first["refresh_token"])).json()
    visitor.clock.now += 9
    again = (await visitor.refresh(first["refresh_token"])).json()
    assert again["refresh_token"] != second["refresh_token"]
    visitor.clock.now += 1
    assert (await visitor.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await visitor.refresh(again["refresh_token"])).json()["error"] == "invalid_grant"


async def test_reuse_spares_others(visitor: Visitor) -> None:
    """The family of another login is untouched."""
    other = await visitor.tokens()
    first = await visitor.tokens()
    await visitor.refresh(first["refresh_token"])
    await visitor.refresh(first["refresh_token"])
    assert (await visitor.refresh(other["refresh_token"])).status_code == 200


async def test_expiry(visitor: Visitor) -> None:
    """A refresh token ends after thirty days without use."""
    tokens = await visitor.tokens()
    visitor.clock.now += 30 * 86_400
    assert (await visitor.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_another_client(visitor: Visitor) -> None:
    """A refresh token is of no use to another client, whose attempt does not spend it."""
    tokens = await visitor.tokens()
    stolen = await visitor.refresh(tokens["refresh_token"], auth=None, client_id="local-spa")
    assert stolen.json()["error"] == "invalid_grant"
    assert (await visitor.refresh(tokens["refresh_token"])).status_code == 200


async def test_narrower(visitor: Visitor) -> None:
    """A part of the scope may be asked for; the next refresh gets all of it again."""
    tokens = await visitor.tokens()
    narrow = (await visitor.refresh(tokens["refresh_token"], scope="read:current_user")).json()
    assert narrow["scope"] == "read:current_user"
    claims = (await visitor.decoded(narrow["access_token"])).claims
    assert claims["scope"] == "read:current_user"
    wide = (await visitor.refresh(narrow["refresh_token"])).json()
    assert wide["scope"] == SCOPE


async def test_wider(visitor: Visitor) -> None:
    """More than was granted is refused (RFC 6749 section 6)."""
    tokens = await visitor.tokens(scope="openid offline_access")
    response = await visitor.refresh(tokens["refresh_token"], scope="openid read:current_user")
    assert response.json()["error"] == "invalid_scope"


@pytest.mark.parametrize("token", ["", "garbage", "x" * 2000])
async def test_unknown(visitor: Visitor, token: str) -> None:
    """What is no refresh token is refused."""
    assert (await visitor.refresh(token)).json()["error"] in ("invalid_grant", "invalid_request")


async def test_revocation(visitor: Visitor) -> None:
    """Revoking a refresh token ends its family, with an empty 200 as Auth0 answers (RFC 7009)."""
    first = await visitor.tokens()
    second = (await visitor.refresh(first["refresh_token"])).json()
    form = {"token": second["refresh_token"], "token_type_hint": "refresh_token"}
    auth = ("local-app", "local-secret")
    response = await visitor.application.post("/oauth/revoke", data=form, auth=auth)
    assert (response.status_code, response.content) == (200, b"")
    assert (await visitor.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"


async def test_revocation_of_nothing(visitor: Visitor) -> None:
    """Revoking an unknown token is a success, and only a client may try."""
    form = {"token": "unknown"}
    for auth, status in ((("local-app", "local-secret"), 200), (("local-app", "wrong"), 401)):
        response = await visitor.application.post("/oauth/revoke", data=form, auth=auth)
        assert response.status_code == status


async def test_id_token(visitor: Visitor) -> None:
    """A refresh brings an ID token of the same login, without a nonce, with current claims."""
    first = await visitor.tokens()
    login = (await visitor.decoded(first["id_token"])).claims
    visitor.clock.now += 3600
    refreshed = (await visitor.refresh(first["refresh_token"])).json()
    claims = (await visitor.decoded(refreshed["id_token"])).claims
    same = ("iss", "aud", "sub", "sid", "auth_time", "name", "email")
    assert {name: claims[name] for name in same} == {name: login[name] for name in same}
    assert login["nonce"] == "nonce-value"
    assert "nonce" not in claims
    assert claims["iat"] == int(visitor.clock())
    assert claims["at_hash"] != login["at_hash"]


async def test_no_id_token(tmp_path: Path) -> None:
    """Without `openid` a refresh brings no ID token, nor does one of a tenant that is set so."""
    visitor = Visitor(tmp_path / "one")
    tokens = await visitor.tokens(scope="offline_access read:current_user")
    assert "id_token" not in (await visitor.refresh(tokens["refresh_token"])).json()
    visitor = Visitor(tmp_path / "other", id_token_on_refresh=False)
    tokens = await visitor.tokens()
    assert "id_token" in tokens
    assert "id_token" not in (await visitor.refresh(tokens["refresh_token"])).json()
