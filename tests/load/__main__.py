"""`make load-test`: the auth layer under load, beside the same app without it in the same run.

Many tabs over real websockets load, edit and log out. The two take turns, so that a noisy machine
disturbs both alike. The app without the layer calls its API as it would by itself, with one
`httpx.AsyncClient`, so that what the layer's own connection pool saves counts, too. Prints a table
and writes load.json. Bounded: it ends by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from ..e2e.stack import SECRET, tenant_process
from ..servers import ROOT, Server, answers, clean_environ, free_port
from .side import Result, Side

PAIRS, TURNS, EVENTS, WORKERS = 4, 11, 250, 50
LOGOUTS = 50  # one after the other, of each process
WARM_UP = 50  # tabs
KILOBYTE = 1024
NOISE = 1024  # KB: half a percent of what a thousand tabs take


@dataclass
class Pair:
    """What one pair of processes showed: of the bare app, and of ours."""

    turns: list[tuple[Result, Result]]
    memory: list[float]
    logouts: list[list[float]]
    growth: list[list[float]]


async def main() -> int:
    """Measure everything; the exit status says whether every goal is met."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        api = _api(directory)
        tenant = tenant_process(directory, app_url="http://localhost")
        environ = clean_environ(
            AUTH0_DOMAIN=tenant.url,
            AUTH0_CLIENT_ID="local-app",
            AUTH0_CLIENT_SECRET="local-secret",
            AUTH0_SECRET=SECRET,
        )
        url = f"http://127.0.0.1:{api[1]}"
        try:
            for server in (api[0], tenant.server):
                server.start()
            pairs = [
                await _pair(_made(directory / str(number)), environ, url, arguments, number)
                for number in range(PAIRS)
            ]
        finally:
            tenant.server.stop()
            api[0].stop()
    return _report(_figures(pairs))


async def _pair(
    directory: Path, environ: dict[str, str], api: str, arguments: argparse.Namespace, number: int
) -> Pair:
    """Two processes of the same code differ by some percent, and the one that is started second is
    mostly the slower one, so that there are several pairs, of which either is first in turn. The
    last one is watched for growth."""
    bare, ours = (
        Side(_made(directory / name), environ, api=api, has_auth=has_auth)
        for name, has_auth in (("bare", False), ("auth", True))
    )
    in_order = [ours, bare] if number % 2 else [bare, ours]
    try:
        for side in in_order:
            side.server.start()
        of_each = {side: await _memory_a_tab(side, arguments.tabs) for side in in_order}
        memory = [of_each[side] for side in (bare, ours)]
        logouts = [await side.logouts(LOGOUTS) for side in (bare, ours)]
        turns = [await _turn(bare, ours, is_back=bool(turn % 2)) for turn in range(TURNS)]
        is_last = number == PAIRS - 1
        growth = await _growth(bare, ours, arguments.churn) if is_last else []
    finally:
        for side in (bare, ours):
            await side.stop()
    return Pair(turns, memory, logouts, growth)


async def _turn(bare: Side, ours: Side, *, is_back: bool) -> tuple[Result, Result]:
    if is_back:
        theirs = await bare.work(EVENTS, WORKERS)
        return theirs, await ours.work(EVENTS, WORKERS)
    own = await ours.work(EVENTS, WORKERS)
    return await bare.work(EVENTS, WORKERS), own


def _figures(pairs: list[Pair]) -> dict[str, list[float]]:
    """Each figure of the bare app and of ours."""
    turns = [turn for pair in pairs for turn in pair.turns]
    sides = [[turn[i] for turn in turns] for i in (0, 1)]
    latencies = [sorted(x for r in side for x in r.latencies) for side in sides]
    ratio = median(median(o.rate / b.rate for b, o in pair.turns) for pair in pairs)
    under_load = [[x for result in side for x in result.logouts] for side in sides]
    logouts = [[x for pair in pairs for x in pair.logouts[i]] for i in (0, 1)]
    growth = pairs[-1].growth
    return {
        "events a second": [median(r.rate for r in side) for side in sides],
        "throughput, ours of bare": [1.0, ratio],
        "latency p50, ms": [median(x) * 1000 for x in latencies],
        "latency p99, ms": [quantiles(x, n=100)[98] * 1000 for x in latencies],
        "logout to every tab, p99, ms": [quantiles(x, n=100)[98] * 1000 for x in logouts],
        "logout under load, p99, ms": [quantiles(x, n=100)[98] * 1000 for x in under_load],
        "memory a tab, KB": [median(p.memory[i] for p in pairs) / KILOBYTE for i in (0, 1)],
        "growth, middle third, KB": [g / KILOBYTE for g in growth[0]],
        "growth, last third, KB": [g / KILOBYTE for g in growth[1]],
        "errors": [float(sum(r.errors for r in side)) for side in sides],
    }


async def _memory_a_tab(side: Side, tabs: int) -> float:
    await side.join_many(WARM_UP)
    await side.work(WARM_UP * 4, WORKERS)
    before = side.memory()
    await side.join_many(tabs - WARM_UP)
    return (side.memory() - before) / (tabs - WARM_UP)


async def _growth(bare: Side, ours: Side, seconds: float) -> list[list[float]]:
    """What each has more at the end of the middle third of so many seconds of coming and going than
    at its beginning, and the same of the last third.

    By then each has long begun to free what the first tabs to leave have left (`STATE_LIFETIME`),
    if the time is long enough: ten minutes are. What grows in the last third has no bound.
    """
    begun_at = time.monotonic()
    seen: list[list[int]] = []
    for third in (1, 2, 3):
        while time.monotonic() - begun_at < seconds * third / 3:
            for side in (bare, ours):
                await side.work(EVENTS, WORKERS)
        seen.append([bare.memory(), ours.memory()])
    thirds = itertools.pairwise(seen)
    return [[float(b - a) for a, b in zip(*third, strict=True)] for third in thirds]


def _report(figures: dict[str, list[float]]) -> int:
    goals = {
        "throughput, ours of bare": figures["throughput, ours of bare"][1] >= 0.9,
        "logout to every tab, p99, ms": figures["logout to every tab, p99, ms"][1] <= 300,
        "memory a tab, KB": _added(figures, "memory a tab, KB") <= 30,
        "growth, last third, KB": _added(figures, "growth, last third, KB") <= NOISE,
        "errors": figures["errors"][1] == 0,
    }
    width = max(map(len, figures))
    sys.stdout.write(f"{'':<{width}}  {'bare':>10}  {'ours':>10}\n")
    for name, (bare, ours) in figures.items():
        verdict = {True: "met", False: "NOT MET", None: ""}[goals.get(name)]
        sys.stdout.write(f"{name:<{width}}  {bare:10.2f}  {ours:10.2f}  {verdict}\n")
    Path("load.json").write_text(json.dumps(figures, indent=2) + "\n")
    return int(not all(goals.values()))


def _added(figures: dict[str, list[float]], name: str) -> float:
    bare, ours = figures[name]
    return ours - bare


def _api(directory: Path) -> tuple[Server, int]:
    port = free_port()
    command = [sys.executable, "-m", "tests.load.api", str(port)]
    server = Server(
        command,
        cwd=ROOT,
        environ=clean_environ(),
        log=directory / "api.log",
        ready=lambda: answers(f"http://127.0.0.1:{port}/"),
    )
    return server, port


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--tabs", type=int, default=1000)
    parser.add_argument("--churn", type=float, default=60.0, help="seconds of coming and going")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
