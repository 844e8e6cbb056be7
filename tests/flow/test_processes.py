"""Refreshing from several processes: real processes, a real tenant, one store of sessions."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.auth.flows.refresh import LEASE

from ..e2e.stack import Tenant, tenant_process
from ..redis_server import running_redis
from .refreshing import (
    Place,
    expired_session,
    grants_made,
    refresh_from_processes,
    start_process,
)
from .world import APP

OVERLAP = 30  # seconds
STARTING = 10.0  # seconds that a Python process may take to start on a busy machine


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    """A tenant as a process, whose refresh tokens rotate with an overlap."""
    tenant = tenant_process(tmp_path, app_url=APP, rotation_overlap=OVERLAP)
    tenant.server.start()
    yield tenant
    tenant.server.stop()


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A store that processes share, of each kind."""
    if request.param == "redis":
        with running_redis(tmp_path) as url:
            yield Place(url)
    else:
        yield Place(str(tmp_path / "data" / "sessions.sqlite3"))


def kill_one(tenant: Tenant, place: Place, ref: str, step: str) -> None:
    """A process with three callers dies at this step of its refresh."""
    victim = start_process(tenant, place, ref, callers=3, dies=step)
    victim.communicate(timeout=60)
    assert victim.returncode == -signal.SIGKILL


async def test_one_grant_for_all_processes(tenant: Tenant, place: Place) -> None:
    """Four processes with fifty callers each on an expired token: one grant, 200 answers alike."""
    ref = await expired_session(tenant, place)
    tokens = refresh_from_processes(tenant, place, ref, processes=4, callers=50)
    assert len(tokens) == 1
    assert grants_made(tenant) == 1


@pytest.mark.parametrize("step", ["before", "after"])
async def test_killed(tenant: Tenant, place: Place, step: str) -> None:
    """A process that is killed with the lease in its hands, before its grant or between the grant
    and saving it, logs nobody out, and keeps others waiting for the lease at most."""
    ref = await expired_session(tenant, place)
    kill_one(tenant, place, ref, step)
    assert grants_made(tenant) == (1 if step == "after" else 0)
    begun_at = time.monotonic()
    tokens = refresh_from_processes(tenant, place, ref, processes=2, callers=10)
    assert len(tokens) == 1
    assert time.monotonic() - begun_at < LEASE + STARTING
    assert grants_made(tenant) == 1


async def test_killed_again_and_again(tenant: Tenant, place: Place) -> None:
    """Nor does one that is killed after another's death, however often."""
    ref = await expired_session(tenant, place)
    for step in ("before", "after", "after"):
        kill_one(tenant, place, ref, step)
    assert len(refresh_from_processes(tenant, place, ref, processes=1, callers=1)) == 1
