"""An app, a tenant and browsers in one process, under one clock; only the sockets are missing."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from app.auth import (
    AllowedRoute,
    AuditEvent,
    AuthConfig,
    AuthorizationParams,
    AuthService,
    HttpInterceptorConfig,
    Limits,
    Sealer,
    SessionStore,
    SQLiteSessionStore,
    TokenOptions,
    local_tenant_environ,
)
from app.auth.session import Session, hash_session_id
from app.auth.testing import FakeClock as Clock
from app.local_tenant.asgi import create_tenant
from app.local_tenant.seeds import USERS
from app.local_tenant.settings import TenantSettings

from ..tenant_file import started_before

APP = "http://localhost:3000"
TENANT = "http://127.0.0.1:4400"
FAULTS = f"{TENANT}/dashboard/api/faults"
OTHER_AUDIENCE = "http://127.0.0.1:4401/api/"
OTHER_TOKEN = TokenOptions(OTHER_AUDIENCE)
SCOPE = "openid profile email offline_access read:current_user"


OpenStore = Callable[[Sealer, Clock], SessionStore]


class Network(httpx.AsyncBaseTransport):
    """Carries the app's requests to the tenant, counts them, and can be cut or bent.

    It can also hold grants back, or carry them out and lose the answers; or hold back the answers
    of a path.
    """

    def __init__(self, tenant: ASGIApp) -> None:
        self._tenant = httpx.ASGITransport(tenant)
        self.paths: list[str] = []
        self.is_cut = False
        self.answers_to_lose = 0
        self.hold: asyncio.Event | None = None
        self.held: dict[str, asyncio.Event] = {}
        self.waiting: list[str] = []
        self.answers: dict[str, httpx.Response] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        if self.is_cut:
            raise httpx.ConnectError("cut", request=request)
        is_grant = request.url.path == "/oauth/token"
        if is_grant and self.hold is not None:
            await self.hold.wait()
        bent = self.answers.get(request.url.path)
        response = bent or await self._tenant.handle_async_request(request)
        if request.url.path in self.held:
            self.waiting.append(request.url.path)
            await self.held[request.url.path].wait()
        if is_grant and self.answers_to_lose:
            self.answers_to_lose -= 1
            raise httpx.ReadTimeout("lost", request=request)
        return response

    @property
    def grants(self) -> int:
        """How many requests the token endpoint got."""
        return self.paths.count("/oauth/token")


@dataclass
class Inner:
    """What stands behind the gate: remembers the scopes that reached it. `app` answers, if set."""

    scopes: list[Scope] = field(default_factory=list)
    app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if self.app is not None:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"page"})


class World:
    """One app with its tenant. `options` are further ones of `AuthService`, `tenant` further
    settings of the tenant; `other_token` is what https://other.example gets."""

    def __init__(
        self,
        directory: Path,
        *,
        multi_resource_refresh_tokens: bool = False,
        tenant_multi_resource_refresh_tokens: bool | None = None,
        rotation_overlap: int = 0,
        mfa_at_refresh: bool = False,
        fixed_parameters: tuple[tuple[str, str], ...] = (),
        open_store: OpenStore | None = None,
        limits: Limits | None = None,
        environ: Mapping[str, str] | None = None,
        id_token_on_refresh: bool = True,
        url: str = APP,
        other_urls: tuple[str, ...] = (),
        other_token: TokenOptions = OTHER_TOKEN,
        tenant: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self.url, self.other_urls = url, other_urls
        self.clock = Clock()
        settings = TenantSettings(
            data_file=started_before(directory / "tenant.sqlite3"),
            app_urls=(url, *other_urls),
            access_token_lifetime=3600,
            multi_resource_refresh=(
                multi_resource_refresh_tokens
                if tenant_multi_resource_refresh_tokens is None
                else tenant_multi_resource_refresh_tokens
            ),
            rotation_overlap=rotation_overlap,
            id_token_on_refresh=id_token_on_refresh,
            mfa_at_refresh=mfa_at_refresh,
            response_issuer=True,
            **(tenant or {}),
        )
        self.tenant_file = settings.data_file
        self.tenant = create_tenant(settings, clock=self.clock)
        self.network = Network(self.tenant)
        self.store_file = directory / "data" / "sessions.sqlite3"
        self.store = (open_store or self._open_file)(Sealer(("s" * 32,)), self.clock)
        self.jitter = 0.0
        self.record: list[AuditEvent] = []
        config = AuthConfig.from_environ(
            {
                "APP_BASE_URLS" if other_urls else "APP_BASE_URL": ",".join((url, *other_urls)),
                "AUTH0_MULTI_RESOURCE_REFRESH": "1" if multi_resource_refresh_tokens else "0",
                "AUTH0_ROTATION_OVERLAP": str(rotation_overlap),
                **(environ or {}),
            },
            authorization_params=AuthorizationParams(
                "{domain}/api/v2/", SCOPE, fixed_parameters=fixed_parameters
            ),
            fallback=local_tenant_environ({}),
        )
        self.auth = AuthService(
            config,
            self.store,
            http_interceptor=HttpInterceptorConfig(
                allowed_list=[
                    f"{TENANT}/api/v2/*",
                    "https://api.example.com/v1/*",
                    AllowedRoute("https://other.example/*", token_options=other_token),
                ]
            ),
            pool=self.network,
            audit_hooks=[self.record.append],
            limits=limits,
            clock=self.clock,
            jitter=lambda: self.jitter,
            **options,
        )
        self.inner = Inner()
        self.app = self.auth.asgi(self.inner)

    def _open_file(self, sealer: Sealer, clock: Clock) -> SessionStore:
        return SQLiteSessionStore(self.store_file, sealer, clock=clock)

    def browser(self, address: str = "127.0.0.1") -> httpx.AsyncClient:
        """A browser with a cookie jar of its own; it does not follow redirects by itself."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.tenant),
            mounts={
                url: httpx.ASGITransport(self.app, client=(address, 1234))
                for url in (APP, *self.other_urls)
            },
        )

    async def begin(self, browser: httpx.AsyncClient, return_to: str = "/profile") -> str:
        """Start a login; the result is the URL at the tenant."""
        response = await browser.get(f"{self.url}/auth/login", params={"return_to": return_to})
        return response.headers["location"]

    async def answer(
        self, browser: httpx.AsyncClient, url: str, email: str = "alice@example.com"
    ) -> str:
        """Do what the tenant's pages ask; the result is the callback URL."""
        return await through_the_pages(browser, url, email=email)

    async def log_in(
        self, browser: httpx.AsyncClient, email: str = "alice@example.com"
    ) -> httpx.Response:
        """A whole login; the result is the callback's answer."""
        return await browser.get(await self.answer(browser, await self.begin(browser), email))

    async def session(self, browser: httpx.AsyncClient) -> Session | None:
        """The session that the browser's cookie names."""
        stored = await self.store.load(key_of(browser))
        return stored.session if stored else None

    async def access_token(self, browser: httpx.AsyncClient) -> str:
        """What the interceptor would attach for this browser."""
        return await self.auth._access_token(key_of(browser), lambda: "/", TokenOptions())

    async def refresh(self, browser: httpx.AsyncClient) -> Session:
        """Let the access token expire, and get another one; the result is the session."""
        self.clock.now += 3601
        await self.access_token(browser)
        session = await self.session(browser)
        assert session is not None
        return session

    async def profile(self, browser: httpx.AsyncClient) -> dict[str, Any]:
        """The claims that the browser may see."""
        answer = await browser.get(f"{APP}/auth/profile", headers={"X-CSRF": "1"})
        return dict(answer.json())

    async def set_user(self, email: str = "alice@example.com", **app_metadata: Any) -> None:
        """Set a user's `app_metadata` in the tenant's dashboard."""
        user_id = next(user["user_id"] for user in USERS if user["email"] == email)
        form = {"user_metadata": "{}", "app_metadata": json.dumps(app_metadata), "action": "save"}
        async with self.browser() as developer:
            page = f"{TENANT}/dashboard/users/{quote(user_id, safe='')}"
            assert (await send_form(developer, page, **form)).status_code == 303

    async def fault(self, kind: str, **fault: Any) -> None:
        """Let something go wrong at the tenant, by its API for that (docs/tenant-api.md)."""
        async with self.browser() as developer:
            answer = await developer.post(FAULTS, json={"kind": kind, **fault})
            assert answer.status_code == 201, answer.text

    async def mend(self) -> None:
        """End what still goes wrong."""
        async with self.browser() as developer:
            await developer.delete(FAULTS)

    async def log_out_at_tenant(self, browser: httpx.AsyncClient) -> None:
        """End the tenant's session and nothing else, so that it asks for a password again."""
        await browser.get(f"{TENANT}/v2/logout?client_id=local-app")


def key_of(browser: httpx.AsyncClient) -> str:
    """The store's key of the session that the browser's cookie names."""
    return hash_session_id(browser.cookies["auth_session_3000"])


async def through_the_pages(
    browser: httpx.AsyncClient,
    url: str,
    *,
    tenant: str = TENANT,
    app: str = APP,
    email: str = "alice@example.com",
    password: str = "password",
) -> str:
    """From an authorization URL through the tenant's pages to the callback URL."""
    forms = {
        "/u/login": {"username": email, "password": password},
        "/u/second-step": {"code": "123456"},
        "/u/consent": {"action": "accept"},
    }
    while not url.startswith(app):
        url = str(httpx.URL(tenant).join(url))
        path = urlsplit(url).path
        if path in forms:
            response = await browser.post(url, data=forms[path])
        else:
            response = await browser.get(url)
        url = response.headers["location"]
    return url


async def send_form(browser: httpx.AsyncClient, url: str, **form: str) -> httpx.Response:
    """Open a page of the tenant's dashboard, and send its form with these fields."""
    tokens = re.findall(r'name="csrf" value="(\w+)"', (await browser.get(url)).text)
    return await browser.post(url, data={"csrf": tokens[0] if tokens else "", **form})


def error_code(response: httpx.Response) -> str:
    """The code with which a failed login arrives at the error page."""
    url = response.headers["location"]
    assert response.status_code == 303
    assert url.startswith(f"{APP}/error?")
    query = parse_qs(urlsplit(url).query)
    assert re.fullmatch(r"[0-9a-f]{8}", query["id"][0])
    return query["code"][0]
