"""A provider that is down or answers nonsense: a clear error, and no session."""

from __future__ import annotations

import httpx
import pytest

from .world import APP, World, error_code

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
        (httpx.Response(503), "provider_unavailable"),
        (httpx.Response(200, content=b"{" + b" " * 600_000), "provider_error"),
    ],
    ids=[
        *("html", "array", "other issuer", "no endpoints", "http endpoint", "redirect", "404"),
        *("503", "too large"),
    ],
)
async def test_bad_discovery(
    world: World, browser: httpx.AsyncClient, answer: httpx.Response, code: str
) -> None:
    """Discovery that cannot be trusted stops the login before the browser is sent anywhere."""
    world.network.answers[DISCOVERY] = answer
    assert error_code(await browser.get(f"{APP}/auth/login")) == code


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
        (httpx.Response(503), "provider_unavailable"),
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
        *("503", "html", "no token", "split header", "other type", "bad expiry"),
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
