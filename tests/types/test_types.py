"""The types of the public names, as two type checkers see them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "AUTH0_DOMAIN": "id.example.com",
    "AUTH0_CLIENT_ID": "orders",
    "AUTH0_CLIENT_SECRET": "secret",
    "AUTH0_SECRET": "0123456789abcdef0123456789abcdef",
    "APP_BASE_URL": "http://localhost:3000",
}


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


def test_the_app_renders() -> None:
    """What the type checkers accept of `AuthState.user` and of the decorators works in a page."""
    pages = "from tests.types.orders import *; orders(), home(), prices(), account()"
    ended = subprocess.run(
        [sys.executable, "-c", pages],
        cwd=ROOT,
        env={**os.environ, **SETTINGS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


def test_mypy_accepts_the_app_and_reports_the_mistakes() -> None:
    """Strict mypy accepts a correct app, and reports each mistake that it can see."""
    code, output = output_of("mypy", "-p", "tests.types")
    assert code == 0, output
