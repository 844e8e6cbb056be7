"""`make bench`: a table, and `bench.json` with `{name: {value, goal, peer}}`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from . import gate, matching, race, refreshing, requests
from .figure import Figure


def main() -> int:
    """Measure everything; the exit status says whether every goal is met."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--reloads", type=int, default=30, help="of each page in the race")
    parser.add_argument("--only-race", action="store_true", help="the race with Angular alone")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        figures = [] if arguments.only_race else asyncio.run(_layer(directory))
        figures += race.measure(directory, reloads=arguments.reloads)
    _print(figures)
    document = {f.name: {"value": f.value, "goal": f.goal, "peer": f.peer} for f in figures}
    Path("bench.json").write_text(json.dumps(document, indent=2) + "\n")
    return int(any(f.verdict == "NOT MET" for f in figures))


async def _layer(directory: Path) -> list[Figure]:
    return [
        *await requests.measure(directory),
        *await matching.measure(),
        *await refreshing.measure(directory),
        *await gate.measure(directory),
    ]


def _print(figures: list[Figure]) -> None:
    width = max((len(figure.name) for figure in figures), default=0)
    for f in figures:
        goal = "" if f.goal is None else f"goal ≤ {f.goal:g}"
        line = f"{f.name:<{width}}  {f.value:7.3f}  {goal:<12} {f.verdict:<8} of {f.peer}"
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
