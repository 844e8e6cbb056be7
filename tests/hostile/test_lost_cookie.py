"""Browsers that drop cookies: a page says so instead of logging in for ever."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from app.auth.session import hash_session_id
from app.auth.texts.english import PROBLEMS

from ..flow.world import Clock
from .relying_party import APP, RelyingParty

COOKIE = "auth_session_3000"


def drop(party: RelyingParty) -> None:
    """The browser drops the session cookie, and keeps the others."""
    party.browser.cookies.delete(COOKIE)


def by_itself(connected_at: object) -> str:
    """The query of the link that a guarded page follows by itself."""
    return urlencode({"return_to": "/profile", "connected_at": connected_at})


async def visit(party: RelyingParty, clock: Clock, *, seconds: float = 1.0) -> str:
    """The page is loaded, connects without a session, and goes to the login by itself."""
    clock.now += seconds
    link = by_itself(f"{clock.now:.3f}")
    clock.now += 0.1
    return (await party.log_in(link)).code or "logged in"


async def test_endless_loop(party: RelyingParty, clock: Clock) -> None:
    """The second login in a row that leads to no session cookie is the last: the third one goes to
    a page that says why, and not to the provider."""
    codes = [(await party.log_in()).code or "logged in"]
    for _ in range(2):
        drop(party)
        codes.append(await visit(party, clock))
    assert codes == ["logged in", "logged in", "cookie_not_sent"]
    assert (await party.log_in()).code is None  # the user tries again: a login as any other


async def test_cookie_withheld_from_websockets(party: RelyingParty, clock: Clock) -> None:
    """The same where the browser sends the cookie to the routes, and to no websocket: page and
    backend are two sites."""
    await party.log_in()
    assert await visit(party, clock) == "logged in"
    assert await visit(party, clock) == "cookie_not_sent"


async def test_no_cookie_at_all(party: RelyingParty) -> None:
    """A browser that drops every cookie comes to the callback without any, as another browser does
    with the same link. It does not go on by itself, and the page names both."""
    response = await party.browser.get((await party.begin()).headers["location"])
    party.browser.cookies.clear()
    answer = await party.browser.get(response.headers["location"])
    assert parse_qs(urlsplit(answer.headers["location"]).query)["code"] == ["invalid_state"]
    assert "does not send the cookie" in PROBLEMS["invalid_state"]


async def test_two_tabs(party: RelyingParty, clock: Clock) -> None:
    """Tabs that connected before the first of them had logged in, as when a browser opens them all
    at its start, may log in one after the other."""
    connected = f"{clock.now:.3f}"
    for _ in range(5):
        clock.now += 0.2
        assert (await party.log_in(by_itself(connected))).code is None


async def test_quick_logins(party: RelyingParty, clock: Clock) -> None:
    """A user who logs in and out again within seconds is no browser without cookies."""
    await party.log_in()
    for _ in range(5):
        await party.log_out()
        assert await visit(party, clock) == "logged in"


async def test_session_that_ended(party: RelyingParty, clock: Clock) -> None:
    """A session that ends right after its login needs another login."""
    await party.log_in()
    for _ in range(5):
        await party.store.delete(hash_session_id(party.browser.cookies[COOKIE]))
        assert await visit(party, clock) == "logged in"


async def test_long_after(party: RelyingParty, clock: Clock) -> None:
    """A cookie that goes away later is a matter of its own."""
    await party.log_in()
    for _ in range(3):
        drop(party)
        assert await visit(party, clock, seconds=60.0) == "logged in"


@pytest.mark.parametrize(
    "value", ["", "x", "-1", "1e9", "inf", "nan", "9" * 13, "9" * 12, "\u0661" * 5, "1.5.2"]
)
async def test_forged_time(party: RelyingParty, clock: Clock, value: str) -> None:
    """A time that is no time, or in the future, is taken for none; a link of a stranger stops
    nobody's login."""
    await party.log_in()
    for _ in range(3):
        clock.now += 1
        assert (await party.log_in(by_itself(value))).code is None


async def test_other_browser(party: RelyingParty, clock: Clock) -> None:
    """Logins of one browser do not count for another."""
    await party.log_in()
    await visit(party, clock)
    party.browser = httpx.AsyncClient(mounts={APP: party._app}, trust_env=False)
    assert await visit(party, clock) == "logged in"
