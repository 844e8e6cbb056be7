"""axe-core, which finds what keeps people from using a page (MPL-2.0)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from . import node
from .installing import CACHE, install_once, is_there, run

_REQUIREMENT = "axe-core@4.14.1"
_SCRIPT = CACHE / "axe" / "node_modules" / "axe-core" / "axe.min.js"


def install() -> None:
    """Fetch the npm package.

    Raises:
        InstallError: that was not possible.
    """
    node.install()
    install_once("axe", _REQUIREMENT, _install_package)


def why_not() -> str:
    """Why it cannot be used here; empty when it can."""
    return "" if is_there("axe", _REQUIREMENT) else f"the npm package {_REQUIREMENT} is missing"


def violations(page: Page) -> list[str]:
    """What axe-core finds on a page. The page's context has to bypass its CSP."""
    page.evaluate(_SCRIPT.read_text())
    found: list[dict[str, Any]] = page.evaluate("axe.run()")["violations"]
    return [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]]


def _install_package(folder: Path) -> None:
    quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel", "error"]
    run([*node.npm(), "install", "--prefix", str(folder), *quiet, _REQUIREMENT])
