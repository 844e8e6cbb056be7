"""Where the API gets the provider's keys from, and what it does when it cannot."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from joserfc.jwk import RSAKey

from .conftest import Caller

DISCOVERY, JWKS = "/.well-known/openid-configuration", "/.well-known/jwks.json"


async def test_fetched_once(caller: Caller) -> None:
    """Twenty callers at once make one fetch, and the keys are kept."""
    token = await caller.token()
    for _ in range(2):
        answers = await asyncio.gather(*(caller.call(token) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
    assert caller.network.paths == [DISCOVERY, JWKS]


async def test_rotation(caller: Caller) -> None:
    """A new key of the provider is found, and unknown ones cause one fetch in half a minute."""
    await caller.call(await caller.token())
    new = RSAKey.generate_key(2048, {"kid": "new"})
    forged = await caller.forged(key=new, header={"kid": "new"})
    document = {"keys": [new.as_dict(private=False)]}
    caller.network.answers[JWKS] = httpx.Response(200, json=document)
    for _ in range(3):
        assert (await caller.call(forged)).status_code == 401
    assert caller.network.paths.count(JWKS) == 1
    caller.visitor.clock.now += 30
    assert (await caller.call(forged)).status_code == 200
    assert caller.network.paths.count(JWKS) == 2


async def test_provider_down(caller: Caller) -> None:
    """Without any keys the API says to come back; with the ones it knew it goes on."""
    token = await caller.token()
    caller.network.is_cut = True
    response = await caller.call(token)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    caller.network.is_cut = False
    assert (await caller.call(token)).status_code == 200
    caller.network.is_cut = True
    caller.visitor.clock.now += 600
    assert (await caller.call(token)).status_code == 200


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (DISCOVERY, httpx.Response(200, json={"issuer": "https://evil.example/"})),
        (DISCOVERY, httpx.Response(200, html="hello")),
        (DISCOVERY, httpx.Response(302, headers={"location": "https://evil.example/"})),
        (DISCOVERY, httpx.Response(200, json=[])),
        (JWKS, httpx.Response(500)),
        (JWKS, httpx.Response(200, json={"keys": []})),
        (JWKS, httpx.Response(200, json={"keys": [{"kty": "oct", "kid": "x", "k": "eA"}]})),
        (JWKS, httpx.Response(200, content=b" " * 300_000)),
    ],
    ids=[
        *("other issuer", "html", "redirect", "list"),
        *("error", "no keys", "secret key", "large"),
    ],
)
async def test_unusable_answers(caller: Caller, path: str, answer: httpx.Response) -> None:
    """Nothing but the configured provider's keys counts; the API then says to come back."""
    token = await caller.token()
    caller.network.answers[path] = answer
    assert (await caller.call(token)).status_code == 503
