"""What users can read of their own logins, and of no one else's."""

from __future__ import annotations

import httpx

from app.auth import Activity
from app.auth.flows.token_expiry import token_expiries

from .test_devices import FIREFOX, PHONE
from .world import APP, World, key_of


async def of(world: World, browser: httpx.AsyncClient, limit: int = 20) -> list[Activity]:
    """The recent activity of this browser's user."""
    return await world.auth.sessions.recent_activity.of(key_of(browser), limit)


async def test_logins_and_logouts(world: World, browser: httpx.AsyncClient) -> None:
    """A user's logins and how they ended are listed with time, place and whether they are of this
    session, the latest first; those of another user are not."""
    browser.headers["user-agent"] = FIREFOX
    async with world.browser("192.0.2.7") as phone, world.browser() as bob:
        phone.headers["user-agent"] = PHONE
        await world.log_in(phone)
        world.clock.now += 10
        await world.log_in(browser)
        await world.log_in(bob, "bob@example.com")
        world.clock.now += 10
        await world.auth.sessions.devices.end_others(key_of(browser))
        ended, here, there = await of(world, browser)
        assert (ended.kind, ended.reason, ended.at) == (
            *("logout", "other_device", world.clock.now),
        )
        assert (here.kind, here.reason) == ("login_completed", "new")
        assert [ended.is_current, here.is_current, there.is_current] == [False, True, False]
        assert (here.browser, here.platform, here.at - there.at) == ("Firefox", "Linux", 10)
        assert (there.platform, there.address) == (ended.platform, ended.address)
        assert (there.platform, there.address) == ("Android", "192.0.2.7")
        assert [each.kind for each in await of(world, bob)] == ["login_completed"]
        assert await of(world, browser, limit=1) == [ended]


async def test_after_the_end_of_a_session(world: World, browser: httpx.AsyncClient) -> None:
    """A session that expired is listed when the user is back; without a session nothing is."""
    await world.log_in(browser)
    before = key_of(browser)
    world.clock.now += 3 * 24 * 3600
    await world.auth.sessions.free_what_has_expired()
    assert await world.auth.sessions.recent_activity.of(before, 20) == []
    await world.log_in(browser)
    kinds = [each.kind for each in await of(world, browser)]
    assert kinds == ["login_completed", "session_expired", "login_completed"]


async def test_nothing_secret(world: World, browser: httpx.AsyncClient) -> None:
    """No entry holds the cookie or the store's key of a session; the name that it has is that of
    the audit trail."""
    await world.log_in(browser)
    key, cookie = key_of(browser), browser.cookies["auth_session_3000"]
    (entry,) = await of(world, browser)
    assert entry.session == world.record[-1].session
    assert not [secret for secret in (key, cookie) if secret in repr(entry)]


async def test_place_of_login(world: World, browser: httpx.AsyncClient) -> None:
    """A device is listed with the address of its login; a client behind no trusted proxy cannot
    choose it."""
    async with world.browser("192.0.2.7") as phone:
        phone.headers["x-forwarded-for"] = "203.0.113.9"
        await world.log_in(phone)
        (device,) = await world.auth.sessions.devices.of(key_of(phone))
        assert device.address == "192.0.2.7"


async def test_token_expiries(world: World, browser: httpx.AsyncClient) -> None:
    """The expiry of a token follows its renewal, and says nothing of the token."""
    await world.log_in(browser)
    session = await world.session(browser)
    assert session is not None
    (expiry,) = token_expiries(session)
    assert expiry.expires_at == world.clock.now + 3600
    assert expiry.is_renewable
    assert session.access_tokens[0].value not in repr(expiry)
    (renewed,) = token_expiries(await world.refresh(browser))
    assert renewed.expires_at == world.clock.now + 3600
    await browser.post(f"{APP}/auth/logout")
