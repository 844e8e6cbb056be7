"""The API as a process: what it refuses."""

from __future__ import annotations

import socket
from functools import partial

import pytest

from ..servers import run_to_its_end

run = partial(run_to_its_end, "app.external_api")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_public_address(host: str) -> None:
    """It listens on this machine only."""
    status, text = run("--host", host)
    assert status == 2
    assert f"{host} is not one" in text


def test_production() -> None:
    """It does not start in a production run."""
    status, text = run(REFLEX_ENV_MODE="prod")
    assert status == 2
    assert "for development only" in text


def test_ports() -> None:
    """A number that is no port is named, and so is a port that is taken."""
    assert run("--port", "99999") == (2, "99999 is not a port number (1 to 65535).\n")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        status, text = run("--port", str(port))
    assert status == 1
    assert f"Port {port} is in use" in text
    assert "EXTERNAL_API_URL" in text
