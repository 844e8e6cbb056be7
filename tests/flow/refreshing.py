"""Many callers in several processes, all on one expired token; and some that die at their work."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from app.auth import (
    AuthConfig,
    AuthorizationParams,
    AuthService,
    RedisSessionStore,
    Sealer,
    SessionStore,
    SQLiteSessionStore,
    local_tenant_environ,
)
from app.auth.flows.access_tokens import TokenRequest
from app.auth.interceptor import build_pool
from app.auth.session import hash_session_id

from ..e2e.stack import Tenant
from ..servers import ROOT
from .world import APP, SCOPE, Inner, through_the_pages

SECRET = "s" * 32


class DyingPool(httpx.AsyncBaseTransport):
    """Kills its own process with -9 at a refresh: `before` it is sent, or `after` its answer."""

    def __init__(self, step: str) -> None:
        self._step = step
        self._inner = build_pool()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        is_grant = request.url.path == "/oauth/token"
        if is_grant and self._step == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        response = await self._inner.handle_async_request(request)
        if is_grant and self._step == "after":
            await response.aread()
            os.kill(os.getpid(), signal.SIGKILL)
        return response


@dataclass(frozen=True)
class Place:
    """Where the sessions are: the path of an SQLite file, or the URL of a Redis."""

    address: str

    def store(self) -> SessionStore:
        """The store, as one more process opens it."""
        sealer = Sealer((SECRET,))
        if self.address.startswith("redis://"):
            return RedisSessionStore(self.address, sealer)
        return SQLiteSessionStore(Path(self.address), sealer)


def service(place: Place, port: str, pool: httpx.AsyncBaseTransport | None = None) -> AuthService:
    """A service of its own on a shared store, for the tenant on this port."""
    config = AuthConfig.from_environ(
        {},
        authorization_params=AuthorizationParams("{domain}/api/v2/", SCOPE),
        fallback=local_tenant_environ({"LOCAL_TENANT_PORT": port}),
    )
    return AuthService(config, place.store(), pool=pool)


async def expired_session(tenant: Tenant, place: Place) -> str:
    """Log Alice in, and let her access token have expired; the result is the reference."""
    auth = service(place, _port(tenant))
    app = httpx.ASGITransport(auth.asgi(Inner()))
    async with auth._lifespan(), httpx.AsyncClient(mounts={APP: app}) as browser:
        begun = await browser.get(f"{APP}/auth/login")
        url = await through_the_pages(browser, begun.headers["location"], tenant=tenant.url)
        await browser.get(url)
        ref = hash_session_id(browser.cookies["auth_session_3000"])
        stored = await auth.store.load(ref)
        assert stored
        old = tuple(
            replace(token, refresh_at=0.0, expires_at=0.0) for token in stored.session.access_tokens
        )
        session = replace(stored.session, access_tokens=old)
        await auth.store.compare_and_swap(ref, stored.version, session)
    return ref


def start_process(
    tenant: Tenant, place: Place, ref: str, *, callers: int = 1, dies: str = ""
) -> subprocess.Popen[str]:
    """A process with so many callers, that prints the different tokens they get."""
    command = [sys.executable, "-m", __name__, place.address, ref, _port(tenant), str(callers)]
    return subprocess.Popen([*command, dies], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def refresh_from_processes(
    tenant: Tenant, place: Place, ref: str, *, processes: int, callers: int
) -> set[str]:
    """The different tokens that `callers` in each of `processes` get."""
    running = [start_process(tenant, place, ref, callers=callers) for _ in range(processes)]
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


async def _call(address: str, ref: str, port: str, callers: str, dies: str) -> None:
    auth = service(Place(address), port, DyingPool(dies) if dies else None)
    wanted = TokenRequest(auth.config.authorization_params.audience or "")
    async with auth._lifespan():
        calls = (auth.sessions.tokens.get(ref, wanted) for _ in range(int(callers)))
        tokens = await asyncio.gather(*calls)
    sys.stdout.write("\n".join(set(tokens)))


if __name__ == "__main__":
    asyncio.run(_call(*sys.argv[1:]))
