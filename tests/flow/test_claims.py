"""What a session says of its user follows the provider, at each refresh of a token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.auth import Sealer, SQLiteSessionStore
from app.auth.access.checks import as_check, claim, has_role, has_scope
from app.auth.access.policy import Rule, decide_for
from app.auth.errors import ProviderUnavailable
from app.auth.session import Session

from .world import OTHER_AUDIENCE, TENANT, World, key_of


@asynccontextmanager
async def a_world(directory: Path, **options: Any) -> AsyncIterator[World]:
    """A world that is closed again."""
    world = World(directory, **options)
    try:
        yield world
    finally:
        await world.store.close()


async def allows(session: Session | None, *checks: Any) -> bool:
    """Whether the user of a session meets the checks."""
    return (
        await decide_for(Rule(checks=tuple(map(as_check, checks))), session, lambda: 0.0)
    ).denial is None


async def test_role_is_withdrawn(world: World, browser: httpx.AsyncClient) -> None:
    """The checks decide by the refreshed ID token: one role is withdrawn, another is granted. The
    audit trail says so. A refresh with the same claims counts as no change."""
    await world.set_user(roles=["admin"])
    await world.log_in(browser)
    first = await world.session(browser)
    assert await allows(first, has_role("admin"))
    assert (await world.refresh(browser)).claims_version == 0
    assert "claims_updated" not in [entry.kind for entry in world.record]
    await world.set_user(roles=["reader"])
    session = await world.refresh(browser)
    assert not await allows(session, has_role("admin"))
    assert await allows(session, has_role("reader"))
    (entry,) = (entry for entry in world.record if entry.kind == "claims_updated")
    assert (entry.outcome, entry.reason, entry.sub) == ("success", "changed", session.sub)


async def test_claim_is_gone(world: World, browser: httpx.AsyncClient) -> None:
    """A claim that the new ID token no longer has is gone, and so are the rights with it."""
    await world.set_user(roles=["admin"])
    await world.log_in(browser)
    await world.set_user(other=1)
    session = await world.refresh(browser)
    assert "roles" not in session.user
    assert session.user["name"] == "Alice Liddell"


async def test_one_swap(world: World, browser: httpx.AsyncClient) -> None:
    """New tokens and new claims are stored in one step, at the next version of the session."""
    await world.log_in(browser)
    before = await world.store.load(key_of(browser))
    await world.set_user(roles=["admin"])
    await world.refresh(browser)
    after = await world.store.load(key_of(browser))
    assert before
    assert after
    assert after.version == before.version + 1
    assert after.session.access_tokens != before.session.access_tokens
    assert after.session.user["roles"] == ["admin"]
    assert after.session.claims_at == world.clock()


async def test_userinfo(tmp_path: Path) -> None:
    """Where a refresh brings no ID token, UserInfo says who the user is now, but is asked at most
    once in `claims_max_age`."""
    environ = {"AUTH0_CLAIMS_MAX_AGE": "5000"}
    async with a_world(tmp_path, id_token_on_refresh=False, environ=environ) as world:
        browser = world.browser()
        await world.set_user(roles=["admin"])
        await world.log_in(browser)
        await world.set_user(roles=[])
        assert await allows(await world.refresh(browser), has_role("admin"))  # after 3,601 s
        assert "/userinfo" not in world.network.paths
        session = await world.refresh(browser)  # after 7,202 s
        assert not await allows(session, has_role("admin"))
        assert session.user["name"] == "Alice Liddell"
        await world.refresh(browser)
        assert world.network.paths.count("/userinfo") == 1
        await world.refresh(browser)
        assert world.network.paths.count("/userinfo") == 2


async def test_userinfo_is_off(tmp_path: Path) -> None:
    """With `claims_max_age` 0, UserInfo is never asked at a refresh."""
    environ = {"OIDC_CLAIMS_MAX_AGE": "0"}
    async with a_world(tmp_path, id_token_on_refresh=False, environ=environ) as world:
        browser = world.browser()
        await world.log_in(browser)
        for _ in range(3):
            await world.refresh(browser)
        assert "/userinfo" not in world.network.paths


FAILURES = {
    "away": httpx.Response(503),
    "refused": httpx.Response(401),
    "of another user": httpx.Response(200, json={"sub": "auth0|mallory", "roles": ["admin"]}),
    "no JSON": httpx.Response(200, text="<html>"),
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES)
async def test_userinfo_fails(tmp_path: Path, answer: httpx.Response) -> None:
    """If UserInfo fails, or describes another user, the claims stay and the tokens are renewed."""
    async with a_world(tmp_path, id_token_on_refresh=False) as world:
        browser = world.browser()
        await world.log_in(browser)
        before = await world.session(browser)
        world.network.answers["/userinfo"] = answer
        after = await world.refresh(browser)
        assert before
        assert (after.user, after.claims_version) == (before.user, 0)
        assert after.access_tokens != before.access_tokens
        # One that is only away is asked again at the next refresh.
        world.clock.now += 500
        await world.store.compare_and_swap(key_of(browser), 2, expired(after))
        await world.access_token(browser)
        is_away = answer.status_code == 503
        assert world.network.paths.count("/userinfo") == (2 if is_away else 1)


def expired(session: Session) -> Session:
    """The session, with access tokens that are to be refreshed."""
    tokens = tuple(replace(each, refresh_at=0, expires_at=0) for each in session.access_tokens)
    return replace(session, access_tokens=tokens)


async def test_scope_of_an_api(tmp_path: Path) -> None:
    """`has_scope` with an audience sees the scopes for that API alone; without one, all of them."""
    async with a_world(tmp_path, multi_resource_refresh_tokens=True) as world:
        browser = world.browser()
        await world.log_in(browser)
        session = await world.session(browser)
        management = f"{TENANT}/api/v2/"
        assert await allows(session, has_scope("read:current_user"))
        assert await allows(session, has_scope("openid read:current_user", management))
        assert not await allows(session, has_scope("read:current_user", OTHER_AUDIENCE))
        assert not await allows(session, has_scope("read:messages", management))


async def test_public_claims(tmp_path: Path) -> None:
    """The browser gets the standard claims and the named ones; the session and the checks have
    all of them."""
    async with a_world(tmp_path, public_claims=["roles"]) as world:
        browser = world.browser()
        world.network.answers["/userinfo"] = httpx.Response(200)
        await world.set_user(roles=["admin"])
        await world.log_in(browser)
        assert (await world.profile(browser))["roles"] == ["admin"]
    async with a_world(tmp_path / "other") as world:
        browser = world.browser()
        await world.set_user(roles=["admin"])
        await world.log_in(browser)
        profile = await world.profile(browser)
        assert "roles" not in profile
        assert profile["email"] == "alice@example.com"
        session = await world.session(browser)
        assert session
        assert session.user["roles"] == ["admin"]
        assert await allows(session, claim("roles", "admin"))


@pytest.mark.parametrize("path", ["/oauth/token", "/userinfo"])
async def test_caller_is_cancelled(tmp_path: Path, path: str) -> None:
    """A caller that is cancelled during a refresh, as by a reload of its page, does not cost the
    session its rotated refresh token."""
    async with a_world(tmp_path, id_token_on_refresh=False) as world, world.browser() as browser:
        await world.log_in(browser)
        world.clock.now += 3601
        release = world.network.held[path] = asyncio.Event()
        caller = asyncio.create_task(world.access_token(browser))
        while path not in world.network.waiting:
            await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        release.set()
        assert await world.refresh(browser)
        assert await world.access_token(browser)


@pytest.mark.parametrize("path", ["/oauth/token", "/userinfo"])
async def test_app_that_stops(tmp_path: Path, path: str) -> None:
    """An app that stops during a refresh stores the rotated refresh token first: a restart logs
    out no one."""
    async with a_world(tmp_path, id_token_on_refresh=False) as world, world.browser() as browser:
        await world.log_in(browser)
        world.clock.now += 3601
        release = world.network.held[path] = asyncio.Event()
        caller = asyncio.create_task(world.access_token(browser))
        while path not in world.network.waiting:
            await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        stopping = asyncio.create_task(world.auth.aclose())
        await asyncio.wait({stopping}, timeout=0.2)
        assert not stopping.done()
        release.set()
        await stopping
        store = SQLiteSessionStore(world.store_file, Sealer(("s" * 32,)), clock=world.clock)
        stored = await store.load(key_of(browser))
        await store.close()
        assert stored
        assert stored.session.access_tokens[0].expires_at > world.clock.now


async def test_no_refresh_in_an_app_that_stops(world: World, browser: httpx.AsyncClient) -> None:
    """No refresh begins once the app stops: its rotated token might not be stored in time."""
    await world.log_in(browser)
    world.clock.now += 3601
    await world.auth.sessions.stop()
    with pytest.raises(ProviderUnavailable):
        await world.access_token(browser)
    session = await world.session(browser)
    assert session is not None
    assert session.access_tokens[0].expires_at < world.clock.now
