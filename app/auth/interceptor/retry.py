"""Retries after 429 and 503, when the API says when (RFC 9110 section 10.2.3)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

DEADLINE = 60.0  # seconds of waiting in all, for a caller that has set no limit
MAX_ATTEMPTS = 3
_ASKS_TO_WAIT = frozenset({429, 503})
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})  # RFC 9110 section 9.2.2

Send = Callable[[], Awaitable[httpx.Response]]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Repeats an idempotent request when the API asks for it, within the caller's deadline.

    The deadline is the request's extension `deadline` (seconds), else its read timeout: how long
    the caller is ready to wait for an answer. An answer that names no time, or one beyond the
    deadline, goes to the caller at once. `clock` gives epoch seconds, `jitter` numbers from 0 to 1.
    """

    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random

    async def run(
        self, request: httpx.Request, response: httpx.Response, send: Send
    ) -> httpx.Response:
        """The final answer; `response` is the first one, `send` gives the next ones."""
        if request.method not in _IDEMPOTENT or not is_replayable(request):
            return response
        remaining = _deadline(request)
        for _ in range(MAX_ATTEMPTS - 1):
            seconds = self._delay(response)
            if seconds is None or seconds > remaining:
                break
            remaining -= seconds
            await response.aclose()  # its connection is free during the wait
            await self.sleep(seconds)
            response = await send()
        return response

    def _delay(self, response: httpx.Response) -> float | None:
        """Seconds until the next attempt, or `None` when there is to be none."""
        if response.status_code not in _ASKS_TO_WAIT:
            return None
        seconds = self._asked_for(response.headers)
        # Clients that were given the same moment must not all come back in that moment.
        return None if seconds is None else seconds + self.jitter() * min(1.0, 0.2 * seconds)

    def _asked_for(self, headers: httpx.Headers) -> float | None:
        """Seconds from now: `Retry-After`, else Auth0's `X-RateLimit-Reset` (epoch seconds)."""
        after = _retry_after(headers.get("retry-after", ""), self.clock())
        if after is not None:
            return max(0.0, after)
        reset = headers.get("x-ratelimit-reset", "")
        return max(0.0, float(reset) - self.clock()) if _is_number(reset) else None


def is_replayable(request: httpx.Request) -> bool:
    """Whether its body can be sent a second time: it has none, or it is in memory."""
    return isinstance(request.stream, httpx.ByteStream)


def _deadline(request: httpx.Request) -> float:
    own = request.extensions.get("deadline")
    if own is None:
        own = request.extensions.get("timeout", {}).get("read")
    return DEADLINE if own is None else float(own)


def _retry_after(text: str, now: float) -> float | None:
    """The field's seconds or date, as seconds from now; None when it is neither."""
    if _is_number(text):
        return float(text)
    try:
        return parsedate_to_datetime(text).timestamp() - now
    except ValueError:
        return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 12
