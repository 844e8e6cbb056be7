"""The app's auth layer as a client of one of the providers, in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from app.auth import (
    AuthConfig,
    AuthorizationParams,
    AuthService,
    Sealer,
    SQLiteSessionStore,
    TokenOptions,
)
from app.auth.interceptor import build_pool
from app.auth.session import reference

from ..flow.world import Clock, Inner
from .provider_process import ProviderProcess
from .relying_party import SCOPE
from .user_agent import Page, UserAgent

APP = "http://localhost:3000"
SECRET = "s" * 32


class AppAt:
    """One browser's view of it. The browser goes to the provider by its other half, `agent`."""

    def __init__(
        self, provider: ProviderProcess, auth: AuthService, browser: httpx.AsyncClient
    ) -> None:
        self._provider = provider
        self._auth = auth
        self._browser = browser
        self.agent = UserAgent(APP)

    async def begin(self) -> str:
        """Where the app sends the browser to log in."""
        return (await self._browser.get(f"{APP}/auth/login")).headers["location"]

    async def log_in(self) -> str:
        """A whole login; where the app sends the browser afterwards."""
        page = self._provider.log_in(self.agent, await self.begin())
        return (await self._browser.get(page.url)).headers["location"]

    async def profile(self) -> dict[str, Any]:
        """What the app knows of the user."""
        answer = await self._browser.get(f"{APP}/auth/profile", headers={"X-CSRF": "1"})
        document: dict[str, Any] = answer.json()
        return document

    async def access_token(self) -> str:
        """What the interceptor would attach."""
        ref = reference(self._browser.cookies["auth_session"])
        return await self._auth._access_token(ref, lambda: "/", TokenOptions())

    async def log_out(self) -> Page:
        """At the app, then at the provider."""
        answer = await self._browser.post(f"{APP}/auth/logout")
        return self._provider.log_out(self.agent, answer.headers["location"])


@asynccontextmanager
async def app_at(
    provider: ProviderProcess,
    directory: Path,
    clock: Clock,
    *,
    audience: str | None = None,
    scope: str = SCOPE,
) -> AsyncIterator[AppAt]:
    """The app, while it is set up for this provider and nothing else."""
    store = SQLiteSessionStore(directory / "sessions.sqlite3", Sealer((SECRET,)), clock=clock)
    params = AuthorizationParams(audience, scope)
    config = AuthConfig.from_environ(_environ(provider), authorization_params=params)
    pool = build_pool()
    auth = AuthService(config, store, pool=pool, clock=clock)
    transport = httpx.ASGITransport(auth.asgi(Inner()))
    async with httpx.AsyncClient(mounts={APP: transport}) as browser:
        app = AppAt(provider, auth, browser)
        try:
            yield app
        finally:
            app.agent.close()
            await store.close()
            await pool.aclose()


def _environ(provider: ProviderProcess) -> dict[str, str]:
    return {
        "AUTH0_DOMAIN": provider.issuer,
        "AUTH0_CLIENT_ID": provider.client_id,
        "AUTH0_CLIENT_SECRET": provider.client_secret,
        "AUTH0_SECRET": SECRET,
        "APP_BASE_URL": APP,
    }
