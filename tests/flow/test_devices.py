"""One person on several devices: what is remembered of each, and logging out elsewhere."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from app.auth.session import hash_session_id

from .world import APP, TENANT, World, error_code

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36"


def ref_of(browser: httpx.AsyncClient) -> str:
    """The reference of this browser's session."""
    return hash_session_id(browser.cookies["auth_session_3000"])


async def test_list(world: World) -> None:
    """A user's devices are listed with browser, platform and times, this one first; those of
    other people are not."""
    async with world.browser() as laptop, world.browser() as phone, world.browser() as bob:
        laptop.headers["user-agent"], phone.headers["user-agent"] = FIREFOX, PHONE
        await world.log_in(laptop)
        world.clock.now += 100
        await world.log_in(phone)
        await world.log_in(bob, "bob@example.com")
        here, there = await world.auth.sessions.devices.of(ref_of(laptop))
        assert (here.browser, here.platform, here.is_current) == ("Firefox", "Linux", True)
        assert there.browser.startswith("Chrome Mobile")
        assert (there.platform, there.is_current) == ("Android", False)
        assert there.logged_in_at == here.logged_in_at + 100 == world.clock.now
        assert ref_of(laptop) not in repr(here)


async def test_end_one(world: World, browser: httpx.AsyncClient) -> None:
    """A device that is logged out elsewhere is nobody's, and its refresh token is revoked."""
    async with world.browser() as phone:
        await world.log_in(browser)
        await world.log_in(phone)
        _, there = await world.auth.sessions.devices.of(ref_of(browser))
        assert await world.auth.sessions.devices.end(ref_of(browser), there.id)
        assert not await world.auth.sessions.devices.end(ref_of(browser), there.id)
        async with asyncio.timeout(10):
            while "/oauth/revoke" not in world.network.paths:
                await asyncio.sleep(0)
        for person, status in ((phone, 401), (browser, 200)):
            answer = await person.get(f"{APP}/auth/profile", headers={"X-CSRF": "1"})
            assert answer.status_code == status


async def test_it_takes_the_password_to_come_back(world: World, browser: httpx.AsyncClient) -> None:
    """Whoever was logged out elsewhere is asked for the password although the tenant still knows
    them; a login that leaves that question out is refused."""
    async with world.browser() as phone:
        await world.log_in(browser)
        await world.log_in(phone)
        world.clock.now += 3600
        await world.auth.sessions.devices.end_others(ref_of(browser))
        url = await world.begin(phone)
        assert parse_qs(urlsplit(url).query)["max_age"] == ["0"]
        asked = await phone.get(url)
        assert "/u/login" in asked.headers["location"]
        parts = urlsplit(await world.begin(phone))
        shorter = {k: v for k, (v,) in parse_qs(parts.query).items() if k != "max_age"}
        silent = await phone.get(f"{TENANT}{parts.path}?{urlencode(shorter)}")
        assert silent.headers["location"].startswith(f"{APP}/auth/callback")
        assert error_code(await phone.get(silent.headers["location"])) == "invalid_id_token"
        slowly = await world.begin(phone)
        world.clock.now += 300
        answer = await phone.get(await world.answer(phone, slowly))
        assert answer.headers["location"] == f"{APP}/profile"


async def test_own_logout_needs_no_password(world: World, browser: httpx.AsyncClient) -> None:
    """Somebody who has never been here, or has logged out, is not asked for a new login."""
    for _ in range(2):
        assert "max_age" not in await world.begin(browser)
        await world.log_in(browser)
        await browser.post(f"{APP}/auth/logout", headers={"origin": APP})
