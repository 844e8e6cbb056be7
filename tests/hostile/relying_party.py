"""The app under test: its real routes, its real HTTP client, and a browser that keeps cookies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from app.auth import (
    AuthConfig,
    AuthService,
    MemorySessionStore,
    Sealer,
    SessionStore,
    TokenOptions,
)
from app.auth.session import Session, hash_session_id

from ..flow.world import Clock, Inner, OpenStore
from .provider import HostileProvider

Adapt = Callable[[AuthConfig], AuthConfig]

APP = "http://localhost:3000"
ENVIRON = {
    "AUTH0_CLIENT_ID": "rp",
    "AUTH0_CLIENT_SECRET": "rp-secret-!%+",
    "AUTH0_SECRET": "s" * 32,
}


@dataclass(frozen=True)
class Outcome:
    """How a login ended: with a session, or with the `code` that the error page is given.

    `user` are the claims that the app then shows.
    """

    code: str | None
    session: Session | None
    user: dict[str, Any] = field(default_factory=dict)


class RelyingParty:
    """One app at one provider, with one browser."""

    def __init__(
        self,
        provider: HostileProvider,
        clock: Clock,
        environ: Mapping[str, str],
        open_store: OpenStore,
        adapt: Adapt,
    ) -> None:
        self.provider = provider
        self.clock = clock
        self.store = open_store(Sealer(("s" * 32,)), clock)
        variables = {"AUTH0_DOMAIN": provider.issuer, **ENVIRON, **environ}
        config = adapt(AuthConfig.from_environ(variables))
        self.auth = AuthService(config, self.store, clock=clock, jitter=lambda: 0.0)
        self._app = httpx.ASGITransport(self.auth.asgi(Inner()))
        self.browser = httpx.AsyncClient(mounts={APP: self._app}, trust_env=False)

    async def begin(self, query: str = "return_to=/profile") -> httpx.Response:
        """Follow a login link."""
        return await self.browser.get(f"{APP}/auth/login?{query}")

    async def log_in(self, query: str = "return_to=/profile") -> Outcome:
        """From the link to the page or to the error page."""
        response = await self.begin(query)
        while not _is_over(response):
            response = await self.browser.get(response.headers["location"])
        return await self._outcome(response)

    async def session(self) -> Session | None:
        """The session that the browser's cookie names."""
        handle = self.browser.cookies.get("auth_session_3000")
        stored = await self.store.load(hash_session_id(handle)) if handle else None
        return stored.session if stored else None

    async def access_token(self) -> str:
        """What the interceptor would attach for this browser."""
        ref = hash_session_id(self.browser.cookies["auth_session_3000"])
        return await self.auth._access_token(ref, lambda: "/", TokenOptions())

    async def post_logout_token(self, logout_token: str) -> httpx.Response:
        """As the provider posts it: without any cookie."""
        return await self.post(data={"logout_token": logout_token})

    async def post(self, **body: Any) -> httpx.Response:
        """A request to the back-channel endpoint."""
        client = httpx.AsyncClient(mounts={APP: self._app}, trust_env=False)
        return await client.post(f"{APP}/auth/backchannel-logout", **body)

    async def log_out(self) -> str:
        """The URL at which a logout goes on."""
        response = await self.browser.post(f"{APP}/auth/logout", headers={"Origin": APP})
        return response.headers["location"]

    async def _outcome(self, response: httpx.Response) -> Outcome:
        url = urlsplit(response.headers["location"])
        session = await self.session()
        if url.path == "/error":
            return Outcome(parse_qs(url.query)["code"][0], session)
        profile = await self.browser.get(f"{APP}/auth/profile", headers={"X-CSRF": "1"})
        return Outcome(None, session, profile.json())


def _is_over(response: httpx.Response) -> bool:
    location = response.headers["location"]
    return location.startswith(APP) and not location.startswith(f"{APP}/auth/")


def _in_memory(sealer: Sealer, clock: Clock) -> SessionStore:
    return MemorySessionStore(sealer, clock=clock)


@asynccontextmanager
async def relying_party(
    provider: HostileProvider,
    clock: Clock,
    *,
    open_store: OpenStore = _in_memory,
    adapt: Adapt = lambda config: config,
    **environ: str,
) -> AsyncIterator[RelyingParty]:
    """An app with these variables beside the usual ones; `adapt` changes the configuration."""
    party = RelyingParty(provider, clock, environ, open_store, adapt)
    try:
        yield party
    finally:
        await party.browser.aclose()
        await party.auth.aclose()
