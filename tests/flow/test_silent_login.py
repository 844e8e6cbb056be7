"""Logins that ask the user nothing (`prompt=none`), at the real tenant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.auth import AuthorizationParams, AuthService, ConfigError, Limits
from app.auth.flows.ended_elsewhere import end_from_elsewhere
from app.auth.session import hash_session_id

from .world import APP, OTHER_AUDIENCE, TENANT, World, error_code

PAGE = "/orders?page=2"
SESSION, MARKER = "auth_session_3000", "auth_no_silent_login_3000"


async def silently(browser: httpx.AsyncClient, **parameters: str) -> httpx.Response:
    """From the link to the end, by redirects alone; the result is the last answer of the app."""
    query = {"return_to": PAGE, "prompt": "none", **parameters}
    response = await browser.get(f"{APP}/auth/login", params=query)
    while response.headers["location"].startswith((TENANT, f"{APP}/auth/")):
        response = await browser.get(response.headers["location"])
    return response


async def forget_session(browser: httpx.AsyncClient) -> None:
    """Lose the app's session, and keep the tenant's."""
    browser.cookies.delete(SESSION)


async def test_logged_in_at_the_provider(world: World, browser: httpx.AsyncClient) -> None:
    """A user who is logged in at the provider is logged in here, and is on the page again."""
    await world.log_in(browser)
    await forget_session(browser)
    response = await silently(browser)
    assert response.headers["location"] == f"{APP}{PAGE}"
    profile = await browser.get(f"{APP}/auth/profile", headers={"X-CSRF": "1"})
    assert profile.json()["email"] == "alice@example.com"


async def test_not_logged_in_there(
    world: World, browser: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A user who is not goes back to the page, not to the error page. The browser remembers it
    until it is closed; it is recorded, and no warning."""
    response = await silently(browser)
    assert (response.status_code, response.headers["location"]) == (303, f"{APP}{PAGE}")
    assert SESSION not in browser.cookies
    (cookie,) = response.headers.get_list("set-cookie")
    assert cookie.startswith(f"{MARKER}=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax")
    entry = world.record[-1]
    assert (entry.kind, entry.outcome, entry.reason) == (
        *("login_completed", "failure", "login_required"),
    )
    assert "login_required" not in caplog.text


async def test_consent_is_missing(world: World, browser: httpx.AsyncClient) -> None:
    """So it is with a user whom the provider would have to ask for consent; a session stays."""
    await world.log_in(browser)
    response = await silently(browser, audience=OTHER_AUDIENCE)
    assert response.headers["location"] == f"{APP}{PAGE}"
    assert world.record[-1].reason == "consent_required"
    profile = await browser.get(f"{APP}/auth/profile", headers={"X-CSRF": "1"})
    assert profile.status_code == 200


async def test_marker_ends_with_a_login(world: World, browser: httpx.AsyncClient) -> None:
    """A login forgets that silent logins were of no use."""
    await silently(browser)
    assert MARKER in browser.cookies
    await world.log_in(browser)
    assert MARKER not in browser.cookies


async def test_logout(world: World, browser: httpx.AsyncClient) -> None:
    """After a logout the browser is not to log in silently, though the provider may know the
    user."""
    await world.log_in(browser)
    assert MARKER not in browser.cookies
    await browser.post(f"{APP}/auth/logout", headers={"Origin": APP})
    assert MARKER in browser.cookies


async def test_outage(world: World, browser: httpx.AsyncClient) -> None:
    """While the provider or the store is away, a silent login ends on the page that it began on,
    and nothing is remembered: the next tab may try again."""
    world.network.is_cut = True
    response = await silently(browser)
    assert response.headers["location"] == f"{APP}{PAGE}"
    world.network.is_cut = False
    await world.begin(browser)
    await world.store.close()
    world.store_file.write_bytes(b"no database " * 1000)
    response = await silently(browser)
    assert response.headers["location"] == f"{APP}{PAGE}"
    assert MARKER not in browser.cookies


async def test_too_many(tmp_path: Path) -> None:
    """A client that logs in silently too often sees its page, and no refusal: it did not ask."""
    world = World(tmp_path, limits=Limits(login="1/hour"))
    async with world.browser() as browser:
        for _ in range(3):
            assert (await silently(browser)).headers["location"] == f"{APP}{PAGE}"
        refused = await browser.get(f"{APP}/auth/login")
        assert refused.status_code == 429
    await world.auth.aclose()


async def test_damaged_link(world: World, browser: httpx.AsyncClient) -> None:
    """A link that is damaged is a mistake of the app's, and is shown as one."""
    for bad in ({"prompt": "none login"}, {"prompt": "none", "audience": "https://x.example/"}):
        answer = await browser.get(f"{APP}/auth/login", params={"return_to": PAGE, **bad})
        assert error_code(answer) == "invalid_login_link"


@pytest.mark.parametrize("return_to", ["https://evil.example", "//evil.example", "/auth/login"])
async def test_foreign_return_to(world: World, browser: httpx.AsyncClient, return_to: str) -> None:
    """A silent login returns to no other place than any login does."""
    response = await silently(browser, return_to=return_to)
    assert response.headers["location"] == f"{APP}/"


async def test_ended_session(world: World, browser: httpx.AsyncClient) -> None:
    """A session that was ended from elsewhere does not begin again silently."""
    await world.log_in(browser)
    session_id_hash = hash_session_id(browser.cookies[SESSION])
    stored = await world.store.load(session_id_hash)
    assert stored
    await end_from_elsewhere(world.store, session_id_hash, stored)
    url = (await browser.get(f"{APP}/auth/login?prompt=none")).headers["location"]
    assert parse_qs(urlsplit(url).query)["max_age"] == ["0"]
    world.clock.now += 1
    callback = (await browser.get(url)).headers["location"]
    assert parse_qs(urlsplit(callback).query)["error"] == ["login_required"]


@pytest.mark.parametrize(
    "params",
    [
        AuthorizationParams(link_parameters=frozenset({"login_hint"})),
        AuthorizationParams(fixed_parameters=(("prompt", "login"),)),
    ],
    ids=["not in links", "fixed"],
)
def test_prompt_that_cannot_be_sent(world: World, params: AuthorizationParams) -> None:
    """An app whose links cannot send `prompt=none` learns at its start that it has no silent
    login: the provider would ask."""
    config = replace(world.auth.config, authorization_params=params)
    with pytest.raises(ConfigError, match="prompt=none"):
        AuthService(config, world.store, silent_login=True)
    with pytest.raises(ConfigError, match="prompt=none"):
        _ = AuthService(config, world.store).silent_login
