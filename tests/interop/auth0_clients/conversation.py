"""A client program that asks this test to visit URLs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def converse(
    command: list[str], environ: Mapping[str, str], visit: Callable[[str], str], log: Path
) -> dict[str, Any]:
    """Run a program that prints URLs, and is told the callback URL to which each leads; the result
    is the JSON object that it prints in the end."""
    with log.open("w+") as errors:
        process = subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            assert process.stdin
            assert process.stdout
            for line in process.stdout:
                if line.startswith("{"):
                    brought: dict[str, Any] = json.loads(line)
                    return brought
                if line.startswith("http"):
                    process.stdin.write(f"{visit(line.strip())}\n")
                    process.stdin.flush()
            raise AssertionError(f"It ended early:\n{log.read_text()[-3000:]}")
        finally:
            process.kill()
            process.communicate()
