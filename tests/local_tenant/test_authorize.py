"""The authorization endpoint: what it takes, and where its errors go."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from ..flow.world import APP, TENANT, through_the_pages
from .visitor import CALLBACK, Visitor, answer, query_of


@pytest.mark.parametrize(
    "redirect_uri",
    [
        f"{CALLBACK}/",
        f"{CALLBACK}?x=1",
        f"{CALLBACK}#x",
        f"{APP}/auth/callback/more",
        f"{APP}/auth",
        f"{APP}/AUTH/CALLBACK",
        "http://localhost:3001/auth/callback",
        "https://localhost:3000/auth/callback",
        "http://localhost:3000@evil.example/auth/callback",
        "https://evil.example/auth/callback",
        "//evil.example/auth/callback",
        "javascript:alert(1)",
        "",
        None,
    ],
)
async def test_redirect_uri(visitor: Visitor, redirect_uri: str | None) -> None:
    """A redirect_uri that is not exactly a registered one is never redirected to."""
    response = await visitor.authorize(redirect_uri=redirect_uri)
    assert response.status_code == 400
    assert "location" not in response.headers
    assert "This login request cannot be used" in response.text


async def test_unknown_client(visitor: Visitor) -> None:
    """An unknown application gets a page, not a redirect."""
    response = await visitor.authorize(client_id="nobody")
    assert response.status_code == 400
    assert "location" not in response.headers


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"code_challenge": None}, "invalid_request", "PKCE"),
        ({"code_challenge_method": "plain"}, "invalid_request", "PKCE"),
        ({"code_challenge_method": None}, "invalid_request", "PKCE"),
        ({"audience": "https://no.example/"}, "access_denied", "Service not found: https://no.ex"),
        ({"audience": '"\\é'}, "access_denied", "Service not found: ???"),
        ({"prompt": "none"}, "login_required", "Login required"),
        ({"prompt": "bogus"}, "invalid_request", "The prompt is not supported"),
        ({"prompt": "none login"}, "invalid_request", "prompt=none cannot be combined"),
        ({"max_age": "-1"}, "invalid_request", "max_age"),
        ({"max_age": "1e9"}, "invalid_request", "max_age"),
        ({"response_mode": "bogus"}, "invalid_request", "response_mode"),
        ({"connection": "google-oauth2"}, "invalid_request", "the connection was not found"),
        ({"request_uri": "https://app.example/r"}, "request_uri_not_supported", "/oauth/par"),
    ],
)
async def test_error(
    visitor: Visitor, changes: dict[str, str | None], error: str, text: str
) -> None:
    """Every other mistake goes back to the application, with its state and Auth0's text."""
    parameters = answer(await visitor.authorize(**changes))
    assert parameters["error"] == error
    assert text in parameters["error_description"]
    assert parameters["state"] == "state-value"
    assert "iss" not in parameters


@pytest.mark.parametrize("name", ["nonce", "prompt", "audience"])
async def test_twice(visitor: Visitor, name: str) -> None:
    """A parameter that occurs twice is refused: which one would count?"""
    url = f"{visitor.authorize_url(**{name: 'none'})}&{name}=login"
    assert answer(await visitor.browser.get(url))["error"] == "invalid_request"


@pytest.mark.parametrize("response_type", ["token", "code token", "id_token token", ""])
async def test_response_type(visitor: Visitor, response_type: str) -> None:
    """No access token is in an authorization response. That of such a request is a fragment."""
    response = await visitor.authorize(response_type=response_type)
    location = response.headers["location"]
    assert location.startswith(f"{CALLBACK}#error=unsupported_response_type")


async def test_success(visitor: Visitor) -> None:
    """The answer has a code and the state, and no more, as at Auth0."""
    parameters = query_of(await through_the_pages(visitor.browser, visitor.authorize_url()))
    assert parameters.keys() == {"code", "state"}
    assert parameters["state"] == "state-value"


async def test_issuer(tmp_path: Path) -> None:
    """The issuer in responses (RFC 9207), errors included, is a setting, and announced."""
    visitor = Visitor(tmp_path, response_issuer=True)
    url = await through_the_pages(visitor.browser, visitor.authorize_url())
    refused = answer(await visitor.authorize(prompt="bogus"))
    assert query_of(url)["iss"] == refused["iss"] == f"{TENANT}/"
    document = (await visitor.application.get("/.well-known/openid-configuration")).json()
    assert document["authorization_response_iss_parameter_supported"] is True


async def test_by_post(visitor: Visitor) -> None:
    """An authorization request may be posted, from a page of any site."""
    url = httpx.URL(visitor.authorize_url())
    headers = {"Sec-Fetch-Site": "cross-site"}
    posted = await visitor.browser.post("/authorize", data=dict(url.params), headers=headers)
    response = await visitor.browser.get(posted.headers["location"])
    assert response.headers["location"].startswith("/u/login")


async def test_signed_in_already(visitor: Visitor) -> None:
    """Who is signed in and has consented gets a code at once, with prompt=none too."""
    await visitor.code()
    assert "code" in answer(await visitor.authorize())
    assert "code" in answer(await visitor.authorize(prompt="none"))


async def test_consent_required(visitor: Visitor) -> None:
    """With prompt=none no consent is asked for: more scope than allowed so far is an error."""
    await visitor.code(scope="openid")
    parameters = answer(await visitor.authorize(prompt="none"))
    assert parameters["error"] == "consent_required"


async def test_old_login(visitor: Visitor) -> None:
    """With prompt=none no password is asked for: a login that is too old is an error."""
    await visitor.code()
    visitor.clock.now += 61
    parameters = answer(await visitor.authorize(prompt="none", max_age="60"))
    assert parameters["error"] == "login_required"


@pytest.mark.parametrize(
    ("changes", "page"),
    [
        ({"prompt": "login"}, "/u/login"),
        ({"max_age": "60"}, "/u/login"),
        ({"prompt": "consent"}, "/u/consent"),
    ],
)
async def test_asked_again(visitor: Visitor, changes: dict[str, str], page: str) -> None:
    """An application can ask for the password or the consent again, and for a recent login."""
    await visitor.code()
    visitor.clock.now += 61
    response = await visitor.authorize(**changes)
    assert response.headers["location"].startswith(page)
    await through_the_pages(visitor.browser, visitor.authorize_url(**changes))
