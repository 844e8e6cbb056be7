"""The tenant's Management API, called by Auth0's own client and by a tester of APIs."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from ..e2e.stack import Tenant, tenant_process
from ..local_tenant.administrator import administrator_token
from ..servers import clean_environ
from .python_packages import program, why_not


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """A running tenant."""
    tenant = tenant_process(tmp_path_factory.mktemp("tenant"), app_url="http://localhost:3000")
    tenant.server.start()
    yield tenant
    tenant.server.stop()


@pytest.fixture
def token(tenant: Tenant) -> str:
    """An application's token with every scope."""
    with closing(sqlite3.connect(tenant.data)) as database:
        (text,) = database.execute("SELECT jwk FROM keys").fetchone()
    key = RSAKey.import_key(json.loads(text))
    return administrator_token(key, time.time(), issuer=f"{tenant.url}/")


@pytest.mark.skipif(bool(why_not("auth0_python")), reason=why_not("auth0_python"))
def test_auth0_python(tenant: Tenant, token: str) -> None:
    """The unmodified auth0-python reads, searches, creates, changes and deletes."""
    script = Path(__file__).with_name("auth0_python.py")
    command = [str(program("auth0_python")), str(script), tenant.url, token]
    result = subprocess.run(command, env=clean_environ(), capture_output=True, timeout=120)
    assert result.returncode == 0, result.stderr.decode()[-3000:]
    brought = json.loads(result.stdout)
    everyone = [f"{name}@example.com" for name in ("admin", "alice", "blocked", "bob", "carol")]
    assert brought == {
        "get": "alice@example.com",
        "list": everyone,
        "search": ["alice@example.com"],
        "by email": ["auth0|65a4f1c2d3e4b5a697887902"],
        "create": "dora@example.com",
        "conflict": "The user already exists.",
        "update": {"n": 1},
        "roles": ["reader"],
        "sessions": [],
        "accounts": ["google-oauth2"],
        "logs": [],
        "ticket": True,
        "members": ["dora@example.com"],
        "deleted": "inexistent_user",
        "clients": ["local-app", "local-spa"],
        "apis": 2,
    }


@pytest.mark.skipif(bool(why_not("schemathesis")), reason=why_not("schemathesis"))
def test_schemathesis(tenant: Tenant, token: str) -> None:
    """Every answer to what is made from the OpenAPI description is one that it describes: no
    failure of the server, no other status, type or form. (Whether a body that fits is accepted
    depends on what is there, such as a user.)"""
    command = [
        *(str(program("schemathesis", "st")), "run", f"{tenant.url}/api/v2/openapi.json"),
        *("--header", f"Authorization: Bearer {token}", "--seed", "1"),
        *("--phases", "fuzzing", "--max-examples", "3", "--no-color"),
        *("--exclude-checks", "ignored_auth,positive_data_acceptance"),
    ]
    result = subprocess.run(
        command, env=clean_environ(), capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stdout[-6000:]
