"""Waiting as an API asks, and asking again: 429 and 503 with a time (RFC 9110 section 10.2.3)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import cast

import httpx
from tenacity import AsyncRetrying, Future, RetryCallState, retry_if_result

DEADLINE = 60.0  # seconds of waiting in all, for a caller that has set no limit
MOST_ATTEMPTS = 3
_ASKS_TO_WAIT = frozenset({429, 503})
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})  # RFC 9110 section 9.2.2

Send = Callable[[], Awaitable[httpx.Response]]


@dataclass(frozen=True, slots=True)
class Patience:
    """Repeats a request as often and as late as the API asks, within the caller's deadline.

    The deadline is the request's extension `deadline` (seconds), else its read timeout: how long
    the caller is ready to wait for an answer. An answer that names no time, or one beyond the
    deadline, is the caller's at once.
    """

    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random

    async def again(
        self, request: httpx.Request, response: httpx.Response, send: Send
    ) -> tuple[httpx.Response, int]:
        """The answer in the end, and how often it was asked for again; `response` is the first."""
        if response.status_code not in _ASKS_TO_WAIT or not is_repeatable(request):
            return response, 0
        attempts = _Attempts(response, send)
        retrying = AsyncRetrying(
            sleep=self.sleep,
            wait=self._wait,
            stop=_Stop(_deadline(request)),
            retry=retry_if_result(_asks_to_wait),
            before_sleep=_let_go,
            retry_error_callback=_last_answer,
        )
        answer: httpx.Response = await retrying(attempts)
        return answer, attempts.made - 1

    def _wait(self, state: RetryCallState) -> float:
        seconds = self._asked_for(_answer(state).headers)
        if seconds is None:
            return float("inf")
        # Whoever was told the same moment does not come back in the same moment.
        return seconds + self.jitter() * min(1.0, 0.2 * seconds)

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


def is_repeatable(request: httpx.Request) -> bool:
    """Whether sending it twice does what sending it once does, and is possible."""
    return request.method in _IDEMPOTENT and is_replayable(request)


class _Attempts:
    """The first attempt has been made; the others are made when they are due."""

    def __init__(self, first: httpx.Response, send: Send) -> None:
        self.made = 0
        self._first = first
        self._send = send

    async def __call__(self) -> httpx.Response:
        self.made += 1
        return self._first if self.made == 1 else await self._send()


@dataclass(frozen=True, slots=True)
class _Stop:
    deadline: float

    def __call__(self, state: RetryCallState) -> bool:
        is_too_long = state.idle_for + state.upcoming_sleep > self.deadline
        return is_too_long or state.attempt_number >= MOST_ATTEMPTS


def _asks_to_wait(response: httpx.Response) -> bool:
    return response.status_code in _ASKS_TO_WAIT


async def _let_go(state: RetryCallState) -> None:
    """The refused attempt's connection is free while its successor waits."""
    await _answer(state).aclose()


def _answer(state: RetryCallState) -> httpx.Response:
    answer: httpx.Response = cast("Future", state.outcome).result()
    return answer


_last_answer = _answer


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
