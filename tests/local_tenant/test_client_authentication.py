"""Applications at the token endpoint: tokens for themselves, signed credentials, and no PKCE."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey, RSAKey

from ..flow.world import APP, OTHER_AUDIENCE, TENANT
from .visitor import API, CALLBACK, VERIFIER, Visitor

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


async def test_client_credentials(visitor: Visitor) -> None:
    """An application gets a token for itself, which reads every user and is no user's."""
    response = await visitor.token(grant_type="client_credentials", audience=API)
    assert response.status_code == 200
    document = response.json()
    assert document.keys() == {"access_token", "token_type", "expires_in", "scope"}
    claims = (await visitor.decoded(document["access_token"])).claims
    assert (claims["sub"], claims["gty"]) == ("local-app@clients", "client-credentials")
    assert claims["aud"] == API
    assert (await visitor.user(document["access_token"])).json()["email"] == "alice@example.com"
    some = await visitor.token(
        grant_type="client_credentials", audience=OTHER_AUDIENCE, scope="read:messages"
    )
    assert some.json()["scope"] == "read:messages"


@pytest.mark.parametrize(
    ("form", "error", "text"),
    [
        ({}, "access_denied", "Client is not authorized to access"),
        ({"audience": f"{TENANT}/userinfo"}, "access_denied", "Client is not authorized"),
        ({"audience": "https://no.example/"}, "access_denied", "Service not found: https://no"),
        ({"audience": API, "scope": "rule:the:world"}, "access_denied", "rule:the:world"),
        ({"audience": API, "scope": "read:current_user"}, "access_denied", "read:current_user"),
    ],
)
async def test_refused_credentials(
    visitor: Visitor, form: dict[str, str], error: str, text: str
) -> None:
    """An application gets no token without an audience, for UserInfo, for an unknown API, or with
    the scopes of users."""
    response = await visitor.token(grant_type="client_credentials", **form)
    assert (response.status_code, response.json()["error"]) == (403, error)
    assert text in response.json()["error_description"]


async def test_public_client(visitor: Visitor) -> None:
    """A client without a secret has no credentials."""
    form = {"client_id": "local-spa", "audience": API}
    response = await visitor.token(auth=None, grant_type="client_credentials", **form)
    assert response.status_code == 403
    assert response.json() == {
        "error": "unauthorized_client",
        "error_description": "Grant type 'client_credentials' not allowed for the client.",
    }


KEY = RSAKey.generate_key(2048, auto_kid=True)


@pytest.fixture
def signing(tmp_path: Path) -> Visitor:
    """A tenant with a client that has registered a key."""
    seeds = tmp_path / "seeds.json"
    jwks = {"keys": [KEY.as_dict(private=False)]}
    application = {
        "client_id": "signer",
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": jwks,
    }
    seeds.write_text(json.dumps({"applications": [application]}))
    return Visitor(tmp_path, seed_file=seeds)


def assertion(visitor: Visitor, client_id: str, **changes: Any) -> dict[str, Any]:
    """The claims of an assertion (RFC 7523 section 3)."""
    now = visitor.clock()
    claims = {"iss": client_id, "sub": client_id, "aud": f"{TENANT}/", "iat": now, "exp": now + 60}
    changed = {**claims, "jti": "one", **changes}
    return {name: value for name, value in changed.items() if value is not None}


async def credentials(visitor: Visitor, token: str, **form: str) -> int:
    """The status of an answer to an assertion."""
    response = await visitor.token(
        auth=None,
        grant_type="client_credentials",
        audience=API,
        client_assertion_type=TYPE,
        client_assertion=token,
        **form,
    )
    return response.status_code


async def test_assertions(signing: Visitor) -> None:
    """A client authenticates by its secret or its key, with the tenant or the token endpoint as
    audience; an assertion is accepted once."""
    with pytest.warns(SecurityWarning):
        secret = OctKey.import_key("local-secret")
    token = jwt.encode({"alg": "HS256"}, assertion(signing, "local-app"), secret)
    assert await credentials(signing, token, client_id="local-app") == 200
    assert await credentials(signing, token, client_id="local-app") == 401
    audience = [f"{TENANT}/oauth/token"]
    token = jwt.encode({"alg": "RS256"}, assertion(signing, "signer", aud=audience), KEY)
    assert await credentials(signing, token) == 200


BENT: dict[str, Callable[[Visitor], str]] = {
    "another audience": lambda v: signed(v, aud="https://evil.example/"),
    "expired": lambda v: signed(v, exp=v.clock()),
    "for long": lambda v: signed(v, exp=v.clock() + 301),
    "no end": lambda v: signed(v, exp=None),
    "end is a text": lambda v: signed(v, exp="never"),
    "no id": lambda v: signed(v, jti=None),
    "another issuer": lambda v: signed(v, iss="local-app"),
    "issuer is a list": lambda v: signed(v, iss=["signer"]),
    "another subject": lambda v: signed(v, sub="local-app"),
    "no signature": lambda v: signed(v).rpartition(".")[0] + ".",
    "another key": lambda v: signed(v, key=RSAKey.generate_key(2048, auto_kid=True)),
    "no token": lambda v: "x",
}


def signed(visitor: Visitor, *, key: RSAKey = KEY, **changes: Any) -> str:
    """An assertion of the client with a key."""
    return jwt.encode({"alg": "RS256"}, assertion(visitor, "signer", **changes), key)


@pytest.mark.parametrize("bent", BENT)
async def test_bent_assertion(signing: Visitor, bent: str) -> None:
    """An assertion that is not this client's, for this tenant and for now, is worth nothing."""
    assert await credentials(signing, BENT[bent](signing), client_id="signer") == 401


NO_PKCE = {"code_challenge": None, "code_challenge_method": None}


async def test_no_pkce(tmp_path: Path) -> None:
    """PKCE may be left out, as at Auth0, if that is set and the client has a secret. A verifier
    without a challenge is refused."""
    visitor = Visitor(tmp_path, require_pkce=False)
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK}
    redeemed = await visitor.token(code=await visitor.code(**NO_PKCE), **form)
    assert redeemed.status_code == 200
    code = await visitor.code(**NO_PKCE)
    assert (await visitor.token(code=code, code_verifier=VERIFIER, **form)).status_code == 400
    code = await visitor.code()
    assert (await visitor.token(code=code, **form)).status_code == 400
    spa = {"client_id": "local-spa", "redirect_uri": f"{APP}/"}
    response = await visitor.authorize(**NO_PKCE, **spa)
    assert "error=invalid_request" in response.headers["location"]
    plain = await visitor.authorize(code_challenge_method="plain")
    assert "error=invalid_request" in plain.headers["location"]


async def test_profiles(tmp_path: Path) -> None:
    """An API has access tokens of RFC 9068's profile or of Auth0's: one or the other."""
    seeds = tmp_path / "seeds.json"
    api = {"identifier": "https://auth0.example/", "token_dialect": "access_token"}
    seeds.write_text(json.dumps({"apis": [api]}))
    visitor = Visitor(tmp_path, seed_file=seeds)
    tokens = await visitor.tokens(audience="https://auth0.example/", scope="openid")
    auth0s = await visitor.decoded(tokens["access_token"])
    assert (auth0s.header["typ"], auth0s.claims["azp"]) == ("JWT", "local-app")
    assert not {"jti", "client_id"} & auth0s.claims.keys()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await visitor.application.get("/userinfo", headers=headers)).status_code == 200
    rfc9068 = await visitor.decoded((await visitor.tokens())["access_token"])
    assert rfc9068.header["typ"] == "at+jwt"
    assert "azp" not in rfc9068.claims
