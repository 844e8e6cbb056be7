"""The local tenant beside a development run: started with it, kept over hot reloads."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx

from .auth_service import DATA_DIR
from .config import config

logger = logging.getLogger(__name__)

START_TIMEOUT = 15.0  # seconds


@asynccontextmanager
async def local_tenant_process() -> AsyncIterator[None]:
    """Make sure that a local tenant answers, and say so clearly if none can.

    It is a process of its own and outlives this worker, which every hot reload replaces. It ends
    by itself when `reflex run`, this worker's parent, is gone.
    """
    if not await _answers():
        process = await asyncio.create_subprocess_exec(*_command(os.getppid()))
        await _wait(process)
    yield


def _command(owner: int) -> list[str]:
    return [
        *(sys.executable, "-m", "app.local_tenant"),
        *("--port", str(urlsplit(config.domain).port)),
        *("--data", str(DATA_DIR / "local_tenant.sqlite3")),
        *("--app-url", config.app_base_url, "--app-url", config.app_api_url),
        *("--owner", str(owner)),
    ]


async def _wait(process: asyncio.subprocess.Process) -> None:
    deadline = asyncio.get_running_loop().time() + START_TIMEOUT
    while not await _answers():
        if process.returncode is not None or asyncio.get_running_loop().time() > deadline:
            logger.error(
                "The local tenant did not start, so nobody can log in; the reason stands above."
            )
            return
        await asyncio.sleep(0.1)


async def _answers() -> bool:
    """Whether a local tenant (and not something else) listens on the port."""
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=1.0) as client:
            response = await client.get(f"{config.domain}/.well-known/openid-configuration")
            return response.json().get("x_local_tenant") is True
    except (httpx.HTTPError, ValueError):
        return False
