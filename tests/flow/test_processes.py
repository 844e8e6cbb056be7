"""Refreshing from several processes: real processes, a real tenant, one file of sessions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..e2e.stack import Tenant, tenant_process
from .refreshing import expired_session, grants_made, refresh_from_processes
from .world import APP


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    """A tenant as a process."""
    tenant = tenant_process(tmp_path, app_url=APP)
    tenant.server.start()
    yield tenant
    tenant.server.stop()


async def test_one_grant_for_all_processes(tenant: Tenant, tmp_path: Path) -> None:
    """Four processes with fifty callers each on an expired token: one grant, 200 answers alike."""
    file = tmp_path / "data" / "sessions.sqlite3"
    ref = await expired_session(tenant, file)
    tokens = refresh_from_processes(tenant, file, ref, processes=4, callers=50)
    assert len(tokens) == 1
    assert grants_made(tenant) == 1
