"""The wheel of the library, virtual environments in which it is installed with pip, and apps.

The environments stay in `.cache/wheel` for the next run. They have the versions of the one that the
tests run in, and of the library's dependencies only those that the wheel declares.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .servers import ROOT

FOLDER = ROOT / ".cache" / "wheel"
_PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")


def wheel() -> Path:
    """The wheel, built from the sdist beside it."""
    files = [ROOT / "pyproject.toml", ROOT / "LICENSE"]
    for package in ("app/auth", "app/local_tenant"):
        files += (path for path in (ROOT / package).rglob("*") if "__pycache__" not in path.parts)
    sources = sorted(path for path in files if path.is_file())
    target = FOLDER / _digest(part for path in sources for part in (bytes(path), path.read_bytes()))
    with _locked():
        if not target.exists():
            building = FOLDER / "building"
            shutil.rmtree(building, ignore_errors=True)
            _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(building), ROOT)
            building.rename(target)
    return next(target.glob("*.whl"))


def environment(extra: str = "") -> Path:
    """The `bin` folder of an environment with the wheel, and with this extra of it."""
    built = wheel()
    versions = _run(sys.executable, *_PIP, "freeze")
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    key = _digest(text.encode() for text in (versions, sys.version, repr(metadata)))
    folder = FOLDER / f"{extra or 'plain'}-{key}"
    python, installed = folder / "bin" / "python", folder / "installed"
    with _locked():
        if not installed.exists():
            _run(sys.executable, "-m", "venv", "--clear", folder)
            constraints = folder / "constraints.txt"
            constraints.write_text(versions)
            named = f"{built}[{extra}]" if extra else str(built)
            _run(python, *_PIP, "install", "--constraint", constraints, named)
        elif installed.read_text() != str(built):
            _run(python, *_PIP, "install", "--no-deps", "--force-reinstall", built)
        installed.write_text(str(built))
    return folder / "bin"


def project(folder: Path, name: str, source: str | None = None) -> Path:
    """A Reflex project of one module, the example in the library's README or another `source`. It
    has the files that `reflex init` makes."""
    package = folder / name
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / f"{name}.py").write_text(source or _readme_example())
    (folder / "rxconfig.py").write_text(
        f'import reflex as rx\n\nconfig = rx.Config(app_name="{name}")\n'
    )
    shutil.copytree(ROOT / "reflex.lock", folder / "reflex.lock")
    return folder


def _readme_example() -> str:
    readme = (ROOT / "app" / "auth" / "README.md").read_text()
    (example,) = re.findall(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    return str(example)


@contextmanager
def _locked() -> Iterator[None]:
    """One process at a time, should tests run twice at once."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(*command: str | Path) -> str:
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    environment()
    environment("tenant")
