"""The authorization endpoint: what it takes, and where its errors go."""

from __future__ import annotations

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
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"audience": "https://unknown.example/"}, "access_denied"),
        ({"prompt": "none"}, "login_required"),
    ],
    ids=["no challenge", "plain", "no method", "implicit", "audience", "prompt=none"],
)
async def test_error(visitor: Visitor, changes: dict[str, str | None], error: str) -> None:
    """Every other mistake goes back to the application, with its state and the issuer."""
    parameters = answer(await visitor.authorize(**changes))
    assert parameters["error"] == error
    assert parameters["state"] == "state-value"
    assert parameters["iss"] == f"{TENANT}/"


async def test_success(visitor: Visitor) -> None:
    """The answer has a code, the state and the issuer (RFC 9207), and no more."""
    parameters = query_of(await through_the_pages(visitor.browser, visitor.authorize_url()))
    assert parameters.keys() == {"code", "state", "iss"}
    assert (parameters["state"], parameters["iss"]) == ("state-value", f"{TENANT}/")


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
