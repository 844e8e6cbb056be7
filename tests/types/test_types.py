"""The types of the public names, as two type checkers see them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def output_of(*arguments: str) -> tuple[int, str]:
    """The exit code of a Python module's command, and what it wrote."""
    ended = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_pyright_accepts_the_app_and_the_layer_and_reports_the_mistakes() -> None:
    """Pyright accepts a correct app in strict mode, reports each mistake, and accepts the layer."""
    code, output = output_of("basedpyright", "--pythonpath", sys.executable)
    assert code == 0, output


def test_mypy_accepts_the_app_and_reports_the_mistakes() -> None:
    """Strict mypy accepts a correct app, and reports each mistake that it can see."""
    code, output = output_of("mypy", "-p", "tests.types")
    assert code == 0, output
