"""Many callers in several processes, all on one expired token."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx

from app.auth import AuthConfig, AuthorizationParams, AuthService, Sealer, SQLiteSessionStore
from app.auth.core.access_tokens import Wanted
from app.auth.session import reference

from ..e2e.stack import Tenant
from ..servers import ROOT
from .world import APP, SCOPE, Inner, through_the_pages

SECRET = "s" * 32


def service(file: Path, port: str) -> tuple[AuthService, SQLiteSessionStore]:
    """A service of its own on a shared file, for the tenant on this port."""
    config = AuthConfig.from_environ(
        {"LOCAL_TENANT_PORT": port},
        authorization_params=AuthorizationParams("{domain}/api/v2/", SCOPE),
    )
    store = SQLiteSessionStore(file, Sealer((SECRET,)))
    return AuthService(config, store), store


async def expired_session(tenant: Tenant, file: Path) -> str:
    """Log Alice in, and let her access token have expired; the result is the reference."""
    auth, store = service(file, _port(tenant))
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
        session = replace(stored.session, access_tokens=old)
        await store.compare_and_swap(ref, stored.version, session)
    return ref


def refresh_from_processes(
    tenant: Tenant, file: Path, ref: str, *, processes: int, callers: int
) -> set[str]:
    """The different tokens that `callers` in each of `processes` get."""
    command = [sys.executable, "-m", __name__, str(file), ref, _port(tenant), str(callers)]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    printed = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0] * processes
    return {token for text in printed for token in text.split()}


def grants_made(tenant: Tenant) -> int:
    """How many refresh tokens have been redeemed."""
    with closing(sqlite3.connect(tenant.data)) as database:
        (count,) = database.execute("SELECT count(*) FROM refresh_tokens WHERE used").fetchone()
    return int(count)


def _port(tenant: Tenant) -> str:
    return tenant.url.rpartition(":")[2]


async def _call(file: str, ref: str, port: str, callers: str) -> None:
    auth, _ = service(Path(file), port)
    wanted = Wanted(auth.config.authorization_params.audience or "")
    async with auth._lifespan():
        calls = (auth._tokens.get(ref, wanted) for _ in range(int(callers)))
        tokens = await asyncio.gather(*calls)
    sys.stdout.write("\n".join(set(tokens)))


if __name__ == "__main__":
    asyncio.run(_call(*sys.argv[1:]))
