"""What the auth layer adds to an event of an app that is secure by default, beside the bare app.

Elapsed time is what users have, so the goals are for it; the server's own computing time is what is
exact, so it stands beside. Two processes of the same code differ by as much as a tenth (where their
memory lies, how they hash), so that many sets of processes are measured, each for a short while.
The luck of a process is a factor, so that the geometric mean of their ratios is what it evens out
in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import geometric_mean, median

from .figure import Figure
from .gate_backend import Backend, Cost

SETS, TURNS = 16, 8
FEW, MANY = 10, 1000  # handlers
SOCKETS, IN_FLIGHT = 200, 50
ALONE, TOGETHER = 50, 200  # events in each measurement, of one socket and of all
BARE = "the app without the layer"

# Adjacent, so that each has its peer just before it or just after it.
ORDER = ((FEW, False), (FEW, True), (MANY, True), (MANY, False))

Costs = list[Cost]


async def measure(directory: Path) -> list[Figure]:
    """With one socket and with many, and with few guarded handlers in the app and with many."""
    sets = [await _set(directory / f"gate{number}") for number in range(SETS)]
    figures = []
    for i, sockets in enumerate(("1 socket", f"{SOCKETS} sockets")):
        name = f"event, {sockets}: secure by default"
        # Of either number of handlers: with more pairs of processes, the luck of one counts less.
        turns = [
            [(turn[i][with_it], turn[i][bare]) for turn in one]
            for one in sets
            for with_it, bare in ((1, 0), (2, 3))
        ]
        elapsed = geometric_mean(median(a.elapsed / b.elapsed for a, b in one) for one in turns)
        computed = geometric_mean(
            sum(a.computed for a, _ in one) / sum(b.computed for _, b in one) for one in turns
        )
        figures.append(Figure(name, elapsed, 1.05, BARE))
        figures.append(Figure(f"{name}, CPU", computed, None, BARE))
    return [*figures, *_of_handlers(sets)]


def _of_handlers(sets: list[list[tuple[Costs, Costs]]]) -> list[Figure]:
    """What many handlers cost the bare app, too, is divided out."""
    elapsed, computed = [], []
    for one in sets:
        turns = [costs for _, costs in one]
        elapsed.append(
            median(
                (many.elapsed / bare_many.elapsed) / (few.elapsed / bare_few.elapsed)
                for bare_few, few, many, bare_many in turns
            )
        )
        bare_few, few, many, bare_many = (sum(c[i].computed for c in turns) for i in range(4))
        computed.append((many / bare_many) / (few / bare_few))
    name, peer = f"event, {MANY:,} guarded handlers", f"{FEW} of them"
    return [
        Figure(name, geometric_mean(elapsed), 1.10, peer),
        Figure(f"{name}, CPU", geometric_mean(computed), None, peer),
    ]


async def _set(directory: Path) -> list[tuple[Costs, Costs]]:
    """In each turn what every app costs, in `ORDER`: with one socket, and with many."""
    async with _backends(directory) as backends:
        return [await _turn(backends, first=turn % len(backends)) for turn in range(TURNS)]


async def _turn(backends: list[Backend], *, first: int) -> tuple[Costs, Costs]:
    """Once around, beginning with the `first`, so that nobody is always measured after the same
    pause."""
    around = [*backends[first:], *backends[:first]]
    alone = [await _cost(b, ALONE, tabs=1, in_flight=1) for b in around]
    together = [await _cost(b, TOGETHER, tabs=SOCKETS, in_flight=IN_FLIGHT) for b in around]
    back = len(backends) - first
    return [*alone[back:], *alone[:back]], [*together[back:], *together[:back]]


async def _cost(backend: Backend, events: int, *, tabs: int, in_flight: int) -> Cost:
    """Not of the first events: others have worked meanwhile, and left it cold caches."""
    await backend.work(events // 2, tabs=tabs, in_flight=in_flight)
    return await backend.work(events, tabs=tabs, in_flight=in_flight)


@asynccontextmanager
async def _backends(directory: Path) -> AsyncIterator[list[Backend]]:
    backends = [
        Backend(directory / f"{n}-{has_auth}", handlers=n, has_auth=has_auth)
        for n, has_auth in ORDER
    ]
    try:
        await asyncio.gather(*(asyncio.to_thread(b.server.start) for b in backends))
        for backend in backends:
            await backend.join(SOCKETS)
        await _turn(backends, first=0)
        yield backends
    finally:
        for backend in backends:
            await backend.stop()
