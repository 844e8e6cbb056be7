"""The command that says whether a request carries a token."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ..servers import ROOT, clean_environ

USER = "http://127.0.0.1:4400/api/v2/users/x"


def explain(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it on the sample app."""
    return subprocess.run(
        [sys.executable, "-m", "app.auth", "explain", *arguments],
        cwd=ROOT,
        env=clean_environ(APP_DATA_DIR=str(directory)),
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("GET", USER), 0, ["with a token (attached)", "allowed_list[0]", "read:current_user"]),
        (("DELETE", USER), 1, ["no token (not_on_list)", "allowed_list[0]", "(PATCH)"]),
        (("GET",), 2, []),
    ],
)
def test_explain(tmp_path: Path, arguments: tuple[str, ...], status: int, words: list[str]) -> None:
    """It prints the decision and the entry that made it; the exit status is the decision."""
    result = explain(tmp_path, *arguments)
    assert result.returncode == status
    assert all(each in result.stdout for each in words)
