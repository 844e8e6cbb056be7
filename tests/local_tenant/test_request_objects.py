"""Authorization requests as signed JWTs (RFC 9101)."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from ..flow.world import TENANT, through_the_pages
from .administrator import Administrator
from .visitor import CLIENT, Visitor, query_of

KEY = ECKey.generate_key("P-256", {"kid": "signing"})
OTHER = ECKey.generate_key("P-256", {"kid": "signing"})


@functools.cache
def rsa_key() -> RSAKey:
    """Made once, and not when tests are collected: it takes its time."""
    return RSAKey.generate_key(2048, {"kid": "rsa"})


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    """A tenant that knows the keys of `local-app`."""
    seeds = tmp_path / "seeds.json"
    keys = [KEY.as_dict(private=False), rsa_key().as_dict(private=False)]
    seeds.write_text(
        json.dumps({"applications": [{"client_id": "local-app", "jwks": {"keys": keys}}]})
    )
    visitor = Visitor(tmp_path, seed_file=seeds)
    yield visitor
    await visitor.browser.aclose()
    await visitor.application.aclose()


def request_object(
    visitor: Visitor, key: Any = KEY, alg: str = "ES256", typ: str | None = None, **changes: Any
) -> str:
    """The usual request, signed; None leaves a claim out."""
    parameters: dict[str, Any] = dict(parse_qsl(urlsplit(visitor.authorize_url()).query))
    now = int(visitor.clock.now)
    claims = {
        **parameters,
        "iss": "local-app",
        "aud": f"{TENANT}/",
        "exp": now + 60,
        "iat": now,
        **changes,
    }
    header = {"alg": alg, "kid": key.kid, **({"typ": typ} if typ else {})}
    return jwt.encode(header, {k: v for k, v in claims.items() if v is not None}, key, [alg])


def url_of(request: str, **further: str) -> str:
    """The authorization request with an object."""
    return (
        f"{TENANT}/authorize?{urlencode({'client_id': 'local-app', 'request': request, **further})}"
    )


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256"])
async def test_signed(visitor: Visitor, alg: str) -> None:
    """What is signed is the request. Parameters beside it change nothing and add nothing."""
    key = KEY if alg == "ES256" else rsa_key()
    request = request_object(visitor, key, alg, "oauth-authz-req+jwt", state="signed")
    url = url_of(request, state="beside", scope="openid", prompt="none", max_age="0")
    answer = query_of(await through_the_pages(visitor.browser, url))
    assert answer["state"] == "signed"
    tokens = (await visitor.redeem(answer["code"])).json()
    assert "read:current_user" in tokens["scope"]


async def test_pushed(visitor: Visitor) -> None:
    """An object may be pushed, too, by its own client."""
    form = {"request": request_object(visitor, max_age=600)}
    pushed = await visitor.application.post("/oauth/par", data=form, auth=CLIENT)
    assert pushed.status_code == 201
    query = urlencode({"client_id": "local-app", "request_uri": pushed.json()["request_uri"]})
    url = await through_the_pages(visitor.browser, f"{TENANT}/authorize?{query}")
    assert (await visitor.redeem(query_of(url)["code"])).status_code == 200
    bent = await visitor.application.post("/oauth/par", data={"request": "x"}, auth=CLIENT)
    assert (bent.status_code, bent.json()["error"]) == (400, "invalid_request_object")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"key": OTHER}, id="another key"),
        {"client_id": "local-spa"},
        {"iss": "local-spa"},
        {"iss": None},
        {"aud": "https://other.example/"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"nbf": 10**10},
        {"sub": "local-app"},
        {"request": "x"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
        {"typ": "logout+jwt"},
    ],
    ids=str,
)
async def test_refused(visitor: Visitor, changes: dict[str, Any]) -> None:
    """An object of another key, client or time is refused on a page: its redirect URI is not to be
    trusted, and that beside it is not part of it."""
    beside = dict(parse_qsl(urlsplit(visitor.authorize_url()).query))
    response = await visitor.browser.get(
        url_of(request_object(visitor, **changes), **{**beside, "client_id": "local-app"})
    )
    assert (response.status_code, "location" in response.headers) == (400, False)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "a.b.c.d.e"])
async def test_no_object(visitor: Visitor, text: str) -> None:
    """A text that is not a signed JWT is refused, also one with `alg` none and an encrypted one."""
    response = await visitor.browser.get(url_of(text))
    assert (response.status_code, "location" in response.headers) == (400, False)


async def test_client_without_keys(visitor: Visitor) -> None:
    """A client without registered keys, and one that does not exist, cannot sign."""
    for client_id in ("local-spa", "nobody"):
        query = urlencode({"client_id": client_id, "request": request_object(visitor)})
        assert (await visitor.browser.get(f"/authorize?{query}")).status_code == 400


@pytest.mark.parametrize("keys", [[{}], [1], 5, [{"kty": []}], [{"kty": "EC", "x": "A"}]], ids=str)
async def test_unusable_keys(visitor: Visitor, admin: Administrator, keys: Any) -> None:
    """A client whose registered keys are none is refused, for an object and for an assertion."""
    await admin.call("PATCH", "/clients/{}", "local-app", body={"jwks": {"keys": keys}})
    assert (await visitor.browser.get(url_of(request_object(visitor)))).status_code == 400
    form = {
        "grant_type": "client_credentials",
        "client_id": "local-app",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": "eyJhbGciOiJSUzI1NiJ9.e30.AAAA",
    }
    assert (await visitor.token(auth=None, **form)).status_code == 401


async def test_what_is_signed_is_checked(visitor: Visitor) -> None:
    """A signature does not help a redirect URI that is not registered, nor replace PKCE."""
    for changes in ({"redirect_uri": "https://evil.example/"}, {"prompt": "bogus"}):
        response = await visitor.browser.get(url_of(request_object(visitor, **changes)))
        assert "evil.example" not in response.headers.get("location", "")
        assert "error=invalid_request" in response.headers.get("location", "error=invalid_request")
    without = await visitor.browser.get(url_of(request_object(visitor, code_challenge=None)))
    assert "error=invalid_request" in without.headers["location"]
