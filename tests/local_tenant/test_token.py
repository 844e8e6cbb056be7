"""The token endpoint and authorization codes."""

from __future__ import annotations

import base64
import hashlib

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from ..flow.world import APP, TENANT
from .visitor import ALICE, API, CALLBACK, CLIENT, SCOPE, VERIFIER, Visitor


async def test_response(visitor: Visitor) -> None:
    """A code is redeemed for tokens that live as long as the response says, and is not cached."""
    response = await visitor.redeem(await visitor.code())
    assert response.headers["cache-control"] == "no-store"
    document = response.json()
    assert document.keys() == {
        *("access_token", "refresh_token", "id_token", "token_type", "expires_in", "scope")
    }
    assert (document["token_type"], document["expires_in"]) == ("Bearer", 3600)
    assert document["scope"].split() == SCOPE.split()


async def test_access_token(visitor: Visitor) -> None:
    """The access token is a signed JWT of RFC 9068 for the audience that was asked for."""
    token = await visitor.decoded((await visitor.tokens())["access_token"])
    assert (token.header["alg"], token.header["typ"]) == ("RS256", "at+jwt")
    claims, now = token.claims, int(visitor.clock())
    assert (claims["iss"], claims["sub"]) == (f"{TENANT}/", ALICE)
    assert claims["aud"] == [API, f"{TENANT}/userinfo"]
    assert (claims["iat"], claims["exp"]) == (now, now + 3600)
    assert (claims["client_id"], claims["scope"]) == ("local-app", SCOPE)
    assert claims["jti"]


async def test_id_token(visitor: Visitor) -> None:
    """The ID token is for this client and this login, and bound to its access token."""
    tokens = await visitor.tokens(nonce="this login")
    token = await visitor.decoded(tokens["id_token"])
    claims, now = token.claims, int(visitor.clock())
    assert (claims["iss"], claims["sub"], claims["nonce"]) == (f"{TENANT}/", ALICE, "this login")
    assert claims["aud"] in ("local-app", ["local-app"])
    assert (claims["iat"], claims["auth_time"]) == (now, now)
    assert claims["exp"] > now
    assert claims["sid"]
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


async def test_without_openid(visitor: Visitor) -> None:
    """Without the scope openid there is no ID token; without offline_access no refresh token."""
    tokens = await visitor.tokens(scope="read:current_user")
    assert not {"id_token", "refresh_token"} & tokens.keys()


async def test_without_audience(visitor: Visitor) -> None:
    """Without an audience the token is for UserInfo alone."""
    tokens = await visitor.tokens(audience=None)
    claims = (await visitor.decoded(tokens["access_token"])).claims
    assert claims["aud"] == f"{TENANT}/userinfo"


async def test_client_authentication(visitor: Visitor) -> None:
    """A confidential client may authenticate by Basic or in the form."""
    form = {"client_id": CLIENT[0], "client_secret": CLIENT[1]}
    assert (await visitor.redeem(await visitor.code(), auth=None, **form)).status_code == 200
    assert (await visitor.redeem(await visitor.code())).status_code == 200


async def test_json_body(visitor: Visitor) -> None:
    """The body may be JSON, as Auth0 takes it."""
    body = {
        "grant_type": "authorization_code",
        "client_id": CLIENT[0],
        "client_secret": CLIENT[1],
        "code": await visitor.code(),
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    response = await visitor.application.post("/oauth/token", json=body)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("auth", "form", "error"),
    [
        (("local-app", "wrong"), {}, "access_denied"),
        (("local-app", ""), {}, "access_denied"),
        (None, {"client_id": "local-app"}, "access_denied"),
        (("nobody", "local-secret"), {}, "invalid_client"),
        (None, {}, "invalid_client"),
    ],
    ids=["wrong secret", "empty secret", "no secret", "unknown client", "nobody"],
)
async def test_wrong_client(
    visitor: Visitor, auth: tuple[str, str] | None, form: dict[str, str], error: str
) -> None:
    """Without the client's own secret a code is worth nothing, and stays good for the client."""
    code = await visitor.code()
    response = await visitor.redeem(code, auth=auth, **form)
    assert (response.status_code, response.json()["error"]) == (401, error)
    assert (await visitor.redeem(code)).status_code == 200


async def test_public_client(visitor: Visitor) -> None:
    """The browser-side client has no secret; PKCE alone ties the code to it."""
    code = await visitor.code(client_id="local-spa", redirect_uri=f"{APP}/")
    form = {"client_id": "local-spa", "redirect_uri": f"{APP}/"}
    response = await visitor.token(
        grant_type="authorization_code", code=code, code_verifier=VERIFIER, auth=None, **form
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 64},
        {"code_verifier": create_s256_code_challenge(VERIFIER)},
        {"code_verifier": None},
        {"redirect_uri": f"{APP}/"},
        {"redirect_uri": None},
    ],
    ids=["other verifier", "the challenge", "no verifier", "other redirect", "no redirect"],
)
async def test_bent_code_request(visitor: Visitor, changes: dict[str, str | None]) -> None:
    """A code is good only with its own verifier and redirect_uri, and one attempt spends it."""
    code = await visitor.code()
    form: dict[str, str | None] = {"redirect_uri": CALLBACK, "code_verifier": VERIFIER, **changes}
    refused = await visitor.token(grant_type="authorization_code", code=code, **form)
    assert refused.status_code in (400, 403)
    assert refused.json()["error"] in ("invalid_grant", "invalid_request")
    assert "access_token" not in refused.json()


async def test_code_is_single_use(visitor: Visitor) -> None:
    """A code used twice is refused as Auth0 does it, and what its first use gave is revoked."""
    code = await visitor.code()
    tokens = (await visitor.redeem(code)).json()
    again = await visitor.redeem(code)
    assert (again.status_code, again.json()["error"]) == (403, "invalid_grant")
    assert again.json()["error_description"] == "Invalid authorization code"
    assert (await visitor.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await visitor.application.get("/userinfo", headers=headers)).status_code == 401
    assert (await visitor.user(tokens["access_token"])).status_code == 401


async def test_code_expires(visitor: Visitor) -> None:
    """A code lives for a minute."""
    code = await visitor.code()
    visitor.clock.now += 60
    assert (await visitor.redeem(code)).json()["error"] == "invalid_grant"


async def test_code_of_another_client(visitor: Visitor) -> None:
    """A code that one client got is of no use to another."""
    code = await visitor.code(client_id="local-spa")
    assert (await visitor.redeem(code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("grant_type", ["password", "implicit", "", None])
async def test_other_grants(visitor: Visitor, grant_type: str | None) -> None:
    """No other grant is offered."""
    response = await visitor.token(grant_type=grant_type, username="alice", password="password")
    assert response.status_code == 403
    assert response.json()["error"] == "unsupported_grant_type"
