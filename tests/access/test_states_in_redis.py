"""Where Reflex keeps states in Redis: an event loads only those that it needs, and what it sends
may have to leave by another process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from redis.asyncio import Redis

from ..redis_server import running_redis
from .conftest import Walked, connected_after, running, visited_after
from .raw_tab import STATE, RawTab
from .test_claims import last, set_claims

APP = f"{STATE}.access_app___access_app____"


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the states are."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="module")
def backends(
    tmp_path_factory: pytest.TempPathFactory, redis_url: str
) -> Iterator[tuple[Walked, Walked]]:
    """Two of the app, with one Redis and one session file."""
    here, there = (tmp_path_factory.mktemp(name) for name in ("here", "there"))
    with (
        running(here, limits="off", redis_url=redis_url) as one,
        running(there, limits="off", redis_url=redis_url, data=one.store_file) as other,
    ):
        yield one, other


@pytest.mark.parametrize("handler", ["guarded.write", "forum.keep"])
async def test_state_that_no_event_loaded(backends: tuple[Walked, Walked], handler: str) -> None:
    """When the first event of the next user of a tab loads none of the States that the one before
    has left, guarded ones and public ones with a guarded variable, nothing of them is shown."""
    one, _ = backends
    victim = RawTab(one.url, await one.person("vic"))
    await victim.open()
    shown = victim.expect("of-the-victim")
    await victim.send(f"{APP}{handler}", {"text": "of-the-victim"})
    await shown
    await victim.close()
    following = await visited_after(one, victim)
    assert not following.hears("of-the-victim")


async def test_claims_change(backends: tuple[Walked, Walked]) -> None:
    """Tabs at both backends follow new claims, though the event that brings them loads no State of
    the page: what their user may no longer see is replaced."""
    handle = await backends[0].person("jan", name="Jan", roles=["admin"])
    tabs = [RawTab(each.url, handle) for each in backends]
    for each in tabs:
        await each.open()
        shown = each.expect("a-secret-plan")
        await each.send(f"{APP}admin.plan_something", {"text": "a-secret-plan"})
        await shown
        each.heard.clear()
    heard = [each.expect('"plan_rx_state_":"none"') for each in tabs]
    await set_claims(backends[0], handle, name="Janis", roles=[])
    for each, arrives in zip(tabs, heard, strict=True):
        await arrives
        assert last(each, "user") == {"sub": "jan", "name": "Janis"}
        await each.close()


async def test_state_that_outlived_the_user(
    backends: tuple[Walked, Walked], redis_url: str
) -> None:
    """Each State expires by itself: one of the user before is reset, though nothing is known any
    more of whose the tab was."""
    one, _ = backends
    victim = RawTab(one.url, await one.person("outlived-vic"))
    await victim.open()
    shown = victim.expect("of-the-outlived")
    await victim.send(f"{APP}guarded.write", {"text": "of-the-outlived"})
    await shown
    await victim.close()
    async with Redis.from_url(redis_url) as redis:
        kept = [key async for key in redis.scan_iter(f"*{victim.tree}*")]
        (of_user,) = [key for key in kept if key.endswith(b"auth_state")]
        assert any(key.endswith(b"guarded") for key in kept)
        await redis.delete(of_user)
    following = await connected_after(one, victim, "outlived-next")
    await following.load()
    await following.close()
    assert [value for _, name, value in following.values() if name == "user"]
    assert not following.hears("of-the-outlived")


async def test_states_of_a_session_that_ended(
    backends: tuple[Walked, Walked], redis_url: str
) -> None:
    """When a user logs out at one process, nothing of theirs is left of the tabs that are open at
    another one."""
    one, other = backends
    tab = RawTab(other.url, await other.person("leaving-redis"))
    await tab.open()
    shown = tab.expect("of-the-leaving")
    await tab.send(f"{APP}guarded.write", {"text": "of-the-leaving"})
    await shown
    tree = tab.tree
    async with Redis.from_url(redis_url) as redis:
        assert [key async for key in redis.scan_iter(f"{tree}_*")]
        await one.log_out(tab.handle)
        while [key async for key in redis.scan_iter(f"{tree}_*")]:
            await tab.settle()
    await tab.close()
    assert tab.connections == 2


async def test_late_frame_to_another_process(backends: tuple[Walked, Walked]) -> None:
    """What a handler sends after its tab has gone on at another backend, as somebody else's, does
    not reach it there."""
    one, other = backends
    victim = RawTab(one.url, await one.person("late-vic"))
    helpers = RawTab(one.url), RawTab(other.url)
    for tab in (victim, *helpers):
        await tab.open()
    begun = victim.expect("begun-of-the-late")
    await victim.send(f"{APP}guarded.write_held", {"text": "of-the-late"})
    await begun
    await victim.close()
    following = RawTab(other.url, await one.person("late-next"), token=victim.token)
    opening = asyncio.create_task(following.open())
    for _ in range(20):
        await helpers[1].settle()
    await helpers[0].send(f"{APP}open.release", {"text": "of-the-late"})
    await opening
    await following.settle()
    for tab in (following, *helpers):
        await tab.close()
    assert not following.is_renamed
    assert not following.hears("of-the-late")
