"""How many token requests a thousand callers in four processes make on an expired token."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ..e2e.stack import tenant_process
from ..flow.refreshing import Place, expired_session, grants_made, refresh_from_processes
from ..flow.world import APP
from .figure import Figure

PROCESSES, CALLERS = 4, 250


async def measure(directory: Path) -> list[Figure]:
    """The requests that the tenant answered with tokens, the login's own left out."""
    tenant = tenant_process(directory, app_url=APP)
    tenant.server.start()
    try:
        place = Place(str(directory / "data" / "sessions.sqlite3"))
        ref = await expired_session(tenant, place)
        tokens = await asyncio.to_thread(
            refresh_from_processes, tenant, place, ref, processes=PROCESSES, callers=CALLERS
        )
        assert len(tokens) == 1
        name = f"token requests of {PROCESSES * CALLERS} callers in {PROCESSES} processes"
        return [Figure(name, grants_made(tenant), 1, "the callers")]
    finally:
        tenant.server.stop()
