"""How often a client may come: what is too much is answered 429, and nobody else notices."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from app.auth import ConfigError, Limits

from ..redis_server import running_redis
from .world import APP, World

FEW = Limits(login="3/hour", callback="3/hour", backchannel_logout="3/hour", login_of_all="5/hour")
ONE, OTHER = "192.0.2.1", "192.0.2.2"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """An app that few may come to."""
    world = World(tmp_path, limits=FEW)
    yield world
    await world.auth.aclose()


async def statuses(browser: httpx.AsyncClient, path: str, *, times: int = 4) -> list[int]:
    """What so many requests are answered."""
    return [(await browser.get(f"{APP}{path}")).status_code for _ in range(times)]


async def test_login(world: World) -> None:
    """The client that begins too many logins reads when to try again; others log in."""
    async with world.browser(ONE) as browser, world.browser(OTHER) as other:
        assert await statuses(browser, "/auth/login") == [302, 302, 302, 429]
        refused = await browser.get(f"{APP}/auth/login")
        seconds = refused.headers["retry-after"]
        assert 0 < int(seconds) <= 1200
        assert f"Try again in {seconds} seconds." in refused.text
        assert refused.headers["cache-control"] == "no-store"
        assert (await world.log_in(other)).status_code == 303
    (entry,) = [entry for entry in world.record if entry.kind == "limit"]
    assert (entry.outcome, entry.reason, entry.target) == ("denied", "login", ONE)


async def test_callback(world: World) -> None:
    """Answers with an unknown `state` are judged three times, and then no more."""
    async with world.browser(ONE) as browser:
        path = "/auth/callback?state=unknown&code=x"
        assert await statuses(browser, path) == [303, 303, 303, 429]


async def test_logged_out(world: World) -> None:
    """The end of a logout writes to the store, and is limited like the end of a login."""
    async with world.browser(ONE) as browser:
        assert await statuses(browser, "/auth/logged-out") == [303, 303, 303, 429]


async def test_backchannel(world: World) -> None:
    """A flood of logout tokens is answered as programs read it."""
    async with world.browser(ONE) as sender:
        for status in (400, 400, 400, 429):
            answer = await sender.post(
                f"{APP}/auth/backchannel-logout", data={"logout_token": "x.y.z"}
            )
            assert answer.status_code == status
        assert answer.json() == {"error": "too_many_requests"}
        assert int(answer.headers["retry-after"]) > 0


async def test_half_open_logins(world: World) -> None:
    """However many clients begin logins, no more are half open than all together may begin."""
    for number in range(20):
        async with world.browser(f"192.0.2.{number}") as browser:
            await browser.get(f"{APP}/auth/login")
    with closing(sqlite3.connect(world.store_file)) as database:
        assert database.execute("SELECT count(*) FROM transactions").fetchone() == (5,)


@pytest.mark.parametrize(
    ("proxies", "claims", "counted"),
    [
        (0, ["198.51.100.1", "198.51.100.2"], [302, 302, 302, 429]),
        (1, ["203.0.113.1, 198.51.100.1", "203.0.113.2, 198.51.100.1"], [302, 302, 302, 429]),
        (1, ["198.51.100.1", "198.51.100.2"], [302, 302, 302, 302]),
        (2, ["198.51.100.1, 10.0.0.1", "198.51.100.1, 10.0.0.2"], [302, 302, 302, 429]),
        (1, ["2001:db8::1", "2001:db8::ffff:2"], [302, 302, 302, 429]),
        (1, ["2001:db8:0:1::1", "2001:db8:0:2::1"], [302, 302, 302, 302]),
        (1, ["nonsense", "1.2.3.4.5"], [302, 302, 302, 429]),
    ],
)
async def test_behind_proxies(
    tmp_path: Path, proxies: int, claims: list[str], counted: list[int]
) -> None:
    """A client is whom the outermost of our proxies was asked by, and nothing that it claims; an
    IPv6 client is its network."""
    world = World(tmp_path, limits=FEW, environ={"APP_TRUSTED_PROXIES": str(proxies)})
    async with world.browser(ONE) as proxy:
        seen = [
            (
                await proxy.get(f"{APP}/auth/login", headers={"X-Forwarded-For": claims[turn % 2]})
            ).status_code
            for turn in range(4)
        ]
    await world.auth.aclose()
    assert seen == counted


async def test_counted_in_redis(tmp_path: Path) -> None:
    """Two processes on one Redis count together; without it nobody is refused for their number."""
    with running_redis(tmp_path) as url:
        worlds = [
            World(tmp_path / name, limits=FEW, environ={"REDIS_URL": url}) for name in ("a", "b")
        ]
        async with worlds[0].browser(ONE) as first, worlds[1].browser(ONE) as second:
            assert await statuses(first, "/auth/login", times=2) == [302, 302]
            assert await statuses(second, "/auth/login", times=2) == [302, 429]
    async with worlds[0].browser(ONE) as first:
        assert await statuses(first, "/auth/login", times=2) == [302, 302]
    for world in worlds:
        await world.auth.aclose()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "login=often",
            "APP_LIMITS: login='often' is no quota such as '120/minute' or",
        ),
        ("login=", "login='' is no quota"),
        ("login=1/minute;2/hour", "login='1/minute;2/hour' is no quota"),
        (
            "logins=1/minute",
            "APP_LIMITS: there is no limit logins; there are backchannel_logout,",
        ),
    ],
)
def test_wrong_limit(text: str, problem: str) -> None:
    """A limit that is none is named, with what would be one."""
    with pytest.raises(ConfigError, match=problem):
        Limits.parse(text)


def test_text() -> None:
    """A text changes the limits that it names; `off` is none at all."""
    assert Limits.parse("") == Limits()
    assert Limits.parse(" login = 1/minute , event=2/second burst 9") == Limits(
        login="1/minute", event="2/second burst 9"
    )
    assert Limits.parse("off") is None
