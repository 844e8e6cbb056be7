"""For what would fill a log."""

from __future__ import annotations

from throttled import MemoryStore, RateLimiterType, Throttled

from .limits import quota

TIMES = "6/minute burst 1"


class LogThrottle:
    """A few times a minute is enough, for each key."""

    def __init__(self) -> None:
        self._throttled = Throttled(
            using=RateLimiterType.GCRA.value, quota=quota(TIMES), store=MemoryStore()
        )

    def is_due(self, key: str) -> bool:
        """Whether it is time to speak of it again, which then counts."""
        return not self._throttled.limit(key).limited
