"""The wheel of the library, and an environment in which nothing else is installed."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

from ..servers import clean_environ
from ..wheel import environment, project, wheel


def run(code: str) -> str:
    """What a program prints in the environment with the wheel and no extra."""
    result = subprocess.run(
        [str(environment() / "python"), "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_contents_of_the_wheel() -> None:
    """The wheel has the library, the local tenant and the licence, and nothing of the app. Both
    packages say that they are typed."""
    names = ZipFile(wheel()).namelist()
    folders = {name.partition("/")[0] for name in names}
    assert folders == {"reflex_oidc", "reflex_oidc_tenant", "reflex_oidc-0.1.0.dist-info"}
    assert {"reflex_oidc/py.typed", "reflex_oidc_tenant/py.typed"} < set(names)
    assert "reflex_oidc-0.1.0.dist-info/licenses/LICENSE" in names
    assert "reflex_oidc_tenant/static/tenant.css" in names
    assert "reflex_oidc/README.md" not in names
    entry_points = ZipFile(wheel()).read("reflex_oidc-0.1.0.dist-info/entry_points.txt").decode()
    assert "reflex_oidc = reflex_oidc.pytest_plugin" in entry_points


def test_contents_of_the_sdist() -> None:
    """The sdist has what the wheel is built from."""
    (file,) = wheel().parent.glob("*.tar.gz")
    with tarfile.open(file) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"pyproject.toml", "LICENSE", "app/auth/README.md", "app/auth/py.typed"} < names
    assert not any(name.startswith(("app/pages", "tests", ".data")) for name in names)


@pytest.mark.parametrize("package", ["authlib", "opentelemetry", "ua_parser", "uvicorn"])
def test_package_of_an_extra(package: str) -> None:
    """What only an extra needs is not installed without it."""
    assert run(f"from importlib.util import find_spec; print(find_spec('{package}'))") == "None"


def test_every_public_name_without_an_extra() -> None:
    """Every public name can be imported without an extra."""
    assert run("from reflex_oidc import *; print(AuthService.__module__)") == "reflex_oidc.service"


def test_devices_without_their_extra() -> None:
    """Without ua-parser, a session has no names of browser and platform, and no error."""
    code = "from reflex_oidc.flows.devices import parse_user_agent as p; print(p('Mozilla/5.0'))"
    assert run(code) == "('', '')"


def test_redis_store_without_its_extra() -> None:
    """Without redis, which today's Reflex installs, `RedisSessionStore` names the extra. The other
    stores work."""
    text = run(
        "import sys\n"
        "sys.modules['redis'] = None\n"
        "from reflex_oidc import SQLiteSessionStore\n"
        "try:\n    from reflex_oidc import RedisSessionStore\n"
        "except ImportError as error:\n    print(error)"
    )
    assert text == "RedisSessionStore needs the package redis: pip install 'reflex-oidc[redis]'"


def test_surface_of_an_installed_app(tmp_path: Path) -> None:
    """`python -m reflex_oidc surface` lists who may reach what in the app of the README."""
    result = subprocess.run(
        [str(environment() / "python"), "-m", "reflex_oidc", "surface"],
        cwd=project(tmp_path / "project", "shop"),
        env=clean_environ(
            AUTH0_DOMAIN="id.example.com",
            AUTH0_CLIENT_ID="client",
            AUTH0_CLIENT_SECRET="client-secret",
            AUTH0_SECRET="s" * 32,
        ),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "handler   shop.shop.orders.add  " in result.stdout, result.stderr
