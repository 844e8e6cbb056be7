"""Which tokens the API takes, and how it refuses the others (RFC 9068, RFC 6750)."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from ..flow.world import OTHER_AUDIENCE, TENANT
from .conftest import IDENTITY, Caller


async def test_good_token(caller: Caller) -> None:
    """A token for this audience with the scope gets the messages."""
    response = await caller.call(await caller.token())
    assert response.status_code == 200
    document = response.json()
    assert document["msg"] == "Your access token was successfully validated!"
    assert document["messages"]


async def test_no_token(caller: Caller) -> None:
    """Without a token there is a bare challenge, which names no error (RFC 6750 section 3.1)."""
    response = await caller.http.get("/api/external")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="external"'


async def test_scope_missing(caller: Caller) -> None:
    """A good token without the scope is told which one is missing."""
    response = await caller.call(await caller.token(IDENTITY))
    assert response.status_code == 403
    assert (
        'error="insufficient_scope", scope="read:messages"'
        in (response.headers["www-authenticate"])
    )
    assert response.json()["scope"] == "read:messages"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example/"},
        {"iss": TENANT},
        {"aud": f"{TENANT}/api/v2/"},
        {"aud": OTHER_AUDIENCE + "x"},
        {"aud": []},
        {"aud": None},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"client_id": None},
    ],
    ids=repr,
)
async def test_claims(caller: Caller, claims: dict[str, Any]) -> None:
    """A token with a claim that is wrong or missing is refused, though its signature is good."""
    response = await caller.call(await caller.forged(**claims))
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


async def test_times(caller: Caller) -> None:
    """Clocks may differ by a minute, and by no more."""
    now = int(caller.visitor.clock())
    for name, good, bad in (
        ("exp", now - 59, now - 60),
        ("iat", now + 60, now + 61),
        ("nbf", now + 60, now + 61),
    ):
        assert (await caller.call(await caller.forged(**{name: good}))).status_code == 200
        assert (await caller.call(await caller.forged(**{name: bad}))).status_code == 401


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
async def test_type(caller: Caller, typ: str) -> None:
    """The type may be written in full and in any case (RFC 9068 section 2.1)."""
    assert (await caller.call(await caller.forged(header={"typ": typ}))).status_code == 200


@pytest.mark.parametrize("typ", ["JWT", "", None])
async def test_other_type(caller: Caller, typ: str | None) -> None:
    """A JWT of another type is no access token."""
    assert (await caller.call(await caller.forged(header={"typ": typ}))).status_code == 401


async def test_id_token(caller: Caller) -> None:
    """An ID token is no access token."""
    tokens = await caller.visitor.tokens(audience=OTHER_AUDIENCE)
    assert (await caller.call(tokens["id_token"])).status_code == 401


def with_public_key_as_secret(payload: str, key: RSAKey) -> str:
    """A token that a verifier takes who lets the header choose the algorithm."""
    header = json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": key.kid}).encode()
    text = b".".join((base64.urlsafe_b64encode(header).rstrip(b"="), payload.encode()))
    mac = hmac.digest(key.as_pem(private=False), text, "sha256")
    return b".".join((text, base64.urlsafe_b64encode(mac).rstrip(b"="))).decode()


async def test_other_keys_and_algorithms(caller: Caller) -> None:
    """Another key, the public key as a secret, and no signature at all are refused."""
    own = caller.visitor.signing_key()
    strange = RSAKey.generate_key(2048)
    good = await caller.token()
    header, payload, signature = good.split(".")
    tokens = [
        await caller.forged(key=strange),
        await caller.forged(key=strange, header={"kid": "unknown"}),
        with_public_key_as_secret(payload, own),
        f"{header}.{payload}.",
        f"{header}.{payload}.{signature[::-1]}",
        f"eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{payload}.",
    ]
    for token in tokens:
        assert (await caller.call(token)).status_code == 401


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer a b", "Basic eA==", "Bearer €", "Bearer " + "x" * 20_000],
    ids=["empty", "no token", "two", "basic", "odd", "long"],
)
async def test_malformed(caller: Caller, header: str) -> None:
    """A header that holds no single Bearer token is a bad request."""
    response = await caller.http.get(
        "/api/external",
        headers={b"Authorization": header.encode()},  # type: ignore[dict-item]
    )
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"


async def test_two_headers(caller: Caller) -> None:
    """So are two of them."""
    headers = [("Authorization", f"Bearer {await caller.token()}")] * 2
    assert (await caller.http.get("/api/external", headers=headers)).status_code == 400


async def test_token_elsewhere(caller: Caller) -> None:
    """A token in the query or in the form is not looked at."""
    token = await caller.token()
    response = await caller.http.get(f"/api/external?access_token={token}")
    assert response.status_code == 401


async def test_public(caller: Caller) -> None:
    """The public endpoint is for everybody; a token that comes along has to be good."""
    assert (await caller.http.get("/api/public")).json()["authenticated"] is False
    assert (await caller.call(await caller.token(IDENTITY), "/api/public")).json()["authenticated"]
    assert (await caller.call("a.b.c", "/api/public")).status_code == 401


async def test_unknown_endpoint(caller: Caller) -> None:
    """Another address, or method, is an error in JSON."""
    assert (await caller.http.get("/api/other")).json()["error"] == "not_found"
    response: httpx.Response = await caller.http.post("/api/external")
    assert response.status_code == 405
