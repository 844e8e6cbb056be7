"""Starting with something wrong: one clear sentence, an exit status, and no traceback."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..servers import BIN, Server, clean_environ, copy_project, free_port

FOUR = {
    "AUTH0_DOMAIN": "tenant.eu.auth0.com",
    "AUTH0_CLIENT_ID": "client",
    "AUTH0_CLIENT_SECRET": "secret",
    "AUTH0_SECRET": "s" * 32,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project."""
    return copy_project(tmp_path_factory.mktemp("start") / "project")


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that something else listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def start(project: Path, *arguments: str, **environ: str) -> tuple[int, str]:
    """Run `reflex run`; its exit status and all that it printed."""
    result = subprocess.run(
        [str(BIN / "reflex"), "run", *arguments],
        cwd=project,
        env=clean_environ(**environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    return result.returncode, result.stdout


def test_half_a_configuration(project: Path) -> None:
    """With one variable of four, the other three are named."""
    status, text = start(project, AUTH0_DOMAIN="tenant.eu.auth0.com")
    assert status == 1
    assert "Traceback" not in text
    for name in FOUR.keys() - {"AUTH0_DOMAIN"}:
        assert f"{name} is not set" in text


def test_plain_http(project: Path) -> None:
    """A provider without TLS on another host is refused."""
    status, text = start(project, **{**FOUR, "AUTH0_DOMAIN": "http://tenant.example"})
    assert status == 1
    assert "AUTH0_DOMAIN=http://tenant.example uses http://" in text
    assert "Traceback" not in text


def test_production_without_a_provider(project: Path) -> None:
    """A production run does not fall back on the local tenant."""
    status, text = start(project, "--env", "prod")
    assert status == 1
    assert "The local tenant is for development only" in text
    assert "Traceback" not in text


def test_page_port_in_use(project: Path, taken_port: int) -> None:
    """A port that is taken is named."""
    status, text = start(
        project,
        APP_BASE_URL=f"http://localhost:{taken_port}",
        APP_API_URL=f"http://localhost:{free_port()}",
    )
    assert status == 1
    assert f"{taken_port} is already in use" in text
    assert "Traceback" not in text


def test_backend_port_in_use(project: Path, taken_port: int) -> None:
    """So is the backend's."""
    status, text = start(
        project,
        APP_BASE_URL=f"http://localhost:{free_port()}",
        APP_API_URL=f"http://localhost:{taken_port}",
    )
    assert status == 1
    assert f"{taken_port} is already in use" in text
    assert "Traceback" not in text


def test_tenant_port_in_use(project: Path, taken_port: int, tmp_path: Path) -> None:
    """When something else is on the tenant's port, the app says so, and which variable helps."""
    log = tmp_path / "app.log"
    app = Server(
        [str(BIN / "reflex"), "run"],
        cwd=project,
        environ=clean_environ(
            APP_BASE_URL=f"http://localhost:{free_port()}",
            APP_API_URL=f"http://localhost:{free_port()}",
            LOCAL_TENANT_PORT=str(taken_port),
        ),
        log=log,
        ready=lambda: "no user can log in" in log.read_text(),
    )
    try:
        app.start()
    finally:
        app.stop()
    assert f"Port {taken_port} is in use" in log.read_text()
    assert "set LOCAL_TENANT_PORT" in log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ({"APP_LIMITS": "login=often"}, "APP_LIMITS: login='often' is no quota such as"),
        ({"APP_AUDIT_LOG": "/"}, "The audit log / cannot be written: Is a directory"),
        ({"APP_TRUSTED_PROXIES": "one"}, "APP_TRUSTED_PROXIES=one is not a number, such as 2"),
    ],
)
def test_wrong_setting(project: Path, setting: dict[str, str], problem: str) -> None:
    """A limit that is none, a record that cannot be written: named before anything starts."""
    status, text = start(project, **setting)
    assert status == 1
    assert problem in text
    assert "Traceback" not in text


def test_bad_allowed_list(project: Path) -> None:
    """A dangerous entry of the allowed list is quoted before anything starts."""
    config = project / "app" / "config.py"
    good = config.read_text()
    config.write_text(good.replace("/api/v2/users/*", "/api/*/users/*"))
    try:
        status, text = start(project)
    finally:
        config.write_text(good)
    assert status == 1
    assert "/api/*/users/*" in text
    assert "Traceback" not in text
