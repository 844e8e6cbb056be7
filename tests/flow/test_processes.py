"""Refreshing from several processes: real processes, a real tenant, one file of sessions."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.auth import AuthConfig, AuthorizationParams, AuthService, Sealer, SQLiteSessionStore
from app.auth.session import reference

from ..e2e.stack import Tenant, tenant_process
from ..servers import ROOT
from .world import APP, SCOPE, Inner, through_the_pages

SECRET = "s" * 32
CALLER = """
import asyncio, os, sys
from pathlib import Path
from app.auth import AuthConfig, AuthorizationParams, AuthService, Sealer, SQLiteSessionStore
from app.auth.core.access_tokens import Wanted

async def main(file, ref, port):
    config = AuthConfig.from_environ(
        {"LOCAL_TENANT_PORT": port}, authorization_params=AuthorizationParams("{domain}/api/v2/")
    )
    auth = AuthService(config, SQLiteSessionStore(Path(file), Sealer(("s" * 32,))))
    audience = config.authorization_params.audience
    async with auth._lifespan():
        tokens = await asyncio.gather(*(auth._tokens.get(ref, Wanted(audience)) for _ in range(50)))
    sys.stdout.write(",".join(set(tokens)))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    """A tenant as a process."""
    tenant = tenant_process(tmp_path, app_url=APP)
    tenant.server.start()
    yield tenant
    tenant.server.stop()


async def expired_session(tenant: Tenant, file: Path) -> str:
    """Log Alice in, and let her access token have expired; the result is the reference."""
    config = AuthConfig.from_environ(
        {"LOCAL_TENANT_PORT": tenant.url.rpartition(":")[2]},
        authorization_params=AuthorizationParams("{domain}/api/v2/", SCOPE),
    )
    store = SQLiteSessionStore(file, Sealer((SECRET,)))
    auth = AuthService(config, store)
    app = httpx.ASGITransport(auth.asgi(Inner()))
    async with auth._lifespan(), httpx.AsyncClient(mounts={APP: app}) as browser:
        begun = await browser.get(f"{APP}/auth/login")
        url = await through_the_pages(browser, begun.headers["location"], tenant=tenant.url)
        await browser.get(url)
        ref = reference(browser.cookies["auth_session"])
        stored = await store.load(ref)
        assert stored
        old = tuple(
            replace(token, refresh_at=0.0, expires_at=0.0) for token in stored.session.access_tokens
        )
        await store.compare_and_swap(
            ref, stored.version, replace(stored.session, access_tokens=old)
        )
    return ref


async def test_one_grant_for_all_processes(tenant: Tenant, tmp_path: Path) -> None:
    """Four processes with fifty callers each on an expired token: one grant, 200 answers alike."""
    file = tmp_path / "data" / "sessions.sqlite3"
    ref = await expired_session(tenant, file)
    command = [sys.executable, "-c", CALLER, str(file), ref, tenant.url.rpartition(":")[2]]
    callers = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    tokens = {caller.communicate(timeout=60)[0] for caller in callers}
    assert [caller.returncode for caller in callers] == [0, 0, 0, 0]
    assert len(tokens) == 1
    assert "," not in tokens.pop()
    with sqlite3.connect(tenant.data) as database:
        used = database.execute("SELECT used FROM refresh_tokens ORDER BY used").fetchall()
    assert used == [(0,), (1,)]
