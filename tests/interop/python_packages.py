"""Python packages that only tests of the tenant need, each in an environment of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from .installing import CACHE, install_once, is_there, make_environment

_REQUIREMENTS = {
    "schemathesis": "schemathesis==4.32.5",  # tests made from an OpenAPI description (MIT)
    "auth0_python": "auth0-python==6.8.0",  # Auth0's own client of the Management API (MIT)
}


def install(name: str) -> None:
    """Fetch a package.

    Raises:
        InstallError: that was not possible.
    """
    requirement = _REQUIREMENTS[name]
    install_once(name, requirement, lambda folder: make_environment(folder, requirement))


def installers() -> dict[str, Callable[[], None]]:
    """What fetches each package."""
    return {name: partial(install, name) for name in _REQUIREMENTS}


def why_not(name: str) -> str:
    """Why a package cannot be used here; empty when it can."""
    is_missing = not is_there(name, _REQUIREMENTS[name])
    return f"the PyPI package {_REQUIREMENTS[name]} is not installed" if is_missing else ""


def program(name: str, command: str = "python") -> Path:
    """A program of the environment with this package."""
    return CACHE / name / "bin" / command
