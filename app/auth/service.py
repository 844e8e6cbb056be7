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
from reflex.config import get_config
from starlette.types import ASGIApp

from .audit import AuditHook
from .config import AuthConfig
from .errors import ConfigError, LoginRequired
from .flows.access_tokens import TokenRequest
from .flows.devices import Device
from .http.connections import Connection
from .http_clients import HttpClients
from .interceptor import HttpInterceptorConfig, Observer, TokenOptions, build_pool
from .limits import Limits
from .reflex.access_report import AccessEntry, surface
from .reflex.decorators import AccessDecorators
from .reflex.events import tree_of
from .reflex.guard import User, guard_handler, guard_page
from .reflex.navigation import DocumentForm, current_path
from .reflex.request_inspector import request_inspector
from .reflex.subscription import UserHandler, subscribe
from .session import Session, SessionStore
from .wiring import Options, Wiring

DEFAULT_LIMITS = Limits()


class AuthService(AccessDecorators):
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
        options = Options(
            http_interceptor=http_interceptor or HttpInterceptorConfig(),
            secure_by_default=secure_by_default,
            inspect_requests=inspect_requests,
            audit_hooks=audit_hooks,
            limits=limits,
            clock=clock,
            jitter=jitter,
        )
        self.config = config
        self.store = store
        self._app: rx.App | None = None
        self._pool = pool or build_pool()
        self._wiring = Wiring(config, store, self._pool, self.login_url, options)
        self.sessions = self._wiring.sessions
        """Login, logout, refresh and devices, without Reflex."""
        self._http_clients = HttpClients(
            options.http_interceptor,
            self._pool,
            self._access_token,
            self._wiring.audit,
            inspection=self._wiring.inspection,
            on_request=on_request,
        )

    def install(self, app: rx.App) -> None:
        """Put the layer into a Reflex app: routes, gate, middleware, and clean shutdown.

        Raises:
            ConfigError: the app uses the transport "polling", whose handshake cannot be bound to a
                login.
        """
        if get_config().transport == "polling":
            raise ConfigError(
                'The transport "polling" cannot be used with this auth layer: set '
                'transport="websocket" in rxconfig.py (it is the default).'
            )
        self._app = app
        self._wiring.install(app, self._session)
        app.register_lifespan_task(self._lifespan)

    def asgi(self, inner: ASGIApp) -> ASGIApp:
        """The gate around `inner`, with the `/auth/` routes behind it."""
        return self._wiring.backend.around(inner)

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
        form: rx.Component = DocumentForm.create(*children, action=action, method="post", **props)
        return form

    def http_client(self, state: rx.State) -> httpx.AsyncClient:
        """An HTTP client that acts for the user of this tab: a token on every allowed request and
        on no other.

        Use it in a background handler, as `async with auth.http_client(self) as http`. Requests
        raise `LoginRequired`, `ConsentRequired` (with the `login_url` that leads back to the page),
        `ProviderUnavailable` or `StoreUnavailable` when there is no token.
        """
        connection = self._connection(state)
        sub = connection.sub if connection else None
        return self._http_clients.of(state, self._reference(state), sub)

    def request_inspector(self) -> rx.Component:
        """A panel that lists this user's outgoing requests live; nothing unless it is turned on."""
        return request_inspector() if self._wiring.inspection is not None else rx.fragment()

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
        return await self.sessions.devices.of(ref) if ref else []

    async def end_device(self, state: rx.State, device_id: str) -> bool:
        """Log this tab's user out where `devices` says that id; False if there is no such place.

        Its tabs are nobody's at once. Raises `StoreUnavailable`.
        """
        ref = self._reference(state)
        return await self.sessions.devices.end(ref, device_id) if ref else False

    async def end_other_devices(self, state: rx.State) -> int:
        """Log this tab's user out everywhere but here; the number of places.

        Raises `StoreUnavailable`.
        """
        ref = self._reference(state)
        return await self.sessions.devices.end_others(ref) if ref else 0

    async def user_changed(self, state: rx.State) -> None:
        """Say that something about this tab's user is not as it was: in each of their open tabs, on
        any device, what subscribed to the user runs anew. Raises `StoreUnavailable`."""
        ref = self._reference(state)
        if ref is not None:
            await self.sessions.changed(ref)

    async def aclose(self) -> None:
        """Let go of everything; `install` sees to it that this happens when the app stops."""
        await self._wiring.stop()
        await self._pool.aclose()
        await self.store.close()

    def surface(self) -> list[AccessEntry]:
        """Every page, event handler and variable of the app, with who may reach it."""
        return surface(self._installed(), self._wiring.access.rules)

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
        connection = self._connection(state)
        return connection.session_id_hash if connection else None

    def _connection(self, state: rx.State) -> Connection | None:
        self._installed()
        return self._wiring.connections.of_tree(tree_of(state))

    def _installed(self) -> rx.App:
        if self._app is None:
            raise RuntimeError("AuthService.install(app) has not been called.")
        return self._app

    async def _session(self, state: rx.State) -> Session | None:
        ref = self._reference(state)
        stored = await self.store.load(ref) if ref else None
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
            return await self.sessions.tokens.get(
                ref, TokenRequest(audience, options.scope, refused)
            )
        except LoginRequired as error:
            error.login_url = self.login_url(page(), audience=error.audience, scope=error.scope)
            raise

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        self._wiring.start(self._app)
        yield
        await self.aclose()
