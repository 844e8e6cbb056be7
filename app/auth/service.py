"""AuthService: the one object an app holds. It wires the layer together and is its public face."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import reflex as rx
from starlette.types import ASGIApp

from .config import AuthConfig
from .core.access_tokens import AccessTokens, Wanted
from .core.announcements import Announcements, News
from .core.background import Background
from .core.devices import Device, Devices
from .core.leases import Leases
from .core.login import Login
from .core.logout import Logout
from .core.provider import Provider
from .core.redemption import Redemption
from .core.request_event import Observer
from .errors import LoginRequired, StoreUnavailable
from .interceptor import (
    AccessTokenTransport,
    AllowedList,
    HttpInterceptorConfig,
    TokenOptions,
    all_of,
    build_client,
    build_pool,
    is_log_open,
    log_request,
    opentelemetry_observer,
)
from .session import Session, SessionCookie, SessionStore
from .ui.binding import SessionBinding
from .ui.document_form import DocumentForm
from .ui.guard import guard_handler, guard_page
from .ui.inspection import Inspection
from .ui.inspector import request_inspector
from .ui.navigation import current_path
from .ui.open_tabs import OpenTabs
from .ui.socket import reference_of
from .ui.state import AuthState
from .ui.subscription import UserHandler, subscribe
from .ui.user_bound import User
from .web.gate import Gate
from .web.routes import Routes

logger = logging.getLogger(__name__)

PURGE_INTERVAL = 600.0  # seconds


class AuthService:
    """Logs users in and out, calls APIs for them, and keeps every open tab told.

    `store` holds the sessions; `inspect_requests` turns the request inspector on, and `on_request`
    is told of every outgoing request; `pool` is the transport that really sends (default: a
    bounded httpx pool); `clock` gives epoch seconds, `jitter` numbers from 0 up to 1.

    Raises:
        ConfigError: an entry of the allowed list is wrong; every wrong one is named.
    """

    def __init__(
        self,
        config: AuthConfig,
        store: SessionStore,
        *,
        http_interceptor: HttpInterceptorConfig | None = None,
        inspect_requests: bool = False,
        on_request: Observer | None = None,
        pool: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        interceptor = http_interceptor or HttpInterceptorConfig()
        self.config = config
        self._allowed_list = AllowedList(interceptor.allowed_list, base_url=interceptor.base_url)
        self._base_url = interceptor.base_url
        self._store = store
        self._pool = pool or build_pool()
        self._clock = clock
        self._app: rx.App | None = None
        self._background = Background()
        self._inspection = Inspection(clock=clock) if inspect_requests else None
        self._observers = [o for o in (opentelemetry_observer(), on_request) if o is not None]
        self._tabs = OpenTabs()
        self._announcements = Announcements(
            store, handle=self._tabs.handle, look_again=self._tabs.look_again
        )
        provider = Provider(config, self._pool, clock=clock)
        leases = Leases(store)
        self._tokens = AccessTokens(
            store,
            leases,
            Redemption(
                provider,
                store,
                rotation_overlap=config.rotation_overlap,
                clock=clock,
                on_session_end=self._session_ended,
            ),
            is_multi_resource=config.is_multi_resource,
            clock=clock,
            jitter=jitter,
        )
        self._login = Login(
            config,
            provider,
            store,
            leases,
            audiences=_audiences(interceptor),
            clock=clock,
            jitter=jitter,
        )
        self._logout = Logout(config, provider, store)
        self._devices = Devices(store, on_session_end=self._ended_elsewhere)
        self._session_cookie = SessionCookie(config.is_https, "auth_session")
        self._login_cookie = SessionCookie(config.is_https, "auth_login")

    def install(self, app: rx.App) -> None:
        """Put the layer into a Reflex app: routes, gate, binding, and clean shutdown."""
        self._app = self._tabs.app = app
        AuthState._login_url = self.login_url
        if self._inspection is not None:
            self._inspection.install(app)
        app.add_middleware(SessionBinding(self._store, clock=self._clock))
        app.register_lifespan_task(self._lifespan)
        existing = app.api_transformer or []
        transformers = [existing] if callable(existing) else list(existing)
        app.api_transformer = [*transformers, self.asgi]

    def asgi(self, inner: ASGIApp) -> ASGIApp:
        """The gate around `inner`, with the `/auth/` routes behind it."""
        routes = Routes(
            self.config,
            self._store,
            self._login,
            self._logout,
            session_cookie=self._session_cookie,
            login_cookie=self._login_cookie,
            on_session_end=self._session_ended,
            on_session_begin=self._session_begun,
        )
        return Gate(
            inner,
            routes=routes.asgi(),
            cookie=self._session_cookie,
            cookie_names=(self._session_cookie.name, self._login_cookie.name),
            origins=self.config.origins,
        )

    def login_url(
        self, return_to: str = "/", *, audience: str | None = None, scope: str | None = None
    ) -> str:
        """The absolute URL that begins a login and ends at the path `return_to`.

        `audience` (one that the allowed list names) and `scope` (space-separated) ask the user for
        more than the default.
        """
        query = {"return_to": return_to, "audience": audience, "scope": scope}
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
        get_access_token = functools.partial(
            self._access_token, self._reference(state), functools.partial(current_path, state)
        )
        transport = AccessTokenTransport(
            self._allowed_list,
            get_access_token,
            self._pool,
            refresh_access_token=get_access_token,
            on_request=self._observer(state),
        )
        return build_client(transport, base_url=self._base_url)

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
        ref = self._reference(state)
        stored = await self._store.load(ref) if ref else None
        return dict(stored.session.user) if stored else None

    async def devices(self, state: rx.State) -> list[Device]:
        """Where this tab's user is logged in: this session first, then as last seen.

        Raises:
            StoreUnavailable: sessions cannot be read.
        """
        ref = self._reference(state)
        return await self._devices.of(ref) if ref else []

    async def end_device(self, state: rx.State, device_id: str) -> bool:
        """Log this tab's user out where `devices` says that id; False if there is no such place.

        Its tabs are nobody's at once. Raises `StoreUnavailable`.
        """
        ref = self._reference(state)
        return await self._devices.end(ref, device_id) if ref else False

    async def end_other_devices(self, state: rx.State) -> int:
        """Log this tab's user out everywhere but here; the number of places.

        Raises `StoreUnavailable`.
        """
        ref = self._reference(state)
        return await self._devices.end_others(ref) if ref else 0

    async def user_changed(self, state: rx.State) -> None:
        """Say that something about this tab's user is not as it was: in each of their open tabs, on
        any device, what subscribed to the user runs anew. Raises `StoreUnavailable`."""
        ref = self._reference(state)
        for other in await self._devices.references(ref) if ref else ():
            await self._announcements.tell(News.CHANGED, other)

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

    def _observer(self, state: rx.State) -> Observer | None:
        observers = [*self._observers]
        if is_log_open():
            observers.append(log_request)
        if self._inspection is not None:
            observers.append(self._inspection.observer(state))
        return all_of(observers)

    def _reference(self, state: rx.State) -> str | None:
        if self._app is None:
            raise RuntimeError("AuthService.install(app) has not been called.")
        return reference_of(self._app, state)

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
            return await self._tokens.get(ref, Wanted(audience, options.scope, refused))
        except LoginRequired as error:
            error.login_url = self.login_url(page(), audience=error.audience, scope=error.scope)
            raise

    async def _session_begun(self, ref: str, replaced: str | None) -> None:
        """Another login in the same browser: its other tabs go over to the new session."""
        if replaced is not None:
            await self._announcements.tell(News.REPLACED, replaced)
        await self._tell_other_devices(ref)

    async def _session_ended(self, ref: str, session: Session) -> None:
        await self._announcements.tell(News.ENDED, ref)
        await self._tell_other_devices(ref, session)

    async def _tell_other_devices(self, ref: str, ended: Session | None = None) -> None:
        """The user's list of devices is another one now; only for showing, so no error."""
        try:
            for other in await self._devices.references(ref, ended):
                if other != ref:
                    await self._announcements.tell(News.CHANGED, other)
        except StoreUnavailable as error:
            logger.warning("A user's other devices were not told: %s", error.code)

    async def _ended_elsewhere(self, ref: str, session: Session) -> None:
        """Its tabs first; the provider, which may be slow to forget the tokens, afterwards."""
        await self._session_ended(ref, session)
        self._background.start(self._logout.revoke(session))

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        self._background.start(self._announcements.listen())
        self._background.start(self._free_what_has_expired())
        yield
        await self._background.stop()
        await self._pool.aclose()
        await self._store.close()

    async def _free_what_has_expired(self) -> None:
        while True:
            try:
                await self._store.purge()
            except StoreUnavailable as error:
                logger.warning("Expired sessions were not freed: %s", error.code)
            await asyncio.sleep(PURGE_INTERVAL)


def _audiences(interceptor: HttpInterceptorConfig) -> set[str]:
    """The audiences that the allowed list names."""
    options = (getattr(entry, "token_options", None) for entry in interceptor.allowed_list)
    return {option.audience for option in options if option and option.audience}
