"""Rate limits for websocket events. Events over a limit are dropped before they are parsed."""

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

MOST_KEYS = 20_000  # the least recently used is forgotten first
BATCH = 50  # events that are counted at once, to keep the cost for each event low

_numbers = itertools.count(1)


class EventLimits:
    """Counts events in memory: a websocket lives in one process, a session's sockets in a few."""

    def __init__(self, limits: Limits, audit: AuditTrail) -> None:
        store = MemoryStore(options={"MAX_SIZE": MOST_KEYS})
        self._audit = audit
        self._of_session = _throttled(limits.event, store, "session")
        self._of_client = _throttled(limits.event_of_client, store, "client")
        self._throttle = LogThrottle()

    def of_connection(self, session_id_hash: str | None, client: str) -> EventAllowance:
        """Return the allowance of a new websocket of this session (None: no user) and client."""
        return EventAllowance(self, session_id_hash, client)

    def take(self, session: str, client: str, count: int) -> str | None:
        """Count events. Return the name of the limit that they exceed, or None.

        Events over a session's limit do not count for its client, which other users may share.
        """
        if self._of_session.limit(session, cost=count).limited:
            return "event"
        if self._of_client.limit(client, cost=count).limited:
            return "event_of_client"
        return None

    def tell(self, limit: str, session_id_hash: str | None, client: str) -> None:
        """Log and record that events are dropped, a few times a minute at most."""
        if self._throttle.is_due(f"{limit} {session_id_hash or client}"):
            logger.warning("Too many events from %s; they are dropped: %s", client, limit)
            self._audit.record(
                Kind.LIMIT, Outcome.DENIED, limit, ref=session_id_hash, target=client
            )


def rate_limited(receive: Receive, allowance: EventAllowance) -> Receive:
    """Wrap a websocket's `receive` so that it drops messages over the allowance.

    The pings of Engine.IO (`2`, `3`) and the end of the connection always pass. A call that is
    cancelled still counts.
    """

    def received() -> Awaitable[Message]:
        if allowance.left:  # for any message; without the cost of a coroutine for each
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
    """The allowance of one websocket: `left` messages, until it gets more."""

    def __init__(self, limits: EventLimits, session_id_hash: str | None, client: str) -> None:
        self.left = 0
        self._limits = limits
        self._session_id_hash = session_id_hash
        self._client = client
        self._session = session_id_hash or f"tab {next(_numbers)}"

    def get_more(self) -> bool:
        """Get a batch or, if that exceeds a limit, one message. False if that does, too."""
        limit: str | None = None
        for count in (BATCH, 1):
            limit = self._limits.take(self._session, self._client, count)
            if limit is None:
                self.left = count
                return True
        if limit is not None:
            self._limits.tell(limit, self._session_id_hash, self._client)
        return False


def _throttled(text: str, store: BaseStore, name: str) -> Throttled:
    return Throttled(
        using=RateLimiterType.GCRA.value, quota=quota(text), store=store, key_prefix=name
    )
