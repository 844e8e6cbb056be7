"""Real server processes for the tests, on free loopback ports, ended with all they started."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
SOURCES = ("app", "assets", "reflex.lock", "rxconfig.py", "requirements.txt")
BIN = Path(sys.executable).parent


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environ(**settings: str) -> dict[str, str]:
    """This environment without the app's own settings, plus `settings`."""
    ours = ("AUTH0_", "APP_", "REFLEX_", "REDIS_", "LOCAL_TENANT_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**inherited, **settings}


def copy_project(target: Path) -> Path:
    """A copy of what runs, so that a build of the tests never meets one of the developer."""
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, target / name, ignore=ignored)
        elif source.exists():
            shutil.copy2(source, target / name)
    return target


def lifted_project(project: Path, source: Path, name: str) -> Path:
    """A project of its own: the app `name`, of the modules in the folder `source`, with the auth
    layer copied into it, as `<name>/auth`. Its settings are its own, or those of all test apps."""
    package = project / name
    package.mkdir(parents=True)
    own = source / "rxconfig.py"
    shutil.copy2(own if own.exists() else ROOT / "tests" / "rxconfig.py", project)
    for module in source.glob("*.py"):
        if module != own:
            shutil.copy2(module, package)
    (package / "__init__.py").touch()
    shutil.copytree(ROOT / "app" / "auth", package / "auth")
    return project


def run_to_its_end(module: str, *arguments: str, **environ: str) -> tuple[int, str]:
    """Start a module of ours with something wrong; its exit status and all that it printed."""
    result = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=clean_environ(**environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
    )
    assert "Traceback" not in result.stdout
    return result.returncode, result.stdout


class Server:
    """A process in its own group; `log` collects all that it and its children print."""

    def __init__(
        self,
        command: list[str],
        *,
        cwd: Path,
        environ: Mapping[str, str],
        log: Path,
        ready: Callable[[], bool],
        patience: float = 120.0,
    ) -> None:
        self._command = command
        self._cwd = cwd
        self._environ = dict(environ)
        self.log = log
        self._ready = ready
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and return once it is ready. One that does not get ready is ended."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._cwd,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_until(lambda: self._died() or self._ready(), self._patience, self._explain)
            if self._died():
                raise AssertionError(self._explain())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the whole group: politely, then by force."""
        if self._process is None:
            return
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait(10)
        self._signal(signal.SIGKILL)
        self._process = None

    @property
    def pid(self) -> int:
        """Of the process itself, for a signal to it alone."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """-9, to the whole group."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(10)
        self._process = None

    def interrupt(self) -> None:
        """Ctrl-C, as a terminal sends it: to the whole group. Returns once all of it has ended."""
        assert self._process is not None
        self._signal(signal.SIGINT)
        self._process.wait(20)
        wait_until(lambda: not self._signal(0), 20.0, lambda: "a part of it runs on")

    def restart(self) -> None:
        """Stop and start with the same data."""
        self.stop()
        self.start()

    def _signal(self, number: int) -> bool:
        """Send it to the group (0 only looks); whether anybody was there."""
        assert self._process is not None
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return False
        return True

    def _died(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _explain(self) -> str:
        tail = self.log.read_text(errors="replace")[-3000:]
        return f"{' '.join(self._command)} did not get ready:\n{tail}"


def wait_until(
    condition: Callable[[], bool], patience: float, explain: Callable[[], str] = lambda: "timed out"
) -> None:
    """Look every 50 ms until `condition` holds; fail after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(explain())
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
