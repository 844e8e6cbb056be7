"""The store for several machines: sessions in one Redis, which expires them by itself."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from ..errors import StoreUnavailable
from ..lifetimes import Lifetimes
from . import redis_scripts as scripts
from .activity import ACTIVITY_AGE, MOST_ACTIVITY, Activity
from .encryption import RecordSealer, Sealer
from .models import Session, Transaction
from .store import StoredSession

try:
    import redis.asyncio as aioredis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
except ImportError as error:
    raise ImportError(
        "RedisSessionStore needs the package redis: pip install 'reflex-oidc[redis]'"
    ) from error

TIMEOUT = 2.0  # seconds to connect, to get an answer, and to get a connection of the pool
CONNECTIONS = 50
LISTEN_INTERVAL = 15.0  # seconds without a message after which the subscription sends a ping

_FIELDS = ("sealed", "version", "last_seen_at")


class RedisSessionStore:
    """`SessionStore` in Redis 6.2 or newer: one server, or one with replicas, but not a cluster.

    `url` is a URL of redis-py: `redis://`, `rediss://` (TLS) or `unix://`. Every key of this layer
    starts with `prefix`. Sessions end by `lifetimes`. The clocks of machines that share it must
    agree within seconds (NTP).
    """

    def __init__(
        self,
        url: str,
        sealer: Sealer,
        *,
        prefix: str = "auth:",
        lifetimes: Lifetimes | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        pool = aioredis.BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=TIMEOUT,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),  # a script whose answer was lost may have run
        )
        self._redis = aioredis.Redis.from_pool(pool)
        self._is_closed = False
        self._sealer = RecordSealer(sealer)
        self._prefix = prefix
        self.lifetimes = lifetimes or Lifetimes()
        self._clock = clock
        self._create = self._redis.register_script(scripts.CREATE)
        self._delete = self._redis.register_script(scripts.DELETE)
        self._seen = self._redis.register_script(scripts.SEEN)
        self._purge = self._redis.register_script(scripts.PURGE)
        self._compare_and_swap = self._redis.register_script(scripts.COMPARE_AND_SWAP)
        self._acquire_lease = self._redis.register_script(scripts.ACQUIRE_LEASE)
        self._change_lease = self._redis.register_script(scripts.CHANGE_LEASE)

    async def create(
        self, session_id_hash: str, session: Session, *, replaces: str | None = None
    ) -> None:
        now, life = self._clock(), self.lifetimes
        expires_at = StoredSession(session, 1, now).expires_at(life)
        sub_tag, sid_tag = self._sealer.newest_tags(session)
        tags = [tag for tag in (sub_tag, sid_tag) if tag is not None]
        async with self._connected(), self._redis.pipeline(transaction=True) as pipeline:
            if replaces is not None:
                await self._delete([self._name("session", replaces)], [replaces], client=pipeline)
            await self._create(
                [
                    self._name("session", session_id_hash),
                    self._name("expiring"),
                    *(self._name("sessions-of", tag) for tag in tags),
                ],
                [
                    *(
                        session_id_hash,
                        self._sealer.seal(session_id_hash, session),
                        session.created_at,
                        now,
                    ),
                    *(expires_at, _pttl(expires_at - now), _pttl(life.absolute)),
                    _text(session.session_expiry),
                ],
                client=pipeline,
            )
            await pipeline.execute()

    def cached(self, session_id_hash: str) -> StoredSession | None:
        # A cache would miss the changes that other machines make.
        return None

    async def load(self, session_id_hash: str) -> StoredSession | None:
        async with self._connected():
            fields: list[Any] = await self._redis.execute_command(  # type: ignore[no-untyped-call]
                "HMGET", self._name("session", session_id_hash), *_FIELDS
            )
        return self._opened(session_id_hash, *fields)

    async def touch(self, session_id_hash: str) -> None:
        life = self.lifetimes
        async with self._connected():
            await self._seen(
                [self._name("session", session_id_hash)],
                [session_id_hash, self._clock(), life.idle, life.absolute],
            )

    async def compare_and_swap(
        self, session_id_hash: str, version: int, session: Session, *, fence: int | None = None
    ) -> bool:
        sealed = self._sealer.seal(session_id_hash, session)
        async with self._connected():
            swapped = await self._compare_and_swap(
                [self._name("session", session_id_hash), self._name("lease", session_id_hash)],
                [version, sealed, "" if fence is None else fence, _text(session.session_expiry)],
            )
        if swapped:
            await self.touch(session_id_hash)
        return bool(swapped)

    async def delete(self, session_id_hash: str) -> bool:
        async with self._connected():
            return bool(
                await self._delete([self._name("session", session_id_hash)], [session_id_hash])
            )

    async def find(
        self, *, sub: str | None = None, sid: str | None = None
    ) -> dict[str, StoredSession]:
        found = {}
        for tag in self._sealer.tags(sub=sub, sid=sid):
            async with self._connected():
                hashes = await self._redis.zrange(self._name("sessions-of", tag), 0, -1)
            for session_id_hash in map(bytes.decode, hashes):
                if (stored := await self.load(session_id_hash)) is not None:
                    found[session_id_hash] = stored
        return found

    async def put_transaction(self, key: str, transaction: Transaction) -> None:
        sealed = self._sealer.seal(key, transaction)
        async with self._connected():
            await self._redis.set(
                self._name("login", key), sealed, px=_pttl(self.lifetimes.transaction)
            )

    async def take_transaction(self, key: str) -> Transaction | None:
        async with self._connected():
            sealed = await self._redis.getdel(self._name("login", key))
        transaction = self._sealer.open(key, sealed, Transaction) if sealed else None
        oldest = self._clock() - self.lifetimes.transaction
        return transaction if transaction and transaction.created_at > oldest else None

    async def mark_used(self, key: str, until: float) -> None:
        async with self._connected():
            await self._redis.set(
                self._name("remembered", key), until, px=_pttl(until - self._clock())
            )

    async def is_used(self, key: str) -> bool:
        async with self._connected():
            until = await self._redis.get(self._name("remembered", key))
        return until is not None and float(until) > self._clock()

    async def add_activity(self, user: str, entry: Activity) -> None:
        tag = self._sealer.activity_tags(user)[0]
        name = self._name("activity", tag)
        async with self._connected(), self._redis.pipeline(transaction=True) as pipeline:
            pipeline.lpush(name, self._sealer.seal(tag, entry))
            pipeline.ltrim(name, 0, MOST_ACTIVITY - 1)
            pipeline.pexpire(name, _pttl(ACTIVITY_AGE))
            await pipeline.execute()

    async def activity(self, user: str) -> list[Activity]:
        entries, oldest = [], self._clock() - ACTIVITY_AGE
        for tag in self._sealer.activity_tags(user):
            async with self._connected():
                rows: list[Any] = await self._redis.lrange(  # type: ignore[misc]
                    self._name("activity", tag), 0, -1
                )
            entries += [self._sealer.open(tag, sealed, Activity) for sealed in rows]
        return [each for each in entries if each and each.at > oldest][:MOST_ACTIVITY]

    async def acquire_lease(self, session_id_hash: str, ttl: float) -> int | None:
        now = self._clock()
        async with self._connected():
            fence = await self._acquire_lease(
                [self._name("lease", session_id_hash)],
                [now, now + ttl, _pttl(self.lifetimes.absolute)],
            )
        return None if fence is None else int(fence)

    async def renew_lease(self, session_id_hash: str, fence: int, ttl: float) -> bool:
        now = self._clock()
        async with self._connected():
            return bool(
                await self._change_lease(
                    [self._name("lease", session_id_hash)], [fence, now, now + ttl]
                )
            )

    async def release_lease(self, session_id_hash: str, fence: int) -> None:
        async with self._connected():
            await self._change_lease(
                [self._name("lease", session_id_hash)], [fence, self._clock(), 0]
            )

    async def publish(self, news: str) -> None:
        async with self._connected():
            await self._redis.publish(self._name("news"), news)

    async def listen(self) -> AsyncGenerator[str]:
        async with self._connected(), self._redis.pubsub() as subscription:
            await subscription.subscribe(self._name("news"))
            while True:
                message = await subscription.get_message(timeout=LISTEN_INTERVAL)
                if message is None:
                    await subscription.ping()
                elif message["type"] == "subscribe":
                    yield ""
                elif message["type"] == "message":
                    yield message["data"].decode()

    async def purge(self) -> dict[str, Session | None]:
        async with self._connected():
            hashes: Any = await self._purge([self._name("expiring")], [self._clock()])
        # Redis has deleted the sessions themselves already; the index still has their keys.
        return {session_id_hash.decode(): None for session_id_hash in hashes}

    async def ping(self) -> None:
        async with self._connected():
            await self._redis.execute_command("PING")  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        self._is_closed = True
        await self._redis.aclose()

    def _name(self, *parts: str) -> str:
        return self._prefix + ":".join(parts)

    def _opened(
        self,
        session_id_hash: str,
        sealed: bytes | None,
        version: bytes | None,
        last_seen_at: bytes | None,
    ) -> StoredSession | None:
        """Return the session of these fields, which are all present or all missing."""
        if not (sealed and version and last_seen_at):
            return None
        session = self._sealer.open(session_id_hash, sealed, Session)
        stored = StoredSession(session, int(version), float(last_seen_at)) if session else None
        is_live = stored is not None and self._clock() < stored.expires_at(self.lifetimes)
        return stored if is_live else None

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        """Turn every failure of Redis into `StoreUnavailable`: an outage ends no session."""
        if self._is_closed:  # its client would connect again
            raise StoreUnavailable("The session store is closed.")
        try:
            yield
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreUnavailable(
                f"Redis cannot be used now: {type(error).__name__}: {error}."
            ) from error


def _text(time_or_none: float | None) -> str:
    return "" if time_or_none is None else str(time_or_none)


def _pttl(seconds: float) -> int:
    return max(1, int(seconds * 1000))
