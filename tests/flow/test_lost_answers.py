"""Refreshes whose answer gets lost, or takes its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.auth import ProviderUnavailable
from app.auth.session import hash_session_id

from .test_access_tokens import token
from .world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """One whose tenant takes a used refresh token again for ten seconds."""
    world = World(tmp_path, rotation_overlap=10)
    yield world
    await world.store.close()


@pytest.fixture
async def ref(world: World, browser: httpx.AsyncClient) -> str:
    """The reference of Alice's session, whose access token has expired."""
    await world.log_in(browser)
    world.clock.now += 3600
    return hash_session_id(browser.cookies["auth_session_3000"])


async def test_asked_once_more(world: World, ref: str) -> None:
    """Within the rotation overlap the same refresh token is sent once more, and the session goes
    on with what came back the second time."""
    world.network.answers_to_lose = 1
    before = world.network.grants
    await token(world, ref)
    assert world.network.grants == before + 2
    world.clock.now += 3600
    await token(world, ref)
    assert world.network.grants == before + 3


async def test_lost_twice(world: World, ref: str) -> None:
    """There is no third time: the error is retryable and the session as it was."""
    world.network.answers_to_lose = 2
    before = world.network.grants
    with pytest.raises(ProviderUnavailable):
        await token(world, ref)
    assert world.network.grants == before + 2
    assert await token(world, ref)


async def test_never_sent(world: World, ref: str) -> None:
    """A request that never left is not sent again by itself."""
    world.network.is_cut = True
    before = world.network.grants
    with pytest.raises(ProviderUnavailable):
        await token(world, ref)
    assert world.network.grants == before + 1


async def test_without_overlap(tmp_path: Path) -> None:
    """A tenant without an overlap would take the second time for theft, so there is none; while
    the access token is valid, it serves."""
    world = World(tmp_path / "strict")
    async with world.browser() as browser:
        await world.log_in(browser)
        ref = hash_session_id(browser.cookies["auth_session_3000"])
        old = await token(world, ref)
        world.clock.now += 3600 - 30
        world.network.answers_to_lose = 1
        before = world.network.grants
        assert await token(world, ref) == old
        assert world.network.grants == before + 1
        assert await world.store.load(ref)
    await world.store.close()


async def test_served_meanwhile(world: World, ref: str) -> None:
    """While one caller renews a token that is about to expire, the others are served the old one
    at once."""
    old = await token(world, ref)
    world.clock.now += 3600 - 30
    world.network.hold = asyncio.Event()
    before = world.network.grants
    renewal = asyncio.create_task(token(world, ref))
    async with asyncio.timeout(10):
        while world.network.grants == before:
            await asyncio.sleep(0)
    assert await asyncio.gather(*(token(world, ref) for _ in range(50))) == [old] * 50
    world.network.hold.set()
    new = await renewal
    assert new != old
    assert await token(world, ref) == new
    assert world.network.grants == before + 1
