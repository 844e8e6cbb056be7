"""Programs that only these tests need, in a folder that git ignores."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ..servers import ROOT, clean_environ

CACHE = ROOT / ".cache" / "interop"


class InstallError(Exception):
    """A program could not be installed; says why."""


def run(command: list[str], *, cwd: Path | None = None, patience: float = 600.0) -> None:
    """Run an installer to its end.

    Raises:
        InstallError: it is missing, failed, or took longer than `patience` seconds.
    """
    try:
        result = subprocess.run(
            command,
            cwd=cwd,
            env=clean_environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=patience,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallError(f"{command[0]}: {error}") from error
    if result.returncode:
        raise InstallError(f"{' '.join(command)} failed:\n{result.stdout[-1000:]}")


def is_there(name: str, requirement: str) -> bool:
    """Whether exactly this has been installed completely."""
    ready = CACHE / name / ".ready"
    return ready.is_file() and ready.read_text() == requirement


def install_once(name: str, requirement: str, install: Callable[[Path], None]) -> None:
    """Have `install` fill the folder `name`, unless that has been done for this requirement."""
    if is_there(name, requirement):
        return
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    install(folder)
    (folder / ".ready").write_text(requirement)


def make_environment(folder: Path, *requirements: str) -> None:
    """A virtual environment with these packages and what they need."""
    run([sys.executable, "-m", "venv", "--clear", str(folder)])
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    run([*pip, "--disable-pip-version-check", *requirements])
