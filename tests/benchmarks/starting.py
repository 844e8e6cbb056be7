"""`python -m tests.benchmarks.starting`: the start of the tenant beside that of
`@simulacrum/auth0-simulator` (npm), which is fetched once, in turns.

Seconds are from the start of the process to the first answer; MiB are the largest resident size
until then (`VmHWM`, so this runs on Linux only).
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from app.local_tenant.tls import Certificate, ensure_certificate

from ..interop import node
from ..interop.installing import CACHE, InstallError, install_once, run
from ..servers import ROOT, clean_environ, free_port

RUNS = 7
SECONDS, MEBIBYTES = 0.5, 50.0  # the most that a start of the tenant may take
_SIMULATOR = "@simulacrum/auth0-simulator@0.11.4"  # Auth0's API for tests (MIT)
_NAME = "auth0_simulator"


@dataclass(frozen=True)
class Start:
    """One start."""

    seconds: float
    mebibytes: float


def main() -> int:
    """The exit status says whether both goals are met."""
    simulator = install_simulator()
    starts: dict[str, list[Start]] = {"tenant": [], "tenant --tls": [], "auth0-simulator": []}
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        certificate = write_certificate(home)
        start_tenant(home)  # makes the signing key
        for _ in range(RUNS):
            starts["tenant"].append(start_tenant(home))
            starts["tenant --tls"].append(start_tenant(home, certificate))
            if simulator is not None:
                starts["auth0-simulator"].append(start_simulator(simulator, home, certificate))
    for name, each in starts.items():
        if each:
            seconds = median(start.seconds for start in each)
            mebibytes = median(start.mebibytes for start in each)
            sys.stdout.write(f"{name:<16} {seconds:6.2f} s {mebibytes:7.1f} MiB\n")
    own = starts["tenant"]
    is_met = (
        median(start.seconds for start in own) <= SECONDS
        and median(start.mebibytes for start in own) <= MEBIBYTES
    )
    return 0 if is_met else 1


def install_simulator() -> Path | None:
    """The simulator's folder; None if it cannot be had."""

    def install(folder: Path) -> None:
        quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel", "error"]
        run(
            [
                *node.npm(),
                "install",
                "--prefix",
                str(folder),
                "--ignore-scripts",
                *quiet,
                _SIMULATOR,
            ]
        )

    try:
        install_once(_NAME, _SIMULATOR, install)
    except InstallError as error:
        sys.stdout.write(f"without the simulator: {error}\n")
        return None
    return CACHE / _NAME


def write_certificate(home: Path) -> Certificate:
    """A certificate for both: the simulator wants one in its user's home."""
    certificate = ensure_certificate(home / "local_tenant_tls")
    certificates = home / ".simulacrum" / "certs"
    certificates.mkdir(parents=True)
    shutil.copy2(certificate.certificate, certificates / "localhost.pem")
    shutil.copy2(certificate.key, certificates / "localhost-key.pem")
    return certificate


def start_tenant(home: Path, certificate: Certificate | None = None) -> Start:
    """Start the tenant, with a data file that may be there already."""
    port = free_port()
    options = ["--port", str(port), "--data", str(home / "tenant.sqlite3")]
    if certificate is not None:
        options += ["--host", "localhost", "--tls"]
    command = [sys.executable, "-m", "app.local_tenant", *options]
    return _measured(command, ROOT, home, port, certificate)


def start_simulator(folder: Path, home: Path, certificate: Certificate) -> Start:
    """Start the simulator as its own command does, on a free port."""
    port = free_port()
    program = f"require('{_SIMULATOR.rpartition('@')[0]}').simulation().listen({port})"
    command = [node.node() or "node", "-e", program]
    return _measured(command, folder, home, port, certificate)


def _measured(
    command: list[str], directory: Path, home: Path, port: int, certificate: Certificate | None
) -> Start:
    url = f"https://localhost:{port}" if certificate else f"http://127.0.0.1:{port}"
    url += "/.well-known/openid-configuration"
    trusted = ssl.create_default_context(cafile=certificate.authority) if certificate else None
    begin = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=directory,
        env=clean_environ(HOME=str(home)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(url, trusted):
            if process.poll() is not None or time.perf_counter() > begin + 60:
                raise SystemExit(f"{command[0]} did not answer at {url}")
            time.sleep(0.005)
        seconds = time.perf_counter() - begin
        status = Path(f"/proc/{process.pid}/status").read_text()
        (peak,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
        return Start(seconds, int(peak) / 1024)
    finally:
        process.kill()
        process.wait()


def _answers(url: str, trusted: ssl.SSLContext | None) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5, context=trusted):  # noqa: S310 - a loopback URL
            return True
    except urllib.error.HTTPError:
        return True  # it answers
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
