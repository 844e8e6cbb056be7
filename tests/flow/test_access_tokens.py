"""Access tokens: refreshed ahead of time, once, and never at the price of the session."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from app.auth import LoginRequired, ProviderUnavailable, SessionEnded, TokenOptions
from app.auth.session import reference

from .world import World

API = TokenOptions("http://127.0.0.1:4400/api/v2/", "read:current_user")


@pytest.fixture
async def ref(world: World, browser: httpx.AsyncClient) -> str:
    """The reference of Alice's session."""
    await world.log_in(browser)
    return reference(browser.cookies["auth_session"])


async def token(world: World, ref: str | None, options: TokenOptions = API) -> str:
    """What the interceptor would attach."""
    return await world.auth._access_token(ref, options)


async def test_cached(world: World, ref: str) -> None:
    """A fresh token is served without asking the provider."""
    before = world.network.grants
    assert await token(world, ref) == await token(world, ref)
    assert world.network.grants == before


async def test_refreshed_ahead_of_expiry(world: World, ref: str) -> None:
    """A token in its last minute is replaced, and the rotated refresh token works the next time."""
    old = await token(world, ref)
    for _ in range(3):
        world.clock.now += 3600 - 59
        new = await token(world, ref)
        assert new != old
        old = new


async def test_refreshed_once(world: World, ref: str) -> None:
    """Fifty callers on an expired token make one grant and get the same token."""
    world.clock.now += 3600
    before = world.network.grants
    tokens = await asyncio.gather(*(token(world, ref) for _ in range(50)))
    assert len(set(tokens)) == 1
    assert world.network.grants == before + 1


async def test_outage_while_valid(world: World, ref: str) -> None:
    """While the provider is down a token that is still valid is served."""
    old = await token(world, ref)
    world.clock.now += 3600 - 30
    world.network.is_cut = True
    assert await token(world, ref) == old


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_outage_after_expiry(world: World, ref: str, status: int) -> None:
    """After that it is a retryable error; the session is kept and works again later."""
    world.clock.now += 3600
    world.network.answers["/oauth/token"] = httpx.Response(status)
    with pytest.raises(ProviderUnavailable):
        await token(world, ref)
    del world.network.answers["/oauth/token"]
    assert await token(world, ref)


async def test_invalid_grant(world: World, ref: str) -> None:
    """The provider's invalid_grant ends the session, and only that does."""
    world.clock.now += 3600
    world.network.answers["/oauth/token"] = httpx.Response(400, json={"error": "invalid_client"})
    with pytest.raises(Exception, match="refused"):
        await token(world, ref)
    assert await world.store.load(ref)
    world.network.answers["/oauth/token"] = httpx.Response(403, json={"error": "invalid_grant"})
    with pytest.raises(SessionEnded):
        await token(world, ref)
    assert await world.store.load(ref) is None


@pytest.mark.parametrize(
    "options",
    [TokenOptions("https://other.example/"), TokenOptions(API.audience, "read:everything")],
    ids=["other audience", "more scope"],
)
async def test_no_fitting_token(world: World, ref: str, options: TokenOptions) -> None:
    """A token is never used for an audience or a scope that it was not granted for."""
    with pytest.raises(LoginRequired):
        await token(world, ref, options)


async def test_nobody(world: World) -> None:
    """Without a session there is no token and no request for one."""
    for ref in (None, "0" * 64):
        with pytest.raises(LoginRequired):
            await token(world, ref)
    assert world.network.paths == []
