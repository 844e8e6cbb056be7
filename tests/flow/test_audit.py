"""The record: every step of logins, sessions and tokens, and nothing secret in it."""

from __future__ import annotations

from dataclasses import astuple
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.auth import AuditEvent, SessionEnded, TokenOptions
from app.auth.session import hash_session_id

from .world import APP, TENANT, World

API = TokenOptions(f"{TENANT}/api/v2/", "read:current_user")
Entry = tuple[str, str, str]


def entries(world: World) -> list[Entry]:
    """Kind, outcome and reason of each entry so far, which is then forgotten."""
    seen: list[Entry] = [(e.kind.value, e.outcome.value, e.reason) for e in world.record]
    world.record.clear()
    return seen


def ref_of(browser: httpx.AsyncClient) -> str:
    """The reference of this browser's session."""
    return hash_session_id(browser.cookies["auth_session_3000"])


async def token(world: World, browser: httpx.AsyncClient) -> str:
    """What the interceptor would attach."""
    return await world.auth._access_token(ref_of(browser), lambda: "/profile", API)


async def test_login_and_logout(world: World, browser: httpx.AsyncClient) -> None:
    """A login is recorded as begun and as completed, with its user, session and page; the logout
    with the same session and how it came about."""
    await world.log_in(browser)
    begun, completed = world.record
    assert (begun.kind, begun.reason, begun.target) == ("login_started", "redirected", "/profile")
    assert (completed.kind, completed.outcome, completed.reason) == (
        *("login_completed", "success", "new"),
    )
    assert completed.sub is not None
    assert completed.sub.startswith("auth0|")
    assert (completed.target, completed.time) == ("/profile", world.clock.now)
    await browser.post(f"{APP}/auth/logout")
    ended = world.record[-1]
    assert (ended.kind, ended.outcome, ended.reason) == ("logout", "success", "user")
    assert (ended.sub, ended.session) == (completed.sub, completed.session)


async def test_login_again(world: World, browser: httpx.AsyncClient) -> None:
    """A login in the place of another session says so, and is a session of another name."""
    await world.log_in(browser)
    first = world.record[-1].session
    await world.log_in(browser)
    assert world.record[-1].reason == "replaced"
    assert world.record[-1].session not in (first, None)


async def test_failed_login(world: World, browser: httpx.AsyncClient) -> None:
    """What fails is recorded under the code and the error id that the user is shown."""
    response = await browser.get(f"{APP}/auth/callback?state=unknown&code=SECRET-CODE")
    query = parse_qs(urlsplit(response.headers["location"]).query)
    (entry,) = world.record
    assert (entry.kind, entry.outcome) == ("login_completed", "failure")
    assert [entry.reason, entry.error_id] == [query["code"][0], query["id"][0]]
    world.network.is_cut = True
    await browser.get(f"{APP}/auth/login")
    assert entries(world)[1:] == [("login_started", "failure", "provider_unavailable")]


async def test_refresh(world: World, browser: httpx.AsyncClient) -> None:
    """A renewed token is recorded with its audience; a failure by its code, and so is the end of
    a session that the provider no longer honours."""
    await world.log_in(browser)
    world.clock.now += 3600
    await token(world, browser)
    assert world.record[-1].target == API.audience
    assert entries(world)[-1] == ("token_refresh", "success", "refreshed")
    world.clock.now += 3600 - 59
    world.network.is_cut = True
    await token(world, browser)
    assert entries(world) == [("token_refresh", "failure", "provider_unavailable")]
    world.network.is_cut = False
    world.clock.now += 3600
    await world.fault("revoke")
    with pytest.raises(SessionEnded):
        await token(world, browser)
    assert entries(world) == [
        ("session_revoked", "success", "invalid_grant"),
        ("token_refresh", "failure", "session_ended"),
    ]


async def test_other_device(world: World, browser: httpx.AsyncClient) -> None:
    """Who logs a device out from another one is told apart from who logs out."""
    async with world.browser() as phone:
        await world.log_in(browser)
        await world.log_in(phone)
        await world.auth.sessions.devices.end_others(ref_of(browser))
        assert entries(world)[-1] == ("logout", "success", "other_device")


async def test_backchannel(world: World, browser: httpx.AsyncClient) -> None:
    """A logout token that is refused is recorded as a logout that failed."""
    await browser.post(f"{APP}/auth/backchannel-logout", data={"logout_token": "x.y.z"})
    (entry,) = world.record
    assert (entry.kind, entry.outcome, entry.reason) == (
        *("logout", "failure", "invalid_logout_token"),
    )
    assert entry.error_id is not None


async def test_expiry(world: World, browser: httpx.AsyncClient) -> None:
    """A session that nobody used is recorded as expired, with its user, when it is freed."""
    await world.log_in(browser)
    known = world.record[-1]
    world.clock.now += 3 * 24 * 3600
    await world.auth.sessions.free_what_has_expired()
    expired = world.record[-1]
    assert (expired.kind, expired.reason) == ("session_expired", "expired")
    assert (expired.sub, expired.session) == (known.sub, known.session)


async def test_nothing_secret(world: World, browser: httpx.AsyncClient) -> None:
    """No entry holds a token, a code, a cookie, or the store's key of a session."""
    begun = await world.begin(browser, "/profile?private=1")
    callback = await world.answer(browser, begun)
    await browser.get(callback)
    world.clock.now += 3600
    access_token = await token(world, browser)
    stored = await world.store.load(ref_of(browser))
    assert stored is not None
    secrets = [access_token, ref_of(browser), *browser.cookies.values(), "private"]
    secrets += [*stored.session.refresh_tokens, str(stored.session.id_token)]
    secrets += [httpx.URL(callback).params[name] for name in ("code", "state")]
    await browser.post(f"{APP}/auth/logout")
    text = _text(world.record)
    assert len(world.record) == 4
    assert not [secret for secret in secrets if secret in text]


def _text(record: list[AuditEvent]) -> str:
    return repr([astuple(event) for event in record])
