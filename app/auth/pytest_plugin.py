"""Fixtures for pytest, which finds this module by itself when `reflex-oidc[testing]` is installed.

It stands outside of `testing`, which imports Reflex: pytest loads its plugins in every project.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from .local_tenant import local_tenant_environ

LONGEST_START = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class LocalTenant:
    """A running local tenant: its `url`, without a slash at the end, and the file with its users,
    clients and grants (SQLite)."""

    url: str
    data_file: Path

    @property
    def environ(self) -> dict[str, str]:
        """The variables of an app that logs in there, for `AuthConfig.from_environ`. They have no
        `AUTH0_SECRET`."""
        return local_tenant_environ({"LOCAL_TENANT_PORT": self.url.rpartition(":")[2]})


@pytest.fixture(scope="session")
def local_tenant_command() -> list[str]:
    """The command that runs the tenant. It takes the extra `reflex-oidc[tenant]`."""
    return [sys.executable, "-m", "reflex_oidc_tenant"]


@pytest.fixture(scope="session")
def local_tenant_app_urls() -> list[str]:
    """The origins of the app whose callbacks the tenant accepts. Override this fixture for other
    ports."""
    return ["http://localhost:3000", "http://localhost:8000"]


@pytest.fixture(scope="session")
def local_tenant(
    local_tenant_command: list[str],
    local_tenant_app_urls: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LocalTenant]:
    """The local tenant as a process on a free port of this machine, for the whole test run."""
    directory = tmp_path_factory.mktemp("local_tenant")
    tenant = LocalTenant(f"http://127.0.0.1:{_free_port()}", directory / "tenant.sqlite3")
    port = tenant.url.rpartition(":")[2]
    command = [*local_tenant_command, "--port", port, "--data", str(tenant.data_file)]
    for url in local_tenant_app_urls:
        command += ["--app-url", url]
    command += ["--owner", str(os.getpid())]
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
        try:
            _wait(process, tenant, directory / "log")
            yield tenant
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[bytes], tenant: LocalTenant, log: Path) -> None:
    deadline = time.monotonic() + LONGEST_START
    while not _answers(tenant.url):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"The local tenant did not start:\n{log.read_text()}", pytrace=False)
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        answer = httpx.get(f"{url}/.well-known/openid-configuration", trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
