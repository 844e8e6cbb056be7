"""Auth0's own clients, unmodified, against the local tenant."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from ...servers import Server, clean_environ
from .. import node
from ..installing import CACHE, install_once, is_there, make_environment, run

HERE = Path(__file__).parent
NODE_CLIENTS = CACHE / "auth0_clients"
PYTHON_CLIENTS = CACHE / "auth0_python_clients"
PYTHON_REQUIREMENTS = ("auth0-server-python==1.0.0b20", "auth0-api-python==1.0.0b10")


def install_node_clients() -> None:
    """Fetch the npm packages that `package.json` pins, and a Node.js if need be.

    Raises:
        InstallError: that was not possible.
    """
    node.install()
    install_once("auth0_clients", _package(), _install)


def install_python_clients() -> None:
    """Fetch the PyPI packages into an environment of their own.

    Raises:
        InstallError: that was not possible.
    """
    requirement = " ".join(PYTHON_REQUIREMENTS)
    install_once(
        "auth0_python_clients",
        requirement,
        lambda folder: make_environment(folder, *PYTHON_REQUIREMENTS),
    )


def why_no_node() -> str:
    """Why the npm packages cannot be used here; empty when they can."""
    if node.node() is None:
        return "no Node.js that is new enough"
    is_missing = not is_there("auth0_clients", _package())
    return "the npm packages of Auth0's clients are not installed" if is_missing else ""


def why_no_python() -> str:
    """Why the PyPI packages cannot be used here; empty when they can."""
    is_missing = not is_there("auth0_python_clients", " ".join(PYTHON_REQUIREMENTS))
    return "the PyPI packages of Auth0's clients are not installed" if is_missing else ""


def node_command(program: str, *arguments: str) -> list[str]:
    """The command that runs a program of this folder with the npm packages."""
    # Node looks for packages beside the program.
    return [node.node() or "node", str(shutil.copy2(HERE / program, NODE_CLIENTS)), *arguments]


def node_server(
    program: str, *arguments: str, log: Path, ready: Callable[[], bool], **environ: str
) -> Server:
    """A program of this folder as a server."""
    command = node_command(program, *arguments)
    environment = clean_environ(**environ)
    return Server(command, cwd=NODE_CLIENTS, environ=environment, log=log, ready=ready)


def python_command(program: str, *arguments: str) -> list[str]:
    """The command that runs a program of this folder with the PyPI packages."""
    return [str(PYTHON_CLIENTS / "bin" / "python"), str(HERE / program), *arguments]


def trusting(authority: Path) -> dict[str, str]:
    """The environment of a program that trusts the tenant's authority."""
    return {**os.environ, "SSL_CERT_FILE": str(authority), "NODE_EXTRA_CA_CERTS": str(authority)}


def _package() -> str:
    return (HERE / "package.json").read_text()


def _install(folder: Path) -> None:
    shutil.copy2(HERE / "package.json", folder)
    quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel", "error"]
    run([*node.npm(), "install", "--prefix", str(folder), "--ignore-scripts", *quiet])
