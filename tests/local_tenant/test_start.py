"""The tenant as a process: what it refuses, what it keeps, and when it ends."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from ..e2e.stack import Tenant, tenant_process
from ..flow.world import APP, send_form, through_the_pages
from ..servers import ROOT, answers, clean_environ, free_port, run_to_its_end, wait_until
from .visitor import CALLBACK, CLIENT, VERIFIER, Visitor, query_of

run = partial(run_to_its_end, "app.local_tenant")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", "127.0.0.1.nip.io"])
def test_public_address(host: str, tmp_path: Path) -> None:
    """It listens on this machine only; any other address is refused by name."""
    status, text = run("--host", host, "--data", str(tmp_path / "tenant.sqlite3"))
    assert status == 2
    assert f"listens on a loopback address only; {host} is not one" in text


def test_production(tmp_path: Path) -> None:
    """It does not start in a production run."""
    arguments = ("--data", str(tmp_path / "tenant.sqlite3"))
    status, text = run(*arguments, REFLEX_ENV_MODE="prod")
    assert status == 2
    assert "for development only and this is a production run" in text


@pytest.mark.parametrize("port", ["99999", "0", "-1"])
def test_no_port(port: str, tmp_path: Path) -> None:
    """A number that is not a port is named."""
    status, text = run("--port", port, "--data", str(tmp_path / "tenant.sqlite3"))
    assert status == 2
    assert f"{port} is not a port number" in text


def test_port_that_is_no_number() -> None:
    """LOCAL_TENANT_PORT is named as it was written."""
    status, text = run(LOCAL_TENANT_PORT="abc")
    assert status == 2
    assert "invalid int value: 'abc'" in text


def test_port_in_use(tmp_path: Path) -> None:
    """A port that is in use is named, with what to do."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        status, text = run("--port", port, "--data", str(tmp_path / "tenant.sqlite3"))
    assert status == 1
    assert f"Port {port} is in use" in text
    assert "LOCAL_TENANT_PORT" in text


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    """A running tenant."""
    tenant = tenant_process(tmp_path, app_url=APP)
    tenant.server.start()
    yield tenant
    tenant.server.stop()


async def test_restart(tenant: Tenant, tmp_path: Path) -> None:
    """Edits, logins, refresh tokens and the signing key survive a restart; no secret is logged."""
    visitor = Visitor(tmp_path / "for its URLs alone")
    async with httpx.AsyncClient(base_url=tenant.url) as browser:
        request = visitor.authorize_url(audience=None).replace("http://127.0.0.1:4400", tenant.url)
        code = query_of(await through_the_pages(browser, request, tenant=tenant.url))["code"]
        form = {"redirect_uri": CALLBACK, "code": code, "code_verifier": VERIFIER}
        grant = {"grant_type": "authorization_code", **form}
        tokens = (await browser.post("/oauth/token", data=grant, auth=CLIENT)).json()
        page = "/dashboard/users/auth0%7C65a4f1c2d3e4b5a697887901"
        await send_form(browser, page, user_metadata='{"kept": true}', action="save")
        keys = (await browser.get("/.well-known/jwks.json")).json()
        tenant.server.restart()
        assert (await browser.get("/.well-known/jwks.json")).json() == keys
        assert "kept" in (await browser.get(page)).text
        grant = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert (await browser.post("/oauth/token", data=grant, auth=CLIENT)).status_code == 200
        assert "code=" in (await browser.get(request)).headers["location"]
    log = tenant.server.log.read_text()
    for secret in (code, VERIFIER, CLIENT[1], *(tokens[k] for k in tokens if k.endswith("token"))):
        assert secret not in log


def tenant_of(owner: int, directory: Path) -> subprocess.Popen[bytes]:
    """A tenant that ends with this process, once it answers."""
    port = free_port()
    tenant = subprocess.Popen(
        [
            *(sys.executable, "-m", "app.local_tenant", "--port", str(port)),
            *("--data", str(directory / "tenant.sqlite3"), "--owner", str(owner)),
        ],
        cwd=ROOT,
        env=clean_environ(),
        stdout=subprocess.DEVNULL,
    )
    wait_until(lambda: answers(f"http://127.0.0.1:{port}/.well-known/openid-configuration"), 30.0)
    return tenant


def test_ends_with_its_owner(tmp_path: Path) -> None:
    """It ends by itself when the process that owns it has been killed, even before the parent of
    that process has waited for it."""
    owner = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    tenant = tenant_of(owner.pid, tmp_path)
    try:
        owner.kill()
        assert tenant.wait(15) == 0
    finally:
        tenant.kill()
        tenant.wait()
        owner.communicate()


def test_tenant_of_a_killed_suite(tmp_path: Path) -> None:
    """A tenant that a test started does not outlive the killed process of that test."""
    program = (
        "import sys, time; from pathlib import Path; from tests.e2e.stack import tenant_process; "
        "tenant = tenant_process(Path(sys.argv[1]), app_url='http://localhost:3000'); "
        "tenant.server.start(); print(tenant.url, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    suite = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert suite.stdout is not None
    url = suite.stdout.readline().strip()
    suite.kill()
    suite.communicate()
    wait_until(lambda: not answers(f"{url}/.well-known/openid-configuration"), 15.0)
