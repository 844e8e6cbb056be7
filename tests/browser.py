"""Finding a Chromium. `python -m tests.browser` prints its path, or fails if there is none."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """The path of an installed Chromium: `CHROMIUM`, one on PATH, or Playwright's own."""
    installed = (os.environ.get("CHROMIUM"), *map(shutil.which, NAMES))
    found = next((path for path in installed if path and Path(path).exists()), None)
    return found or _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


if __name__ == "__main__":
    path = chromium()
    sys.stdout.write(f"{path or 'no Chromium'}\n")
    sys.exit(path is None)
