"""One behaviour of the whole app on every store, through HTTP, with two people's cookie jars."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from redis import Redis

from app.auth import MemorySessionStore, RedisSessionStore, Sealer, SessionStore, SQLiteSessionStore
from app.auth.session import Lifetimes, hash_session_id
from app.auth.session.session_cache import READ_INTERVAL

from ..redis_server import running_redis
from .test_access_tokens import token
from .world import APP, Clock, World

ALICE, BOB = "alice@example.com", "bob@example.com"
LIFE = Lifetimes()


class Kind:
    """A kind of store; `open` opens it, once more each time, `spoil` damages every record."""

    def __init__(self, name: str, directory: Path, redis_url: str | None) -> None:
        self.name = name
        self._file = directory / "sessions.sqlite3"
        self._redis_url = redis_url
        self._memory: SessionStore | None = None
        self._looked = Clock()  # stands still: what the layer changes is seen without another look

    def open(self, sealer: Sealer, clock: Clock) -> SessionStore:
        """One more process opens it; what is in memory has one process only."""
        if self._redis_url is not None:
            return RedisSessionStore(self._redis_url, sealer, clock=clock)
        if self.name == "sqlite":
            return SQLiteSessionStore(self._file, sealer, clock=clock, monotonic=self._looked)
        self._memory = self._memory or MemorySessionStore(sealer, clock=clock)
        return self._memory

    def spoil(self) -> None:
        """As a fault of the disk, or somebody with access to it, would; it is time to look."""
        self._looked.now += READ_INTERVAL
        if self._redis_url is not None:
            with Redis.from_url(self._redis_url) as redis:
                for key in redis.scan_iter("auth:session:*"):
                    redis.hset(key, "sealed", b"spoilt")
        else:
            with closing(sqlite3.connect(self._file)) as database, database:
                database.execute("UPDATE sessions SET sealed = x'00'")


@pytest.fixture(params=["memory", "sqlite", "redis"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kind]:
    """Each kind in turn, empty."""
    if request.param == "redis":
        with running_redis(tmp_path) as url:
            yield Kind("redis", tmp_path, url)
    else:
        yield Kind(request.param, tmp_path, None)


@pytest.fixture
async def world(kind: Kind, tmp_path: Path) -> AsyncIterator[World]:
    """An app on this store."""
    world = World(tmp_path, open_store=kind.open)
    yield world
    await world.store.close()


@pytest.fixture
async def alice(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Logged in, in a browser of her own."""
    async with world.browser() as browser:
        await world.log_in(browser, ALICE)
        yield browser


@pytest.fixture
async def bob(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Logged in, in a browser of his own."""
    async with world.browser() as browser:
        await world.log_in(browser, BOB)
        yield browser


async def who(browser: httpx.AsyncClient) -> str | None:
    """The person whom the app takes this browser for."""
    answer = await browser.get(f"{APP}/auth/profile", headers={"X-CSRF": "1"})
    assert answer.status_code in {200, 401}
    return answer.json().get("email")


def ref_of(browser: httpx.AsyncClient) -> str:
    """The reference of this browser's session."""
    return hash_session_id(browser.cookies["auth_session_3000"])


async def test_two_people(world: World, alice: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    """Each is who they are, and one's logout is not the other's."""
    assert (await who(alice), await who(bob)) == (ALICE, BOB)
    copied = alice.cookies["auth_session_3000"]
    await alice.post(f"{APP}/auth/logout", headers={"origin": APP})
    alice.cookies.set("auth_session_3000", copied, domain="localhost.local")
    assert (await who(alice), await who(bob)) == (None, BOB)


async def test_new_id(world: World, alice: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    """A second login of the same browser replaces its session; the old cookie is worth nothing."""
    old = alice.cookies["auth_session_3000"]
    await world.log_in(alice, ALICE)
    assert await who(alice) == ALICE
    assert list(await world.store.find(sub=await sub(world, alice))) == [ref_of(alice)]
    bob.cookies.set("auth_session_3000", old, domain="localhost.local")
    assert await who(bob) is None


async def sub(world: World, browser: httpx.AsyncClient) -> str:
    """The person's `sub`."""
    stored = await world.store.load(ref_of(browser))
    assert stored
    return stored.session.sub


async def test_expiry(world: World, alice: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    """Whoever stays away for the idle lifetime is out; whoever comes by, at the absolute one."""
    begun_at = world.clock.now
    while world.clock.now < begun_at + LIFE.absolute - LIFE.idle / 2:
        world.clock.now += LIFE.idle / 2
        assert await who(alice) == ALICE
        await world.store.touch(ref_of(alice))  # as the websocket's binding does
    assert await who(bob) is None
    world.clock.now = begun_at + LIFE.absolute
    assert await who(alice) is None


async def test_refresh_at_once(
    world: World, alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    """Fifty callers of each person on expired tokens: one grant for each, nobody gets another's."""
    world.clock.now += 3600
    before = world.network.grants
    refs = [ref_of(alice), ref_of(bob)] * 50
    tokens = await asyncio.gather(*(token(world, ref) for ref in refs))
    assert len(set(tokens[::2])) == len(set(tokens[1::2])) == 1
    assert tokens[0] != tokens[1]
    assert world.network.grants == before + 2


async def test_end_by_user_and_by_sid(
    world: World, alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    """All sessions of a person, or of one session at the provider, can be found and ended; other
    people's stay."""
    async with world.browser() as phone:
        await world.log_in(phone, ALICE)
        stored = await world.store.load(ref_of(phone))
        assert stored
        for ref in await world.store.find(sid=stored.session.sid):
            await world.store.delete(ref)
        assert (await who(phone), await who(alice), await who(bob)) == (None, ALICE, BOB)
        await world.log_in(phone, ALICE)
        for ref in await world.store.find(sub=stored.session.sub):
            await world.store.delete(ref)
        assert (await who(phone), await who(alice), await who(bob)) == (None, None, BOB)


async def test_spoilt(kind: Kind, world: World, alice: httpx.AsyncClient) -> None:
    """A damaged record is nobody's session and no error; the person logs in again."""
    if kind.name == "memory":
        pytest.skip("nobody else can reach what is in memory")
    kind.spoil()
    assert await who(alice) is None
    await world.log_in(alice, ALICE)
    assert await who(alice) == ALICE


@pytest.mark.parametrize(
    ("secrets", "person"),
    [(("n" * 32, "s" * 32), ALICE), (("n" * 32,), None)],
    ids=["the old one behind a new one", "a new one alone"],
)
async def test_secrets(
    kind: Kind, world: World, alice: httpx.AsyncClient, secrets: tuple[str, ...], person: str | None
) -> None:
    """After a change of AUTH0_SECRET people stay logged in as long as the old one is kept."""
    if kind.name == "memory":
        pytest.skip("what is in memory ends with its process")
    stores: list[SessionStore] = []

    def reopened(sealer: Sealer, clock: Clock) -> SessionStore:
        stores.append(kind.open(Sealer(secrets), world.clock))
        return stores[-1]

    later = World(Path(str(world.store_file.parent) + "-later"), open_store=reopened)
    async with later.browser() as browser:
        cookie = alice.cookies["auth_session_3000"]
        browser.cookies.set("auth_session_3000", cookie, domain="localhost.local")
        assert await who(browser) == person
    await stores[0].close()
