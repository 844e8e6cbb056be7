"""Access tokens: refreshed ahead of time, once, and never at the price of the session."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.auth import (
    ConsentRequired,
    LoginRequired,
    ProviderUnavailable,
    SessionEnded,
    TokenOptions,
)
from app.auth.session import hash_session_id

from .world import APP, World

API = TokenOptions("http://127.0.0.1:4400/api/v2/", "read:current_user")


@pytest.fixture
async def ref(world: World, browser: httpx.AsyncClient) -> str:
    """The reference of Alice's session."""
    await world.log_in(browser)
    return hash_session_id(browser.cookies["auth_session_3000"])


async def token(world: World, ref: str | None, options: TokenOptions = API) -> str:
    """What the interceptor would attach."""
    return await world.auth._access_token(ref, lambda: "/profile", options)


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
    await world.fault("status", value=status, endpoint="/oauth/token", times=1)
    with pytest.raises(ProviderUnavailable):
        await token(world, ref)
    assert await token(world, ref)


async def test_invalid_grant(world: World, ref: str) -> None:
    """The provider's invalid_grant ends the session, and only that does."""
    world.clock.now += 3600
    world.network.answers["/oauth/token"] = httpx.Response(400, json={"error": "invalid_client"})
    with pytest.raises(Exception, match="refused"):
        await token(world, ref)
    assert await world.store.load(ref)
    del world.network.answers["/oauth/token"]
    await world.fault("revoke", value="alice@example.com")
    with pytest.raises(SessionEnded):
        await token(world, ref)
    assert await world.store.load(ref) is None


@pytest.mark.parametrize("lifetime", [1, 30, 60])
async def test_short_lifetime(world: World, ref: str, lifetime: int) -> None:
    """A token that lives shorter than the usual margin still serves for most of its life."""
    answer = {"access_token": "brief", "token_type": "Bearer", "expires_in": lifetime}
    world.network.answers["/oauth/token"] = httpx.Response(200, json=answer)
    world.clock.now += 3600
    before = world.network.grants
    for _ in range(3):
        assert await token(world, ref) == "brief"
    world.clock.now += lifetime * 0.7
    assert await token(world, ref) == "brief"
    assert world.network.grants == before + 1


async def test_renewal_is_spread(world: World, browser: httpx.AsyncClient) -> None:
    """Tokens of one moment are not all renewed at one moment, but over half a minute."""
    for jitter, margin in ((0.0, 60), (0.5, 75), (0.999, 89)):
        world.jitter = jitter
        await world.log_in(browser)
        ref = hash_session_id(browser.cookies["auth_session_3000"])
        before = world.network.grants
        start = world.clock.now
        world.clock.now = start + 3600 - margin - 1
        await token(world, ref)
        assert world.network.grants == before
        world.clock.now = start + 3600 - margin + 1
        await token(world, ref)
        assert world.network.grants == before + 1


async def test_provider_is_left_in_peace(world: World, ref: str) -> None:
    """While a token still serves, a provider that did not answer is not asked at every request."""
    world.clock.now += 3600 - 30
    world.network.is_cut = True
    await token(world, ref)
    asked = len(world.network.paths)
    await token(world, ref)
    assert len(world.network.paths) == asked
    world.network.is_cut = False
    world.clock.now += 6
    before = world.network.grants
    await token(world, ref)
    assert world.network.grants == before + 1


async def test_refused_token(world: World, ref: str) -> None:
    """A token that the API refused is renewed at once, and once for all who were refused."""
    old = await token(world, ref)
    before = world.network.grants
    renewed = await asyncio.gather(
        *(world.auth._access_token(ref, lambda: "/", API, refused=old) for _ in range(20))
    )
    assert len({old, *renewed}) == 2
    assert world.network.grants == before + 1
    assert await token(world, ref) == renewed[0]


@pytest.mark.parametrize(
    ("options", "query"),
    [
        (TokenOptions("https://other.example/"), {"audience": ["https://other.example/"]}),
        (
            TokenOptions(API.audience, "read:everything"),
            {"audience": [API.audience], "scope": ["read:everything"]},
        ),
    ],
    ids=["other audience", "more scope"],
)
async def test_consent_required(
    world: World, ref: str, options: TokenOptions, query: dict[str, list[str]]
) -> None:
    """A token never serves an audience or a scope that it was not granted for: the error says what
    is missing, and its link asks for exactly that and comes back to the page."""
    with pytest.raises(ConsentRequired) as raised:
        await token(world, ref, options)
    assert raised.value.login_url
    link = urlsplit(raised.value.login_url)
    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{APP}/auth/login"
    assert parse_qs(link.query) == {**query, "return_to": ["/profile"]}
    assert world.network.grants == 1


async def test_nobody(world: World) -> None:
    """Without a session there is no token and no request for one."""
    for ref in (None, "0" * 64):
        with pytest.raises(LoginRequired):
            await token(world, ref)
    assert world.network.paths == []
