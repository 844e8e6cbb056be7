"""`make bench`: a table, and `bench.json` with `{name: {value, goal, peer}}`."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from . import gate, matching, refreshing, requests
from .figure import Figure


async def main() -> int:
    """Measure everything; the exit status says whether every goal is met."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        figures = [
            *await requests.measure(directory),
            *await matching.measure(),
            *await refreshing.measure(directory),
            *await gate.measure(directory),
        ]
    _print(figures)
    document = {f.name: {"value": f.value, "goal": f.goal, "peer": f.peer} for f in figures}
    Path("bench.json").write_text(json.dumps(document, indent=2) + "\n")
    return int(any(f.verdict == "NOT MET" for f in figures))


def _print(figures: list[Figure]) -> None:
    width = max(len(figure.name) for figure in figures)
    for f in figures:
        goal = "" if f.goal is None else f"goal ≤ {f.goal:g}"
        line = f"{f.name:<{width}}  {f.value:7.3f}  {goal:<12} {f.verdict:<8} of {f.peer}"
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
