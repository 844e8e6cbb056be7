"""Events that come too often are dropped before anything is made of them."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Awaitable

from starlette.types import Message, Receive
from throttled import MemoryStore, RateLimiterType, Throttled
from throttled.store import BaseStore

from ..audit import AuditTrail, Kind, Outcome
from ..limits import Limits, quota
from ..log_throttle import LogThrottle

logger = logging.getLogger(__name__)

MOST_KEYS = 20_000  # the least recently seen is forgotten first
BATCH = 50  # events that are counted at once, so that counting costs an event next to nothing

_numbers = itertools.count(1)


class EventLimits:
    """Counted in memory: a websocket lives in one process, and a session's sockets in a few."""

    def __init__(self, limits: Limits, audit: AuditTrail) -> None:
        store = MemoryStore(options={"MAX_SIZE": MOST_KEYS})
        self._audit = audit
        self._of_session = _throttled(limits.event, store, "session")
        self._of_client = _throttled(limits.event_of_client, store, "client")
        self._throttle = LogThrottle()

    def of_connection(self, ref: str | None, client: str) -> EventAllowance:
        """For a new websocket of this session (None: nobody's) and client."""
        return EventAllowance(self, ref, client)

    def take(self, session: str, client: str, count: int) -> str | None:
        """Count so many events; the name of the limit that they do not fit into, if any.

        What is too much of one session does not count for its client, which others may share.
        """
        if self._of_session.limit(session, cost=count).limited:
            return "event"
        if self._of_client.limit(client, cost=count).limited:
            return "event_of_client"
        return None

    def tell(self, limit: str, ref: str | None, client: str) -> None:
        """Note that events are dropped, but not each of them."""
        if self._throttle.is_due(f"{limit} {ref or client}"):
            logger.warning("Too many events from %s; they are dropped: %s", client, limit)
            self._audit.record(Kind.LIMIT, Outcome.DENIED, limit, ref=ref, target=client)


def rate_limited(receive: Receive, allowance: EventAllowance) -> Receive:
    """A websocket's `receive` that leaves out what there is no allowance for.

    The pings of Engine.IO (`2`, `3`) and the end of the connection always pass. A `receive` that
    is cancelled has been counted.
    """

    def received() -> Awaitable[Message]:
        if allowance.left:  # for whatever comes; without a coroutine, which each event would cost
            allowance.left -= 1
            return receive()
        return next_allowed()

    async def next_allowed() -> Message:
        message = await receive()
        while not _is_free(message) and not allowance.get_more():
            message = await receive()
        if allowance.left:
            allowance.left -= 1
        return message

    return received


def _is_free(message: Message) -> bool:
    return message["type"] != "websocket.receive" or message.get("text") in ("2", "3")


class EventAllowance:
    """What one websocket may still send: `left` messages, until it gets more."""

    def __init__(self, limits: EventLimits, ref: str | None, client: str) -> None:
        self.left = 0
        self._limits = limits
        self._ref = ref
        self._client = client
        self._session = ref or f"tab {next(_numbers)}"

    def get_more(self) -> bool:
        """A whole batch; where that is too much, a single one; False if that is, too."""
        limit: str | None = None
        for count in (BATCH, 1):
            limit = self._limits.take(self._session, self._client, count)
            if limit is None:
                self.left = count
                return True
        if limit is not None:
            self._limits.tell(limit, self._ref, self._client)
        return False


def _throttled(text: str, store: BaseStore, name: str) -> Throttled:
    return Throttled(
        using=RateLimiterType.GCRA.value, quota=quota(text), store=store, key_prefix=name
    )
