"""The programs beside a development run. They start with it and stay over hot reloads."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from app.auth_service import DATA_DIR

from .config import EXTERNAL_API_AUDIENCE, EXTERNAL_API_URL, IS_LOCAL_TENANT, config
from .local_tenant.loopback_server import is_loopback

logger = logging.getLogger(__name__)

START_TIMEOUT = 15.0  # seconds


@dataclass(frozen=True, slots=True)
class Program:
    """A program of this app. It answers at the URL `probe` with JSON that has the member `member`.

    `without_it` says what does not work while the program does not run.
    """

    module: str
    arguments: tuple[str, ...]
    probe: str
    member: str
    without_it: str

    async def ensure(self, owner: int) -> None:
        """Start the program unless it answers already; log an error if it does not answer then."""
        if await self._answers():
            return
        command = (sys.executable, "-m", self.module, *self.arguments, "--owner", str(owner))
        process = await asyncio.create_subprocess_exec(*command)
        deadline = asyncio.get_running_loop().time() + START_TIMEOUT
        while not await self._answers():
            if process.returncode is not None or asyncio.get_running_loop().time() > deadline:
                logger.error("%s; see the message above.", self.without_it)
                return
            await asyncio.sleep(0.1)

    async def _answers(self) -> bool:
        """Whether this program answers there, and not another one."""
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=1.0) as client:
                document = (await client.get(self.probe)).json()
        except (httpx.HTTPError, ValueError):
            return False
        return isinstance(document, dict) and self.member in document


LOCAL_TENANT = Program(
    module="app.local_tenant",
    arguments=(
        *("--port", str(urlsplit(config.domain).port or 443)),
        *("--data", str(DATA_DIR / "local_tenant.sqlite3")),
        *("--app-url", config.app_base_url, "--app-url", config.app_api_url),
        *("--external-audience", EXTERNAL_API_AUDIENCE),
    ),
    probe=f"{config.domain}/.well-known/openid-configuration",
    member="x_local_tenant",
    without_it="The local tenant did not start, so no user can log in",
)
EXTERNAL_API = Program(
    module="app.external_api",
    arguments=(
        *("--port", str(urlsplit(EXTERNAL_API_URL).port or 80)),
        *("--issuer", config.issuer, "--audience", EXTERNAL_API_AUDIENCE),
    ),
    probe=f"{EXTERNAL_API_URL}/api/public",
    member="authenticated",
    without_it="The external API did not start, so its page shows errors",
)


@asynccontextmanager
async def development_processes() -> AsyncIterator[None]:
    """Start the programs that do not run yet.

    Each is a process of its own and outlives this worker, which every hot reload replaces. It ends
    by itself when `reflex run`, this worker's parent, has ended.
    """
    owner = os.getppid()
    await asyncio.gather(*(program.ensure(owner) for program in _programs()))
    yield


def _programs() -> Iterator[Program]:
    """The tenant, unless a provider is configured; the API, unless another address is."""
    if IS_LOCAL_TENANT:
        yield LOCAL_TENANT
    if is_loopback(urlsplit(EXTERNAL_API_URL).hostname or ""):
        yield EXTERNAL_API
