"""Finding a Chromium. `python -m tests.browser` prints its path, or fails if there is none."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """The path of an installed Chromium: `CHROMIUM`, one on PATH, or Playwright's own."""
    candidates = [os.environ.get("CHROMIUM"), *map(shutil.which, NAMES), _playwrights_own()]
    return next((path for path in candidates if path and Path(path).exists()), None)


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


if __name__ == "__main__":
    path = chromium()
    sys.stdout.write(f"{path or 'no Chromium'}\n")
    sys.exit(path is None)
