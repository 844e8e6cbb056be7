"""A second API: a token for it by refresh token where the provider allows that, else by login."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.auth import ConsentRequired, TokenOptions
from app.auth.session import Session, hash_session_id

from .world import APP, OTHER_AUDIENCE, SCOPE, World, error_code

API = TokenOptions("http://127.0.0.1:4400/api/v2/", "read:current_user")
MESSAGES = TokenOptions(OTHER_AUDIENCE, "read:messages")
IDENTITY = "openid profile email offline_access"


@pytest.fixture(params=[True, False], ids=["multi-resource", "one resource"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A world with each kind of provider."""
    world = World(tmp_path, multi_resource_refresh_tokens=request.param)
    yield world
    await world.store.close()


async def token(world: World, browser: httpx.AsyncClient, options: TokenOptions) -> str:
    """What the interceptor would attach for this browser's session."""
    ref = hash_session_id(browser.cookies["auth_session_3000"])
    return await world.auth._access_token(ref, lambda: "/external", options)


async def session(world: World, browser: httpx.AsyncClient) -> Session:
    """What the store has for this browser."""
    stored = await world.store.load(hash_session_id(browser.cookies["auth_session_3000"]))
    assert stored
    return stored.session


async def allow_messages(world: World, browser: httpx.AsyncClient) -> httpx.Response:
    """Follow the link of the error, and allow what the tenant asks."""
    with pytest.raises(ConsentRequired) as raised:
        await token(world, browser, MESSAGES)
    assert raised.value.login_url
    begun = await browser.get(raised.value.login_url)
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["audience"] == [OTHER_AUDIENCE]
    assert asked["scope"] == [f"{IDENTITY} read:messages"]
    return await browser.get(await world.answer(browser, begun.headers["location"]))


async def test_link_adds_an_audience(world: World, browser: httpx.AsyncClient) -> None:
    """The error's link asks the user, comes back to the page, and the session then has both."""
    await world.log_in(browser)
    before = browser.cookies["auth_session_3000"]
    done = await allow_messages(world, browser)
    assert done.headers["location"] == f"{APP}/external"
    assert browser.cookies["auth_session_3000"] != before
    assert await world.store.load(hash_session_id(before)) is None
    grants = world.network.grants
    assert await token(world, browser, MESSAGES) != await token(world, browser, API)
    assert world.network.grants == grants


async def test_both_are_renewed(world: World, browser: httpx.AsyncClient) -> None:
    """Each of two tokens is renewed for its own audience, again and again."""
    await world.log_in(browser)
    await allow_messages(world, browser)
    for _ in range(3):
        world.clock.now += 3600
        await token(world, browser, MESSAGES)
        await token(world, browser, API)
        held = {t.audience: t.scope for t in (await session(world, browser)).access_tokens}
        assert held == {
            API.audience: SCOPE,
            OTHER_AUDIENCE: f"{IDENTITY} read:messages",
        }


async def test_somebody_else_takes_nothing_over(world: World, browser: httpx.AsyncClient) -> None:
    """The tokens of one person are not in the session of another who logs in after them."""
    await world.log_in(browser)
    await allow_messages(world, browser)
    await world.log_out_at_tenant(browser)
    await world.log_in(browser, "bob@example.com")
    bobs = await session(world, browser)
    assert [token.audience for token in bobs.access_tokens] == [API.audience]


async def test_logout_revokes_all(world: World, browser: httpx.AsyncClient) -> None:
    """Logging out revokes every refresh token of the session."""
    await world.log_in(browser)
    await allow_messages(world, browser)
    held = (await session(world, browser)).refresh_tokens
    assert len(held) == 2
    await browser.post(f"{APP}/auth/logout", headers={"Origin": APP})
    assert world.network.paths.count("/oauth/revoke") == 2


async def test_consented_before(tmp_path: Path) -> None:
    """Where the provider allows it, what the user has allowed before needs no other login, and many
    callers make one request for it."""
    world = World(tmp_path, multi_resource_refresh_tokens=True)
    async with world.browser() as browser:
        await world.log_in(browser)
        await allow_messages(world, browser)
        await world.log_in(browser)
        await browser.post(f"{APP}/auth/logout", headers={"Origin": APP})
        await world.log_in(browser)
        grants = world.network.grants
        assert await token(world, browser, MESSAGES)
        assert await token(world, browser, API)
        assert world.network.grants == grants + 1
    await world.store.close()


async def test_scopes_are_news(tmp_path: Path) -> None:
    """New scopes count as a change of what checks decide by, so that open pages are decided about
    again; a refresh with the same scopes does not."""
    world = World(tmp_path, multi_resource_refresh_tokens=True)
    async with world.browser() as browser:
        await world.log_in(browser)
        await allow_messages(world, browser)
        await browser.post(f"{APP}/auth/logout", headers={"Origin": APP})
        await world.log_in(browser)
        assert (await world.refresh(browser)).claims_version == 0
        assert await token(world, browser, MESSAGES)
        session = await world.session(browser)
        assert session is not None
        assert session.claims_version == 1
    await world.store.close()


async def test_answer_for_another_audience(tmp_path: Path) -> None:
    """A provider that ignores the audience gets no token of the wrong API attached, and the refresh
    token that it rotated is kept."""
    world = World(
        tmp_path, multi_resource_refresh_tokens=True, tenant_multi_resource_refresh_tokens=False
    )
    async with world.browser() as browser:
        await world.log_in(browser)
        for _ in range(2):
            with pytest.raises(ConsentRequired):
                await token(world, browser, TokenOptions(OTHER_AUDIENCE))
        world.clock.now += 3600
        assert await token(world, browser, API)
    await world.store.close()


@pytest.mark.parametrize(
    "query",
    [
        {"audience": "https://evil.example/"},
        {"audience": OTHER_AUDIENCE, "scope": 'a"b'},
        {"scope": "x" * 2000},
        {"scope": "a\nb"},
    ],
    ids=["audience of no API", "quote", "long", "line break"],
)
async def test_bad_link(world: World, browser: httpx.AsyncClient, query: dict[str, str]) -> None:
    """A link that asks for what this app never uses ends on the error page, before the provider."""
    response = await browser.get(f"{APP}/auth/login", params=query)
    assert error_code(response) == "invalid_login_link"
    assert world.network.paths == []
