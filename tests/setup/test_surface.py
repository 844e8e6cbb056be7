"""Who may reach what in this app, written down: what is new has to be looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ..servers import ROOT, clean_environ

SURFACE = ROOT / "docs" / "surface.txt"


def test_surface(tmp_path: Path) -> None:
    """Every page, handler and variable of the app is in the list, with who may reach it. Make it
    anew with `python -m app.auth surface > docs/surface.txt`, and read what has changed."""
    result = subprocess.run(
        [sys.executable, "-m", "app.auth", "surface"],
        cwd=ROOT,
        env=clean_environ(APP_DATA_DIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0
    assert result.stdout == SURFACE.read_text()
