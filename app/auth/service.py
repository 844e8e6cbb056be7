"""AuthService: the one object an app holds. It wires the layer together and is its public face."""

from __future__ import annotations

import functools
import inspect
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import reflex as rx
from starlette.types import ASGIApp

from .audit import AuditHook, AuditTrail
from .config import AuthConfig
from .core.access_tokens import Wanted
from .core.devices import Device
from .core.limits import Limits
from .core.session_core import SessionCore
from .errors import LoginRequired
from .http_clients import HttpClients
from .interceptor import HttpInterceptorConfig, Observer, TokenOptions, build_pool
from .session import Session, SessionStore
from .ui.access import Access
from .ui.binding import SessionBinding
from .ui.connections import Connections
from .ui.document_form import DocumentForm
from .ui.event_intake import EventIntake
from .ui.guard import guard_handler, guard_page
from .ui.inspection import Inspection
from .ui.inspector import request_inspector
from .ui.marking import Marking
from .ui.navigation import current_path
from .ui.open_tabs import OpenTabs
from .ui.out_of_band import bind_out_of_band
from .ui.state import AuthState
from .ui.subscription import UserHandler, subscribe
from .ui.surface import Reach
from .ui.user_bound import User
from .web.front_door import FrontDoor

DEFAULT_LIMITS = Limits()


class AuthService(Marking):
    """Logs users in and out, calls APIs for them, and keeps every open tab told.

    `store` holds the sessions. Every page, event handler and variable is for signed-in users,
    unless it is marked (`public`, `require`); without `secure_by_default`, only what is marked is.
    `inspect_requests` turns the request inspector on, and `on_request` is told of every outgoing
    request. `audit_hooks` are told what happens to logins, sessions and tokens. `limits` say
    how often a client may come (None: as often as it likes). `pool` is the transport that really
    sends (default: a bounded httpx pool); `clock` gives epoch seconds, `jitter` numbers from 0 up
    to 1.

    Raises:
        ConfigError: an entry of the allowed list is wrong; every wrong one is named.
    """

    def __init__(
        self,
        config: AuthConfig,
        store: SessionStore,
        *,
        http_interceptor: HttpInterceptorConfig | None = None,
        secure_by_default: bool = True,
        inspect_requests: bool = False,
        on_request: Observer | None = None,
        audit_hooks: Sequence[AuditHook] = (),
        limits: Limits | None = DEFAULT_LIMITS,
        pool: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        interceptor = http_interceptor or HttpInterceptorConfig()
        self.config = config
        self._store = store
        self._pool = pool or build_pool()
        self._clock = clock
        self._app: rx.App | None = None
        self._connections = Connections()
        self._inspection = Inspection(self._connections, clock=clock) if inspect_requests else None
        self._tabs = OpenTabs(self._connections)
        self._audit = AuditTrail(audit_hooks, clock=clock)
        self._core = SessionCore(
            config,
            store,
            self._pool,
            self._audit,
            audiences=interceptor.audiences,
            handle=self._tabs.handle,
            look_again=self._tabs.look_again,
            clock=clock,
            jitter=jitter,
        )
        self._http_clients = HttpClients(
            interceptor,
            self._pool,
            self._access_token,
            self._audit,
            inspection=self._inspection,
            on_request=on_request,
        )
        self._access = Access(
            store,
            self.login_url,
            self._audit,
            self._connections,
            is_secure_by_default=secure_by_default,
            clock=clock,
        )
        self._front_door = FrontDoor(
            config,
            store,
            self._core,
            self._audit,
            limits,
            session_of_tab=self._connections.reference_of_tab,
        )

    def install(self, app: rx.App) -> None:
        """Put the layer into a Reflex app: routes, gate, binding, and clean shutdown."""
        self._app = self._tabs.app = app
        AuthState._login_url = self.login_url
        if self._inspection is not None:
            self._inspection.install(app)
        self._access.install(app, self._session)
        app.add_middleware(
            SessionBinding(self._store, self._access.gate, self._connections, clock=self._clock)
        )
        app.register_lifespan_task(self._lifespan)
        existing = app.api_transformer or []
        transformers = [existing] if callable(existing) else list(existing)
        app.api_transformer = [*transformers, self.asgi]

    def asgi(self, inner: ASGIApp) -> ASGIApp:
        """The gate around `inner`, with the `/auth/` routes behind it."""
        return self._front_door.before(inner)

    def login_url(
        self,
        return_to: str = "/",
        *,
        audience: str | None = None,
        scope: str | None = None,
        **parameters: str,
    ) -> str:
        """The absolute URL that begins a login and ends at the path `return_to`.

        `audience` (one that the allowed list names) and `scope` (space-separated) ask the user for
        more than the default. `parameters` are those of `LOGIN_PARAMETERS`, such as
        `prompt="login"` or `organization="org_1"`.
        """
        query = {"return_to": return_to, "audience": audience, "scope": scope, **parameters}
        given = {name: value for name, value in query.items() if value}
        return f"{self.config.app_api_url}/auth/login?{urlencode(given)}"

    def logout_form(self, *children: rx.Component, **props: Any) -> rx.Component:
        """A form around a submit button; it logs out here and at the provider."""
        action = f"{self.config.app_api_url}/auth/logout"
        return DocumentForm.create(*children, action=action, method="post", **props)

    def http_client(self, state: rx.State) -> httpx.AsyncClient:
        """An HTTP client that acts for the user of this tab: a token on every allowed request and
        on no other.

        Use it in a background handler, as `async with auth.http_client(self) as http`. Requests
        raise `LoginRequired`, `ConsentRequired` (with the `login_url` that leads back to the page),
        `ProviderUnavailable` or `StoreUnavailable` when there is no token.
        """
        return self._http_clients.of(state, self._reference(state))

    def request_inspector(self) -> rx.Component:
        """A panel that lists this user's outgoing requests live; nothing unless it is turned on."""
        return request_inspector() if self._inspection is not None else rx.fragment()

    async def get_access_token(self, state: rx.State, options: TokenOptions | None = None) -> str:
        """The access token of this tab's user, refreshed if it is about to expire.

        Raises:
            LoginRequired, ConsentRequired, SessionEnded, ProviderUnavailable, StoreUnavailable.
        """
        return await self._access_token(
            self._reference(state),
            functools.partial(current_path, state),
            options or TokenOptions(),
        )

    async def get_user(self, state: rx.State) -> User | None:
        """The claims of this tab's user, read from the session now; None when nobody is signed in.

        Raises:
            StoreUnavailable: the session cannot be read.
        """
        session = await self._session(state)
        return session.claims() if session else None

    async def devices(self, state: rx.State) -> list[Device]:
        """Where this tab's user is logged in: this session first, then as last seen.

        Raises:
            StoreUnavailable: sessions cannot be read.
        """
        ref = self._reference(state)
        return await self._core.devices.of(ref) if ref else []

    async def end_device(self, state: rx.State, device_id: str) -> bool:
        """Log this tab's user out where `devices` says that id; False if there is no such place.

        Its tabs are nobody's at once. Raises `StoreUnavailable`.
        """
        ref = self._reference(state)
        return await self._core.devices.end(ref, device_id) if ref else False

    async def end_other_devices(self, state: rx.State) -> int:
        """Log this tab's user out everywhere but here; the number of places.

        Raises `StoreUnavailable`.
        """
        ref = self._reference(state)
        return await self._core.devices.end_others(ref) if ref else 0

    async def user_changed(self, state: rx.State) -> None:
        """Say that something about this tab's user is not as it was: in each of their open tabs, on
        any device, what subscribed to the user runs anew. Raises `StoreUnavailable`."""
        ref = self._reference(state)
        if ref is not None:
            await self._core.changed(ref)

    async def aclose(self) -> None:
        """Let go of everything; `install` sees to it that this happens when the app stops."""
        await self._core.stop()
        await self._front_door.aclose()
        await self._pool.aclose()
        await self._store.close()

    def surface(self) -> list[Reach]:
        """Every page, event handler and variable of the app, with who may reach it."""
        return self._access.surface(self._installed())

    def require_login(self, target: Callable[..., Any]) -> Any:
        """Guard a page (a function without parameters) or an event handler (one with `self`)."""
        if not inspect.signature(target).parameters:
            return guard_page(target)
        return guard_handler(target, self.get_user, self.login_url)

    def on_user_change(self, handler: UserHandler) -> Any:
        """Subscribe `async def handler(self, user)` of a State to this tab's user.

        It runs in the background when a user appears (a page load included), changes by value, or
        goes (`user` is then None). A newer run cancels an older one that is not finished.
        """
        return subscribe(handler, self.get_user)

    def _reference(self, state: rx.State) -> str | None:
        self._installed()
        return self._connections.reference_of_state(state)

    def _installed(self) -> rx.App:
        if self._app is None:
            raise RuntimeError("AuthService.install(app) has not been called.")
        return self._app

    async def _session(self, state: rx.State) -> Session | None:
        ref = self._reference(state)
        stored = await self._store.load(ref) if ref else None
        return stored.session if stored else None

    async def _access_token(
        self,
        ref: str | None,
        page: Callable[[], str],
        options: TokenOptions,
        refused: str | None = None,
    ) -> str:
        audience = options.audience or self.config.authorization_params.audience or ""
        try:
            if ref is None:
                raise LoginRequired("Nobody is logged in.")
            return await self._core.tokens.get(ref, Wanted(audience, options.scope, refused))
        except LoginRequired as error:
            error.login_url = self.login_url(page(), audience=error.audience, scope=error.scope)
            raise

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        self._core.start()
        if self._app is not None:
            self._connections.install(self._app)
            bind_out_of_band(self._app, self._connections)
            self._access.start(self._app)
            EventIntake(self._audit, self._connections).install(self._app)
        yield
        await self.aclose()
