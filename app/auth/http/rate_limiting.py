"""Rate limits for requests. A client that exceeds one is answered 429 (RFC 6585 section 4)."""

from __future__ import annotations

import logging
from typing import Any, Literal

from redis.exceptions import RedisError
from throttled.asyncio import MemoryStore, RateLimiterType, RedisStore, Throttled
from throttled.asyncio.store import BaseStore
from throttled.exceptions import StoreUnavailableError

from ..audit import AuditTrail, Kind, Outcome
from ..limits import Limits, quota
from ..log_throttle import LogThrottle
from .websocket_limits import MOST_KEYS

logger = logging.getLogger(__name__)

Limited = Literal["login", "callback", "backchannel_logout", "connection"]
_EVERYBODY = "everybody"  # the key of limits that count all clients together
_REDIS = {
    "CONNECTION_POOL_CLASS": "redis.asyncio.BlockingConnectionPool",
    "CONNECTION_POOL_KWARGS": {
        "max_connections": 10,
        "timeout": 2.0,
        "socket_timeout": 2.0,
        "socket_connect_timeout": 2.0,
    },
}


class RequestLimits:
    """Counts requests in Redis if there is one, so that all processes share the count; else in
    memory, for at most `MOST_KEYS` clients. While Redis is unavailable, no request is limited: the
    routes need the sessions, which are unavailable, too."""

    def __init__(self, limits: Limits, audit: AuditTrail, *, redis_url: str | None) -> None:
        self._audit = audit
        self._redis = RedisStore(server=redis_url, options={**_REDIS}) if redis_url else None
        store = self._redis or MemoryStore(options={"MAX_SIZE": MOST_KEYS})
        self._of_client = {
            "login": _throttled(limits.login, store, "login"),
            "callback": _throttled(limits.callback, store, "callback"),
            "backchannel_logout": _throttled(limits.backchannel_logout, store, "backchannel"),
            "connection": _throttled(limits.connection, store, "connection"),
        }
        self._of_all = {"login": _throttled(limits.login_of_all, store, "login-of-all")}
        self._throttle = LogThrottle()

    async def seconds_to_wait(self, what: Limited, client: str) -> float:
        """Count a request. Return 0 if it may proceed, else the seconds until a retry."""
        wait = await self._seconds(self._of_client[what], client)
        # A client over its own limit does not use up the limit of all clients.
        if not wait and what in self._of_all:
            wait = await self._seconds(self._of_all[what], _EVERYBODY)
        if wait and self._throttle.is_due(f"{what} {client}"):
            logger.warning("Too many requests from %s: %s", client, what)
            self._audit.record(Kind.LIMIT, Outcome.DENIED, what, target=client)
        return wait

    async def aclose(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            # throttled has no public way to close its client.
            client: Any = self._redis._backend.get_client()
            await client.aclose()

    async def _seconds(self, throttled: Throttled, client: str) -> float:
        try:
            result = await throttled.limit(client)
        except (StoreUnavailableError, RedisError, OSError, TimeoutError) as error:
            logger.warning("Requests cannot be counted now, so they are not limited: %s", error)
            return 0.0
        return result.state.retry_after if result.limited else 0.0


def _throttled(text: str, store: BaseStore, name: str) -> Throttled:
    return Throttled(
        using=RateLimiterType.GCRA.value,
        quota=quota(text),
        store=store,
        key_prefix=f"auth:limit:{name}",
    )
