"""The fixtures that an app's tests get, used as they use them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.auth import AuthConfig
from app.auth.pytest_plugin import (
    LocalTenant,
    local_tenant,  # noqa: F401
    local_tenant_app_urls,  # noqa: F401
)

from ....servers import ROOT

LOG_IN = """
import pytest
from app.auth.pytest_plugin import *

@pytest.fixture(scope="session")
def local_tenant_command():
    return [{python!r}, "-c", "print('no tenant here')"]

def test_tenant(local_tenant):
    pass
"""


@pytest.fixture(scope="session")
def local_tenant_command() -> list[str]:
    """The tenant of this project, which has its own name here."""
    return [sys.executable, "-m", "app.local_tenant"]


def test_local_tenant(local_tenant: LocalTenant) -> None:  # noqa: F811
    """The tenant runs, and is the provider of an app that is configured with its variables."""
    config = AuthConfig.from_environ({**local_tenant.environ, "AUTH0_SECRET": "s" * 32})
    discovery = f"{config.domain}/.well-known/openid-configuration"
    assert httpx.get(discovery, trust_env=False).json()["issuer"] == config.issuer
    assert local_tenant.data_file.exists()


def test_tenant_that_does_not_start(tmp_path: Path) -> None:
    """When the tenant cannot be started, the test fails with what it printed."""
    (tmp_path / "test_it.py").write_text(LOG_IN.format(python=sys.executable))
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(tmp_path), str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "The local tenant did not start" in result.stdout
    assert "no tenant here" in result.stdout
