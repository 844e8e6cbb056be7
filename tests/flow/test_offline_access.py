"""Jobs that act for a user when no tab is open: from which session they get their token."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.auth import ConsentRequired, LoginRequired, ProviderUnavailable, StoreUnavailable
from app.auth.session import StoredSession, hash_session_id

from ..store_outage import store_away
from .world import APP, TENANT, World, through_the_pages

COOKIE = "auth_session_3000"


def key_of(browser: httpx.AsyncClient) -> str:
    """The store's key of this browser's session."""
    return hash_session_id(browser.cookies[COOKIE])


async def stored_of(world: World, browser: httpx.AsyncClient) -> StoredSession:
    """What the store has for this browser."""
    stored = await world.store.load(key_of(browser))
    assert stored
    return stored


async def sub_of(world: World, browser: httpx.AsyncClient) -> str:
    """The user who is logged in there."""
    return (await stored_of(world, browser)).session.sub


async def id_of(world: World, browser: httpx.AsyncClient) -> str:
    """The public id of this browser's session."""
    return (await world.auth.sessions.devices.of(key_of(browser)))[0].id


async def ask(world: World, sub: str, session: str | None = None) -> httpx.Response:
    """A job's request for what the Management API knows of the user."""
    async with world.auth.http_client_of(sub=sub, session=session) as http:
        return await http.get(f"{TENANT}/api/v2/users/{sub}")


def chosen(world: World) -> list[str | None]:
    """The session, by its name in the audit trail, that each job so far has used."""
    return [e.session for e in world.record if e.kind == "offline_access" and not e.error_id]


async def name_of(world: World, browser: httpx.AsyncClient) -> str | None:
    """The name of this browser's session in the audit trail."""
    await ask(world, await sub_of(world, browser), await id_of(world, browser))
    return chosen(world).pop()


async def test_job(world: World, browser: httpx.AsyncClient) -> None:
    """A job has the token of its user; each of its requests and the session that it uses are in
    the audit trail."""
    await world.log_in(browser)
    sub = await sub_of(world, browser)
    world.record.clear()
    async with world.auth.http_client_of(sub=sub) as http:
        for _ in range(2):
            answer = await http.get(f"{TENANT}/api/v2/users/{sub}")
            assert answer.json()["nickname"] == "alice"
    assert [(e.kind, e.reason, e.sub) for e in world.record] == [
        ("offline_access", "session_chosen", sub),
        ("interceptor", "attached", sub),
        ("interceptor", "attached", sub),
    ]
    assert len({e.session for e in world.record}) == 1
    chosen = next(e for e in world.record if e.kind == "offline_access")
    assert chosen.target == f"{TENANT}/api/v2/"  # the default audience


async def test_job_renews_the_token(world: World, browser: httpx.AsyncClient) -> None:
    """When the access token has expired, the job gets another one with the refresh token."""
    await world.log_in(browser)
    sub, grants = await sub_of(world, browser), world.network.grants
    world.clock.now += 7200
    assert (await ask(world, sub)).status_code == 200
    assert world.network.grants == grants + 1


async def test_session_used_last(world: World, browser: httpx.AsyncClient) -> None:
    """Of a user's sessions, a job uses the one that was used last; with the id of a session, that
    one. Other users' sessions do not count."""
    async with world.browser() as phone, world.browser() as bobs:
        await world.log_in(browser)
        world.clock.now += 100
        await world.log_in(phone)
        world.clock.now += 100
        await world.log_in(bobs, "bob@example.com")
        sub = await sub_of(world, browser)
        laptop_name, phone_name = await name_of(world, browser), await name_of(world, phone)
        assert laptop_name != phone_name
        for each, name in ((None, phone_name), (browser, laptop_name)):
            if each is not None:
                world.clock.now += 100
                await world.store.touch(key_of(each))
            await ask(world, sub)
            assert chosen(world)[-1] == name
        assert (await ask(world, sub, await id_of(world, phone))).status_code == 200
        assert chosen(world)[-1] == phone_name


async def test_session_with_the_token_comes_first(world: World, browser: httpx.AsyncClient) -> None:
    """A session that was used later, but has no token for the API, is used for other APIs only."""
    other = "https://other.example/messages"
    async with world.browser() as phone:
        await world.log_in(browser)
        sub = await sub_of(world, browser)
        with pytest.raises(ConsentRequired) as raised:
            async with world.auth.http_client_of(sub=sub) as http:
                await http.get(other)
        assert raised.value.login_url is None
        link = world.auth.login_url("/", audience=raised.value.audience)
        begun = await browser.get(link)
        await browser.get(await through_the_pages(browser, begun.headers["location"]))
        world.clock.now += 100
        await world.log_in(phone)
        async with world.auth.http_client_of(sub=sub) as http:
            await http.get(other)
            await http.get(f"{TENANT}/api/v2/users/{sub}")
        first, second = chosen(world)[-2:]
        assert (first, second) == (await name_of(world, browser), await name_of(world, phone))


@pytest.mark.parametrize("case", ["unknown user", "logged out", "another user's session", "no id"])
async def test_no_session(world: World, browser: httpx.AsyncClient, case: str) -> None:
    """Without a session of this user, nothing is sent: `LoginRequired`, which is recorded and has
    no link, since there is no page to return to."""
    async with world.browser() as bobs:
        await world.log_in(browser)
        await world.log_in(bobs, "bob@example.com")
        sub, session = await sub_of(world, browser), None
        if case == "unknown user":
            sub = "auth0|nobody"
        elif case == "logged out":
            await browser.post(f"{APP}/auth/logout", headers={"Origin": APP})
        else:
            session = await id_of(world, bobs) if case == "another user's session" else ""
        world.record.clear()
        sent = len(world.network.paths)
        with pytest.raises(LoginRequired) as raised:
            await ask(world, sub, session)
        assert raised.value.login_url is None
        assert len(world.network.paths) == sent
        (entry,) = [e for e in world.record if e.kind == "offline_access"]
        assert (entry.outcome, entry.reason, entry.sub) == ("failure", "login_required", sub)
        assert entry.error_id == raised.value.error_id


async def test_session_without_a_refresh_token(world: World, browser: httpx.AsyncClient) -> None:
    """A session without a refresh token is for its own tabs only."""
    await world.log_in(browser)
    stored = await stored_of(world, browser)
    tokens = tuple(replace(t, refresh_token=None) for t in stored.session.access_tokens)
    without = replace(stored.session, access_tokens=tokens)
    assert await world.store.compare_and_swap(key_of(browser), stored.version, without)
    with pytest.raises(LoginRequired):
        await ask(world, without.sub)


async def test_session_that_ends_during_the_job(world: World, browser: httpx.AsyncClient) -> None:
    """When the session ends, the job's next request uses another one of the user, if any."""
    async with world.browser() as phone:
        await world.log_in(browser)
        world.clock.now += 100
        await world.log_in(phone)
        sub = await sub_of(world, browser)
        async with world.auth.http_client_of(sub=sub) as http:
            url = f"{TENANT}/api/v2/users/{sub}"
            for each in (phone, browser):
                assert (await http.get(url)).status_code == 200
                await each.post(f"{APP}/auth/logout", headers={"Origin": APP})
            assert len(set(chosen(world))) == 2
            with pytest.raises(LoginRequired):
                await http.get(url)


async def test_outages(world: World, browser: httpx.AsyncClient) -> None:
    """An outage of the provider or the store is an error that says so, and ends no session."""
    await world.log_in(browser)
    sub = await sub_of(world, browser)
    world.clock.now += 7200
    world.network.is_cut = True
    with pytest.raises(ProviderUnavailable):
        await ask(world, sub)
    world.network.is_cut = False
    with store_away(world.store_file), pytest.raises(StoreUnavailable):
        await ask(world, sub)
    assert (await ask(world, sub)).status_code == 200


async def test_request_without_a_token(world: World) -> None:
    """A URL that is not on the allowed list is sent without a token, and needs no session."""
    async with world.auth.http_client_of(sub="auth0|nobody") as http:
        await http.get(f"{TENANT}/.well-known/openid-configuration")
    assert chosen(world) == []


@pytest.mark.parametrize("sub", ["", None])
async def test_no_user(tmp_path: Path, world: World, sub: str) -> None:
    """A job without a user is an error of the app: it must not act for just any user."""
    with pytest.raises(ValueError, match="sub"):
        world.auth.http_client_of(sub=sub)
