"""A figure beside its peer: measured in turns, so that a noisy machine disturbs both alike."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median

PAIRS = 101

Work = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Figure:
    """`value` is a ratio to `peer`, or a count; `goal` is the most that it should be."""

    name: str
    value: float
    goal: float | None
    peer: str

    @property
    def verdict(self) -> str:
        """For the table."""
        if self.goal is None:
            return ""
        return "met" if self.value <= self.goal else "NOT MET"


async def ratio(work: Work, peer: Work, *, pairs: int = PAIRS) -> float:
    """The median of `pairs` ratios of one to the other, which take turns in going first."""
    await work()
    await peer()
    ratios = []
    for turn in range(pairs):
        if turn % 2:
            ours, theirs = await _seconds(work), await _seconds(peer)
        else:
            theirs, ours = await _seconds(peer), await _seconds(work)
        ratios.append(ours / theirs)
    return median(ratios)


async def _seconds(work: Work) -> float:
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start
