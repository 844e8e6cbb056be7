"""A second factor: asked for by a link, checked in the ID token, and missing at a refresh."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from app.auth import MfaRequired, TokenOptions
from app.auth.oidc.authentication import MULTI_FACTOR
from app.auth.session import Session, hash_session_id

from .world import APP, World, error_code

CAROL, BOB = "carol@example.com", "bob@example.com"
STEP_UP = f"{APP}/auth/login?return_to=/transfer&acr_values={quote(MULTI_FACTOR, safe='')}"


def current(browser: httpx.AsyncClient) -> str:
    """The key of the browser's session in the store."""
    return hash_session_id(browser.cookies["auth_session_3000"])


async def session_of(world: World, browser: httpx.AsyncClient) -> Session:
    """The browser's session."""
    stored = await world.store.load(current(browser))
    assert stored is not None
    return stored.session


async def step_up(
    world: World, browser: httpx.AsyncClient, email: str, url: str = STEP_UP
) -> httpx.Response:
    """Follow a login link to its end."""
    begun = await browser.get(url)
    return await browser.get(await world.answer(browser, begun.headers["location"], email))


async def test_step_up(world: World, browser: httpx.AsyncClient) -> None:
    """A user with a second factor who has logged in without it does so with it, and comes back to
    the page, under the same state trees. The session says how the user logged in."""
    await world.log_in(browser, CAROL)
    before = await session_of(world, browser)
    assert (before.acr, before.amr) == (None, ("pwd",))
    response = await step_up(world, browser, CAROL)
    assert response.headers["location"] == f"{APP}/transfer"
    after = await session_of(world, browser)
    assert (after.acr, after.amr) == (MULTI_FACTOR, ("pwd", "otp", "mfa"))
    assert (after.sid, after.state_key) == (before.sid, before.state_key)
    assert after.authenticated_at == before.authenticated_at


async def test_not_done(world: World, browser: httpx.AsyncClient) -> None:
    """A provider that does not ask for it logs nobody in: the error page knows where the user was
    and what was asked for. The session that was there is unchanged; the audit trail says why."""
    await world.log_in(browser, BOB)
    handle, before = current(browser), await session_of(world, browser)
    response = await step_up(world, browser, BOB)
    assert error_code(response) == "acr_not_met"
    query = parse_qs(urlsplit(response.headers["location"]).query)
    assert query["return_to"] == ["/transfer"]
    assert query["acr_values"] == [MULTI_FACTOR]
    assert (current(browser), await session_of(world, browser)) == (handle, before)
    assert (world.record[-1].outcome, world.record[-1].reason) == ("failure", "acr_not_met")


async def test_fixed_parameter(tmp_path: Path) -> None:
    """As a parameter of every login it is a voluntary request: who has no second factor logs in."""
    world = World(tmp_path, fixed_parameters=(("acr_values", MULTI_FACTOR),))
    for email, amr in ((BOB, ("pwd",)), (CAROL, ("pwd", "otp", "mfa"))):
        async with world.browser() as browser:
            await step_up(world, browser, email)
            assert (await session_of(world, browser)).amr == amr
    await world.store.close()


async def test_mfa_required(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A provider that renews no token without a second factor says what to do: `login_url` asks for
    it and returns to the page. The session is unchanged until then, and what the provider sent
    beside its error is neither in the exception nor in the log."""
    caplog.set_level(logging.DEBUG)
    world = World(tmp_path, mfa_at_refresh=True)
    async with world.browser() as browser:
        await world.log_in(browser, CAROL)
        before = await session_of(world, browser)
        world.clock.now += 7200
        with pytest.raises(MfaRequired) as raised:
            await world.auth._access_token(current(browser), lambda: "/transfer", TokenOptions())
        error = raised.value
        assert (error.code, error.error, error.retryable) == ("mfa_required", "mfa_required", False)
        assert error.__cause__ is None
        assert "mfa_token" not in f"{error!r} {vars(error)} {caplog.text}"
        assert await session_of(world, browser) == before
        assert error.login_url is not None
        response = await step_up(world, browser, CAROL, error.login_url)
        assert response.headers["location"] == f"{APP}/transfer"
        world.clock.now += 7200
        await world.auth._access_token(current(browser), lambda: "/", TokenOptions())
    await world.store.close()


async def test_mfa_required_while_token_is_valid(tmp_path: Path) -> None:
    """A token that is still valid is used on, though it cannot be renewed."""
    world = World(tmp_path, mfa_at_refresh=True)
    async with world.browser() as browser:
        await world.log_in(browser, CAROL)
        (held,) = (await session_of(world, browser)).access_tokens
        world.clock.now = held.expires_at - 10
        token = await world.auth._access_token(current(browser), lambda: "/", TokenOptions())
        assert token == held.value
    await world.store.close()
