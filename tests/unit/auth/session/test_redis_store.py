"""What only Redis can show: what it keeps for how long, what is readable in it, and outages."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from app.auth.errors import StoreUnavailable
from app.auth.session import Sealer, hash_session_id, new_session_id
from app.auth.session.redis_store import RedisSessionStore

from ....redis_server import redis_server
from ..conftest import LIFETIMES, SECRET, Clock, session, transaction


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """Redis as an operator sees it."""
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def store(redis_url: str, tmp_path: Path, clock: Clock) -> AsyncIterator[RedisSessionStore]:
    """A store with names of its own."""
    store = RedisSessionStore(
        redis_url, Sealer((SECRET,)), prefix=f"{tmp_path}:", lifetimes=LIFETIMES, clock=clock
    )
    yield store
    await store.close()


async def test_everything_is_freed(
    store: RedisSessionStore, redis: Redis, tmp_path: Path, clock: Clock
) -> None:
    """Every key has an end: a session its idle lifetime, and nothing more than the absolute one."""
    await store.create("ref", session(clock))
    await store.acquire_lease("ref", 10)
    await store.put_transaction("key", transaction(clock))
    ends = {
        key.decode().removeprefix(f"{tmp_path}:").partition(":")[0]: await redis.pttl(key)
        for key in await redis.keys(f"{tmp_path}:*")
    }
    assert set(ends) == {"session", "sessions-of", "expiring", "lease", "login"}
    assert 0 < ends["session"] <= LIFETIMES.idle * 1000
    assert 0 < ends["login"] <= LIFETIMES.transaction * 1000
    assert all(0 < end <= LIFETIMES.absolute * 1000 for end in ends.values())


async def test_no_longer_than_absolute(
    store: RedisSessionStore, redis: Redis, tmp_path: Path, clock: Clock
) -> None:
    """A session that is used near its end is not kept beyond it."""
    await store.create("ref", session(clock))
    for _ in range(10):
        clock.now += 95
        await store.touch("ref")
    assert 0 < await redis.pttl(f"{tmp_path}:session:ref") <= 50_000


async def test_lists_shrink(
    store: RedisSessionStore, redis: Redis, tmp_path: Path, clock: Clock
) -> None:
    """The list of a user's sessions holds no more than those that are left."""
    for number in range(20):
        await store.create(f"ref-{number}", session(clock, sid=None))
        clock.now += 30
    (index,) = await redis.keys(f"{tmp_path}:sessions-of:*")
    assert await redis.zcard(index) <= 4


async def test_nothing_readable(
    store: RedisSessionStore, redis: Redis, tmp_path: Path, clock: Clock
) -> None:
    """Neither names nor values hold a session id, a token, a verifier or a claim."""
    session_id = new_session_id()
    await store.create(hash_session_id(session_id), session(clock))
    await store.put_transaction("key", transaction(clock))
    keys = await redis.keys(f"{tmp_path}:*")
    dumps = [await redis.dump(key) for key in keys]
    raw = b"".join((*keys, *filter(None, dumps)))
    for secret in (
        session_id,
        "access-token",
        "refresh-token",
        "verifier",
        "nonce",
        "alice",
        "Alice",
    ):
        assert secret.encode() not in raw


@pytest.mark.parametrize("sealed", [b"", b"cut", None], ids=["emptied", "truncated", "missing"])
async def test_damaged_record(
    store: RedisSessionStore, redis: Redis, tmp_path: Path, clock: Clock, sealed: bytes | None
) -> None:
    """A record that was changed is nobody's session, and no error."""
    await store.create("ref", session(clock))
    key = f"{tmp_path}:session:ref"
    if sealed is None:
        await redis.hdel(key, "sealed")
    else:
        await redis.hset(key, "sealed", sealed)
    assert await store.load("ref") is None
    assert await store.find(sub="auth0|alice") == {}


async def test_moved_record(
    store: RedisSessionStore, redis: Redis, tmp_path: Path, clock: Clock
) -> None:
    """Bob's record under Alice's key is nobody's session."""
    await store.create("alice", session(clock))
    await store.create("bob", session(clock, sub="auth0|bob"))
    await redis.copy(f"{tmp_path}:session:bob", f"{tmp_path}:session:alice", replace=True)
    assert await store.load("alice") is None


async def test_outage(tmp_path: Path, clock: Clock) -> None:
    """While Redis is down or hangs, every call is a retryable error; when it is back, all goes on,
    with the connections of before."""
    server, url = redis_server(tmp_path)
    server.start()
    store = RedisSessionStore(url, Sealer((SECRET,)), clock=clock)
    try:
        await store.create("ref", session(clock))
        pid = server.pid
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(StoreUnavailable):
            await store.load("ref")
        os.kill(pid, signal.SIGCONT)
        assert await store.load("ref")
        server.stop()
        for call in (store.load("ref"), store.touch("ref"), store.ping(), store.publish("news")):
            with pytest.raises(StoreUnavailable):
                await call
        server.start()
        await asyncio.gather(*(store.create(f"ref-{n}", session(clock)) for n in range(100)))
    finally:
        await store.close()
        server.stop()
