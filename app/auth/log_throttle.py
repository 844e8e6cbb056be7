"""Rate-limits repeated log messages."""

from __future__ import annotations

from throttled import MemoryStore, RateLimiterType, Throttled

from .limits import quota

TIMES = "6/minute burst 1"


class LogThrottle:
    """Allows a few messages a minute for each key, which a client may cause at will."""

    def __init__(self) -> None:
        self._throttled = Throttled(
            using=RateLimiterType.GCRA.value, quota=quota(TIMES), store=MemoryStore()
        )

    def is_due(self, key: str) -> bool:
        """Whether to log a message for this key now. True counts as a message."""
        return not self._throttled.limit(key).limited
