"""The rate limit of the Management API, with Auth0's headers."""

from __future__ import annotations

import threading
from collections.abc import Callable

from .errors import ApiError


class RateLimit:
    """So many requests in each second of the clock."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._second = 0
        self._used = 0
        self._lock = threading.Lock()

    def take(self) -> dict[str, str]:
        """Count a request; the result is the headers of its answer.

        Raises:
            ApiError: 429, the limit of this second is used up.
        """
        with self._lock:
            now = int(self._clock())
            if now != self._second:
                self._second, self._used = now, 0
            self._used += 1
            left = self._limit - self._used
        headers = {
            "X-RateLimit-Limit": str(self._limit),
            "X-RateLimit-Remaining": str(max(left, 0)),
            "X-RateLimit-Reset": str(now + 1),
        }
        if left < 0:
            text = "Global limit has been reached"
            raise ApiError(429, text, "too_many_requests", {**headers, "Retry-After": "1"})
        return headers
