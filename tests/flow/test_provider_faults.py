"""A provider that is down or answers nonsense: a clear error, and no session."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from .world import APP, World, error_code

KEYS = "/.well-known/jwks.json"
DISCOVERY = "/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(200, html="<html>hello</html>"), "provider_error"),
        (httpx.Response(200, json=["not", "an", "object"]), "provider_error"),
        (httpx.Response(200, json={"issuer": "https://other.example/"}), "issuer_mismatch"),
        (httpx.Response(200, json={"issuer": "http://127.0.0.1:4400/"}), "provider_error"),
        (
            httpx.Response(
                200,
                json={
                    "issuer": "http://127.0.0.1:4400/",
                    "authorization_endpoint": "http://evil.example/authorize",
                    "token_endpoint": "http://127.0.0.1:4400/oauth/token",
                    "jwks_uri": "http://127.0.0.1:4400/jwks",
                },
            ),
            "provider_error",
        ),
        (httpx.Response(302, headers={"location": "https://evil.example"}), "provider_error"),
        (httpx.Response(404, json={}), "provider_error"),
        (httpx.Response(200, content=b"{" + b" " * 600_000), "provider_error"),
    ],
    ids=[
        *("html", "array", "other issuer", "no endpoints", "http endpoint", "redirect", "404"),
        "too large",
    ],
)
async def test_bad_discovery(
    world: World, browser: httpx.AsyncClient, answer: httpx.Response, code: str
) -> None:
    """Discovery that cannot be trusted stops the login before the browser is sent anywhere."""
    world.network.answers[DISCOVERY] = answer
    assert error_code(await browser.get(f"{APP}/auth/login")) == code


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "value": 503, "endpoint": "/oauth/token"}, "provider_unavailable"),
        ({"kind": "status", "value": 429, "endpoint": "/oauth/token"}, "provider_unavailable"),
        ({"kind": "status", "value": 500, "endpoint": KEYS}, "provider_unavailable"),
        ({"kind": "wrong_audience", "value": "id_token"}, "invalid_id_token"),
        ({"kind": "clock", "value": -86_400}, "invalid_id_token"),
        ({"kind": "clock", "value": 3600}, "invalid_id_token"),
    ],
    ids=["503", "429", "no keys", "wrong audience", "slow clock", "fast clock"],
)
async def test_fault_at_login(
    world: World, browser: httpx.AsyncClient, fault: dict[str, Any], code: str
) -> None:
    """A fault of the provider in a login is named and makes no session; the next login works."""
    url = await world.begin(browser)
    await world.fault(**fault)
    assert error_code(await browser.get(await world.answer(browser, url))) == code
    assert "auth_session_3000" not in browser.cookies
    await world.mend()
    await world.log_out_at_tenant(browser)
    world.clock.now += 60  # the keys are not asked for at once again
    assert (await world.log_in(browser)).headers["location"] == f"{APP}/profile"


async def test_discovery_fails(world: World, browser: httpx.AsyncClient) -> None:
    """A provider whose metadata cannot be had is down; the next login asks again."""
    await world.fault("status", value=503, endpoint=DISCOVERY, times=1)
    assert error_code(await browser.get(f"{APP}/auth/login")) == "provider_unavailable"
    assert (await world.log_in(browser)).headers["location"] == f"{APP}/profile"


@pytest.mark.parametrize("old_key", ["keep", "drop"])
async def test_key_rotation(world: World, browser: httpx.AsyncClient, old_key: str) -> None:
    """A key that the app does not know yet is fetched."""
    await world.log_in(browser)
    world.clock.now += 60
    await world.fault("rotate_keys", value=old_key)
    assert (await world.log_in(browser)).headers["location"] == f"{APP}/profile"


async def test_withdrawn_claims(world: World, browser: httpx.AsyncClient) -> None:
    """A login goes on without claims that the provider withdraws."""
    await world.fault("withdraw_claims", value="email name")
    await world.log_in(browser)
    assert not {"email", "name"} & (await world.profile(browser)).keys()


async def test_unreachable(world: World, browser: httpx.AsyncClient) -> None:
    """A provider that does not answer is said to be down, also when it answered before."""
    await world.begin(browser)
    world.network.is_cut = True
    assert error_code(await browser.get(f"{APP}/auth/login")) == "provider_unavailable"
    world.network.is_cut = False
    assert (await world.log_in(browser)).headers["location"] == f"{APP}/profile"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(200, html="hello"), "provider_error"),
        (httpx.Response(200, json={"token_type": "Bearer"}), "provider_error"),
        (
            httpx.Response(200, json={"access_token": "a\r\nb", "token_type": "Bearer"}),
            "provider_error",
        ),
        (httpx.Response(200, json={"access_token": "a", "token_type": "mac"}), "provider_error"),
        (
            httpx.Response(
                200, json={"access_token": "a", "token_type": "Bearer", "expires_in": True}
            ),
            "provider_error",
        ),
        (
            httpx.Response(200, json={"access_token": "a", "token_type": "Bearer"}),
            "invalid_id_token",
        ),
        (httpx.Response(400, json={"error": "invalid_client"}), "token_endpoint_error"),
    ],
    ids=[
        *("html", "no token", "split header", "other type", "bad expiry"),
        *("no id token", "refused"),
    ],
)
async def test_bad_token_response(
    world: World, browser: httpx.AsyncClient, answer: httpx.Response, code: str
) -> None:
    """A token response that lacks what the RFC requires makes no session."""
    url = await world.answer(browser, await world.begin(browser))
    world.network.answers["/oauth/token"] = answer
    assert error_code(await browser.get(url)) == code
    assert "auth_session_3000" not in browser.cookies
