"""The app's auth layer as a client of one of the providers, in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx

from app.auth import (
    AuthConfig,
    AuthorizationParams,
    AuthService,
    Sealer,
    SQLiteSessionStore,
    TokenOptions,
)
from app.auth.session import Session, SessionStore, hash_session_id

from ..flow.world import Clock, Inner
from .provider_process import ClientURLs, ProviderProcess
from .relying_party import SCOPE, RelyingParty
from .user_agent import Page, UserAgent

APP = "http://localhost:3000"
SECRET = "s" * 32


class AppAt:
    """One browser's view of it. The browser goes to the provider by its other half, `agent`."""

    urls = ClientURLs(f"{APP}/auth/callback", APP)

    def __init__(
        self,
        provider: ProviderProcess,
        auth: AuthService,
        store: SessionStore,
        transport: httpx.ASGITransport,
    ) -> None:
        self._provider = provider
        self._auth = auth
        self._store = store
        self._transport = transport
        self._browser = self._new_browser()
        self.agent = UserAgent(APP)

    async def begin(self, query: str = "") -> str:
        """Where the app sends the browser to log in."""
        return (await self._browser.get(f"{APP}/auth/login?{query}")).headers["location"]

    async def log_in(self, query: str = "") -> str:
        """A whole login; where the app sends the browser afterwards."""
        return await self.arrive(self._provider.log_in(self.agent, await self.begin(query)))

    async def arrive(self, page: Page) -> str:
        """Come back from the provider; where the app sends the browser then."""
        return (await self._browser.get(page.url)).headers["location"]

    async def session(self) -> Session | None:
        """The session that the browser's cookie names."""
        stored = await self._store.load(self._reference()) if self._has_cookie() else None
        return stored.session if stored else None

    async def access_token(self, *, refused: str | None = None, scope: str | None = None) -> str:
        """What the interceptor would attach, after an API has `refused` one."""
        options = TokenOptions(scope=scope)
        return await self._auth._access_token(self._reference(), lambda: "/", options, refused)

    async def log_out(self) -> Page:
        """At the app, then at the provider."""
        answer = await self._browser.post(f"{APP}/auth/logout")
        return self._provider.log_out(self.agent, answer.headers["location"])

    async def log_out_there(self) -> None:
        """At the provider alone: the app is not asked."""
        session = await self.session()
        assert session is not None
        assert session.id_token is not None
        with closing(RelyingParty(self._provider, self.urls)) as client:
            url = client.end_session_url(session.id_token, "bye")
        self._provider.log_out(self.agent, url)

    async def post_logout_token(self, logout_token: str) -> httpx.Response:
        """What the provider sends, to where it is sent."""
        form = {"logout_token": logout_token}
        return await self._new_browser().post(f"{APP}/auth/backchannel-logout", data=form)

    async def close(self) -> None:
        """End the browser."""
        self.agent.close()
        await self._browser.aclose()

    def _new_browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(mounts={APP: self._transport}, trust_env=False)

    def _has_cookie(self) -> bool:
        return "auth_session_3000" in self._browser.cookies

    def _reference(self) -> str:
        return hash_session_id(self._browser.cookies["auth_session_3000"])


@asynccontextmanager
async def app_at(
    provider: ProviderProcess,
    directory: Path,
    clock: Clock,
    *,
    audience: str | None = None,
    scope: str = SCOPE,
    **environ: str,
) -> AsyncIterator[AppAt]:
    """The app, while it is set up for this provider and nothing else."""
    store = SQLiteSessionStore(directory / "sessions.sqlite3", Sealer((SECRET,)), clock=clock)
    params = AuthorizationParams(audience, scope)
    variables = {**_environ(provider), **environ}
    config = AuthConfig.from_environ(variables, authorization_params=params)
    auth = AuthService(config, store, clock=clock)
    app = AppAt(provider, auth, store, httpx.ASGITransport(auth.asgi(Inner())))
    try:
        yield app
    finally:
        await app.close()
        await auth.aclose()


def _environ(provider: ProviderProcess) -> dict[str, str]:
    return {
        "AUTH0_DOMAIN": provider.issuer,
        "AUTH0_ISSUER": provider.issuer,
        "AUTH0_CLIENT_ID": provider.client_id,
        "AUTH0_CLIENT_SECRET": provider.client_secret,
        "AUTH0_SECRET": SECRET,
        "APP_BASE_URL": APP,
    }
