"""The second step of a login: a code, for the user who has one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx

from app.local_tenant.second_step import MULTI_FACTOR

from .visitor import Visitor, answer

CAROL, BOB = "carol@example.com", "bob@example.com"
CODE = {"code": "123456"}


async def asked(visitor: Visitor, email: str = CAROL, **changes: str | None) -> str:
    """Log in where the second step is asked for; the address of what comes next."""
    changes = {"acr_values": MULTI_FACTOR, **changes}
    page = (await visitor.authorize(**changes)).headers["location"]
    form = {"username": email, "password": "password"}
    return str((await visitor.browser.post(page, data=form)).headers["location"])


async def id_token(visitor: Visitor, url: str) -> dict[str, Any]:
    """The ID token of the login that goes on at this address."""
    response = await visitor.browser.post(url, data={"action": "accept"})
    tokens = (await visitor.redeem(answer(response)["code"])).json()
    return dict((await visitor.decoded(tokens["id_token"])).claims)


async def test_second_step(visitor: Visitor) -> None:
    """Who is asked for the code and knows it gets `acr` and `amr` that say so, then and later."""
    page = await asked(visitor)
    assert urlsplit(page).path == "/u/second-step"
    assert "Enter your code" in (await visitor.browser.get(page)).text
    following = (await visitor.browser.post(page, data=CODE)).headers["location"]
    claims = await id_token(visitor, following)
    assert claims["acr"] == MULTI_FACTOR
    assert claims["amr"] == ["pwd", "otp", "mfa"]
    again = await visitor.authorize(acr_values=MULTI_FACTOR)
    assert "code" in answer(again)


async def test_password_only(visitor: Visitor) -> None:
    """A user without a second step is not asked, and gets no `acr`; nor does one who is not asked
    for it, by whatever other value."""
    page = await asked(visitor, BOB)
    assert urlsplit(page).path == "/u/consent"
    claims = await id_token(visitor, page)
    assert (claims.get("acr"), claims["amr"]) == (None, ["pwd"])
    for value in (None, "urn:gold"):
        visitor.browser = visitor.client()
        claims = await id_token(visitor, await asked(visitor, acr_values=value, prompt="consent"))
        assert (claims.get("acr"), claims["amr"]) == (None, ["pwd"])


async def test_later(visitor: Visitor) -> None:
    """A user who is logged in does the second step without the password, and nothing without it:
    `prompt=none` is refused."""
    await id_token(visitor, await asked(visitor, acr_values=None))
    silent = await visitor.authorize(acr_values=MULTI_FACTOR, prompt="none")
    assert answer(silent)["error"] == "login_required"
    assert answer(silent)["error_description"] == "Multifactor authentication required"
    page = (await visitor.authorize(acr_values=MULTI_FACTOR)).headers["location"]
    assert urlsplit(page).path == "/u/second-step"
    done = await visitor.browser.post(page, data=CODE)
    assert "code" in answer(done)


async def test_wrong_codes(visitor: Visitor) -> None:
    """After five wrong codes of a user the right one is refused, too, for a quarter of an hour, and
    in every browser."""
    page = await asked(visitor)
    for code in ("", "000000", "12345", "１２３４５６", "1234567"):
        wrong = await visitor.browser.post(page, data={"code": code})
        assert (wrong.status_code, "Wrong code." in wrong.text) == (400, True)
    locked = await visitor.browser.post(page, data=CODE)
    assert (locked.status_code, "Too many" in locked.text) == (429, True)
    visitor.browser = visitor.client()
    other = await asked(visitor)
    assert (await visitor.browser.post(other, data=CODE)).status_code == 429
    visitor.clock.now += 901
    assert (await visitor.browser.post(other, data=CODE)).status_code == 303


async def test_page_of_another_browser(visitor: Visitor) -> None:
    """The page is of the browser that logged in, and of none that has no login yet."""
    page = await asked(visitor)
    stranger = visitor.client()
    await stranger.get(visitor.authorize_url(acr_values=MULTI_FACTOR))
    for response in (await stranger.get(page), await stranger.post(page, data=CODE)):
        assert response.status_code == 400


async def test_consent_page_is_no_way_around(visitor: Visitor) -> None:
    """Who goes on past the page for the code is led back to it."""
    page = await asked(visitor)
    consent = page.replace("second-step", "consent")
    response = await visitor.browser.post(consent, data={"action": "accept"})
    assert response.headers["location"] == page


async def test_announced(visitor: Visitor) -> None:
    """Discovery says what can be asked for."""
    found: httpx.Response = await visitor.application.get("/.well-known/openid-configuration")
    assert found.json()["acr_values_supported"] == [MULTI_FACTOR]
