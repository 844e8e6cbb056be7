"""Logging in through the app's real routes, at the real tenant."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.auth.audit import Kind
from app.auth.session import hash_session_id

from .world import APP, World, error_code

CSRF = {"X-CSRF": "1"}


async def test_login(world: World, browser: httpx.AsyncClient) -> None:
    """A login ends on the page it began at, with a session that knows who it is."""
    response = await world.log_in(browser)
    assert response.headers["location"] == f"{APP}/profile"
    assert "HttpOnly; SameSite=Lax" in response.headers["set-cookie"]
    profile = await browser.get(f"{APP}/auth/profile", headers=CSRF)
    assert profile.json()["email"] == "alice@example.com"
    assert not {"nonce", "aud", "sid", "at_hash"} & profile.json().keys()


async def test_authorization_request(world: World, browser: httpx.AsyncClient) -> None:
    """The request has PKCE S256, a state, a nonce and the audience, and never the verifier."""
    first, second = [parse_qs(urlsplit(await world.begin(browser)).query) for _ in range(2)]
    assert first["code_challenge_method"] == ["S256"]
    assert first["audience"] == ["http://127.0.0.1:4400/api/v2/"]
    assert "code_verifier" not in first
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]


async def test_new_session_id_at_login(world: World, browser: httpx.AsyncClient) -> None:
    """A login gets a new id and ends the session that this browser had: nothing to fixate."""
    await world.log_in(browser)
    before = browser.cookies["auth_session_3000"]
    await world.log_in(browser)
    assert browser.cookies["auth_session_3000"] != before
    assert await world.store.load(hash_session_id(before)) is None


async def test_planted_session_cookie(world: World, browser: httpx.AsyncClient) -> None:
    """An id that somebody planted in the browser before the login is worth nothing after it."""
    planted = "A" * 43
    browser.cookies.set("auth_session_3000", planted, domain="localhost.local")
    await world.log_in(browser)
    assert await world.store.load(hash_session_id(planted)) is None


async def test_two_logins_at_once(world: World, browser: httpx.AsyncClient) -> None:
    """Two attempts of one browser do not disturb each other, whichever finishes first."""
    first, second = await world.begin(browser), await world.begin(browser)
    for url in (second, first):
        response = await browser.get(await world.answer(browser, url))
        assert response.headers["location"] == f"{APP}/profile"


async def test_callback_replayed(world: World, browser: httpx.AsyncClient) -> None:
    """A callback logs in once. A user who comes back to it goes on to where that login led, under
    the session that there is; it is recorded. Where no user is signed in it is an error."""
    url = await world.answer(browser, await world.begin(browser))
    assert (await browser.get(url)).headers["location"] == f"{APP}/profile"
    session_id = browser.cookies["auth_session_3000"]
    for _ in range(2):
        assert (await browser.get(url)).headers["location"] == f"{APP}/profile"
        failed = world.record[-1]
        assert (failed.kind, failed.reason) == (Kind.LOGIN_COMPLETED, "invalid_state")
    assert browser.cookies["auth_session_3000"] == session_id
    unknown = f"{APP}/auth/callback?code=x&state=unknown"
    assert (await browser.get(unknown)).headers["location"] == f"{APP}/"
    await browser.post(f"{APP}/auth/logout", headers={"Origin": APP})
    for each in (url, unknown):
        assert error_code(await browser.get(each)) == "invalid_state"


async def test_callback_in_another_browser(world: World, browser: httpx.AsyncClient) -> None:
    """Login CSRF: a callback URL is of no use in a browser that did not begin that login."""
    url = await world.answer(browser, await world.begin(browser))
    async with world.browser() as victim:
        assert error_code(await victim.get(url)) == "invalid_state"
        await world.begin(victim)
        assert error_code(await victim.get(url)) == "invalid_state"
        assert "auth_session_3000" not in victim.cookies


async def test_login_took_too_long(world: World, browser: httpx.AsyncClient) -> None:
    """An attempt older than ten minutes is over."""
    url = await world.begin(browser)
    world.clock.now += 601
    assert error_code(await browser.get(await world.answer(browser, url))) == "invalid_state"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda query: query | {"state": "x"}, "invalid_state"),
        (lambda query: query | {"state": "\0"}, "invalid_state"),
        (lambda query: {k: v for k, v in query.items() if k != "state"}, "invalid_state"),
        (lambda query: {k: v for k, v in query.items() if k != "code"}, "invalid_callback"),
        (lambda query: query | {"code": ""}, "invalid_callback"),
        (lambda query: query | {"code": "wrong"}, "token_endpoint_error"),
        (lambda query: query | {"iss": "https://evil.example/"}, "issuer_mismatch"),
        (lambda query: {k: v for k, v in query.items() if k != "iss"}, "issuer_mismatch"),
        (lambda query: query | {"error": "access_denied"}, "access_denied"),
        (lambda query: query | {"error": "<script>"}, "authorization_error"),
        (lambda query: query | {"state": [query["state"]] * 2}, "invalid_callback"),
        (lambda query: query | {"code": [query["code"]] * 2}, "invalid_callback"),
    ],
    ids=[
        *("wrong state", "unprintable state", "no state", "no code", "empty code", "wrong code"),
        *("other iss", "no iss", "error beside code", "odd error", "two states", "two codes"),
    ],
)
async def test_bent_callback(
    world: World, browser: httpx.AsyncClient, change: object, code: str
) -> None:
    """A callback that is not exactly the provider's answer ends in a clear error, no session."""
    url = await world.answer(browser, await world.begin(browser))
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    bent = change(query)  # type: ignore[operator]
    response = await browser.get(f"{APP}/auth/callback", params=bent)
    assert error_code(response) == code
    assert "auth_session_3000" not in browser.cookies


async def test_return_to_of_a_failed_login(world: World, browser: httpx.AsyncClient) -> None:
    """A login that was declined, or failed in another way, keeps the page that it was for, so that
    the next attempt can return to it."""
    for change in ({"error": "access_denied"}, {"code": "wrong"}, {"iss": "https://evil.example/"}):
        url = await world.answer(browser, await world.begin(browser, "/orders?page=2"))
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        response = await browser.get(f"{APP}/auth/callback", params=query | change)
        problem = parse_qs(urlsplit(response.headers["location"]).query)
        assert problem["return_to"] == ["/orders?page=2"]


@pytest.mark.parametrize(
    "return_to",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "profile",
        "/auth/logout",
        "/" + "x" * 9000,
        "",
    ],
)
async def test_foreign_return_to(world: World, browser: httpx.AsyncClient, return_to: str) -> None:
    """A return_to that is not a page of this origin becomes the start page."""
    url = await world.answer(browser, await world.begin(browser, return_to))
    assert (await browser.get(url)).headers["location"] == f"{APP}/"


async def test_return_to_keeps_query(world: World, browser: httpx.AsyncClient) -> None:
    """A page's query survives the login."""
    url = await world.answer(browser, await world.begin(browser, "/profile?tab=2&x=a%20b"))
    assert (await browser.get(url)).headers["location"] == f"{APP}/profile?tab=2&x=a%20b"
