"""AuthService: the public interface of the layer, and the one object that an app holds."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, overload

import httpx
import reflex as rx
from reflex.event import EventCallback
from starlette.types import ASGIApp

from .access.policy import SIGNED_IN, Requirement
from .audit import AuditHook
from .config import AuthConfig
from .errors import LoginRequired, MfaRequired
from .flows.hooks import AfterLogin, BeforeLogout, BeforeSession, Hooks
from .flows.token_exchange import ConnectionRequest, ExchangeRequest
from .http.connections import Connection
from .http.prefetching import Loader
from .http_clients import HttpClients, token_request
from .interceptor import HttpInterceptorConfig, Observer, TokenOptions, build_pool
from .lifetimes import check_store_lifetimes
from .limits import Limits
from .oidc.authentication import MULTI_FACTOR
from .oidc.token_endpoint import ACCESS_TOKEN_TYPE
from .provider_configs import configs_of
from .proxy import Proxies
from .proxy_routes import ProxyRoutes
from .reflex.access_report import AccessEntry, outgoing, surface
from .reflex.access_rules import default_rule
from .reflex.components import AuthComponents
from .reflex.configuration import agreed_with_reflex, configure_reflex
from .reflex.decorators import AccessDecorators, LoginDecorator
from .reflex.guard import State
from .reflex.navigation import current_path
from .reflex.pages import AuthPages, Views
from .reflex.plugin import bind_plugin
from .reflex.subscription import (
    Claims,
    Known,
    LoadingHandler,
    Result,
    TokenHandler,
    UserHandler,
    UserLoader,
    subscribe,
    subscribe_loading,
    subscribe_to_tokens,
)
from .session import SessionStore
from .texts import AuthTexts
from .user import PublicClaims
from .wiring import Options, Wiring
from .with_tab import WithTab
from .without_tab import WithoutTab

DEFAULT_LIMITS = Limits()


class AuthService(
    AccessDecorators, LoginDecorator, AuthComponents, ProxyRoutes, WithTab, WithoutTab
):
    """Logs users in and out, calls APIs for them, and keeps every open tab up to date.

    `config` says which provider logs users in, and `store` holds the sessions. Several providers
    are `providers`, in place of `config`: their configurations by name, which stands in URLs; the
    first one is the default. Every page, event
    handler and variable requires a signed-in user unless it is marked (`public`, `require`);
    without `secure_by_default`, only marked ones do. The user must also meet `default_check` (one
    check or several), there and where `require_login` is. `inspect_requests` enables the request
    inspector. With `silent_login`, every public page logs a user in who is logged in at the
    provider, without asking. `on_request` is called for every outgoing request, `audit_hooks` for
    every event of the audit trail. `limits` are the rate limits (None: no limits). `texts` are
    those of the default pages and messages. Of the claims, only the standard ones and
    `public_claims` reach the browser. `before_session` decides about each login and each change of
    claims, `after_login` and `before_logout` are told of logins and logouts. `pool` is the
    transport that sends the requests
    (default: a bounded httpx pool). `clock` returns epoch seconds, `jitter` numbers in [0, 1).

    Under `reflex run`, origins that `config` leaves open are those of `rx.Config`.

    Raises:
        ConfigError: the allowed list has invalid entries (the error names them all), the origins
            in `config` contradict those of `rx.Config`, its `session_lifetimes` contradict those of
            `store`, `silent_login` is on and no link can ask for `prompt=none`, `public_claims` is
            a text, a `default_check` takes arguments or stands beside `secure_by_default=False`, or
            `providers` contradict each other or the allowed list.
        TypeError: not exactly one of `config` and `providers` is given, or no `store`.
    """

    def __init__(
        self,
        config: AuthConfig | None = None,
        store: SessionStore | None = None,
        *,
        providers: Mapping[str, AuthConfig] | None = None,
        http_interceptor: HttpInterceptorConfig | None = None,
        secure_by_default: bool = True,
        default_check: Requirement | Sequence[Requirement] = (),
        inspect_requests: bool = False,
        silent_login: bool = False,
        on_request: Observer | None = None,
        audit_hooks: Sequence[AuditHook] = (),
        limits: Limits | None = DEFAULT_LIMITS,
        texts: AuthTexts | None = None,
        public_claims: Collection[str] = (),
        before_session: BeforeSession | None = None,
        after_login: AfterLogin | None = None,
        before_logout: BeforeLogout | None = None,
        pool: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        if store is None:
            raise TypeError("AuthService needs a store.")
        configs = [agreed_with_reflex(each) for each in configs_of(config, providers)]
        config = configs[0]
        check_store_lifetimes(store.lifetimes, config.session_lifetimes)
        titles = {each.provider: each.provider_title or each.provider for each in configs}
        self.views = Views(texts or AuthTexts(), titles if providers else None)
        checks = default_check if isinstance(default_check, Sequence) else [default_check]
        default = default_rule(checks, is_secure=secure_by_default)
        self._login_rule = SIGNED_IN if default.is_public else default
        options = Options(
            http_interceptor=http_interceptor or HttpInterceptorConfig(),
            default_rule=default,
            inspect_requests=inspect_requests,
            audit_hooks=audit_hooks,
            limits=limits,
            views=self.views,
            silent_login=silent_login,
            public_claims=PublicClaims(public_claims),
            hooks=Hooks(before_session, after_login, before_logout),
            clock=clock,
            jitter=jitter,
        )
        self.config = config
        if silent_login:
            _ = self.silent_login  # raises if no link can ask for it
        self.store = store
        self.clock = clock
        self._app: rx.App | None = None
        self._pool = pool or build_pool()
        self._wiring = Wiring(
            config, configs, store, self._pool, self.login_url, self._client_of, options
        )
        self.sessions = self._wiring.sessions
        self._connections = self._wiring.connections
        self._http_clients = HttpClients(
            options.http_interceptor,
            self._pool,
            self._access_token,
            self._wiring.audit,
            inspection=self._wiring.inspection,
            on_request=on_request,
            clock=clock,
            providers=providers or (),
        )
        self._get_access_token = self._access_token
        self._is_inspecting = inspect_requests
        self._request_sessions = self._wiring.request_sessions
        self._route_guard = self._wiring.route_guard
        self._proxies = Proxies(
            config,
            self._route_guard,
            self._http_clients.allowed_list,
            self._wiring.audit,
            functools.partial(self._client_for, is_inspected=True),
            store=store,
            clock=clock,
        )
        self._offline_access = self._wiring.sessions.offline_access

    def install(self, app: rx.App, *, pages: AuthPages | None = None) -> None:
        """Install the layer in a Reflex app: routes, gate, middleware, default pages, and clean
        shutdown. `pages` replaces default pages. A second call for the same app does nothing.

        Raises:
            ConfigError: the app uses the transport "polling", which cannot be bound to a login.
        """
        if app is self._app:
            return
        configure_reflex(self.config)
        self._app = app
        self.views.install(self.login_url, pages)
        bind_plugin(self)
        self._wiring.install(app, self._session, self._proxies.around)
        app.register_lifespan_task(self._lifespan)

    def asgi(self, inner: ASGIApp) -> ASGIApp:
        """Return the gate around `inner`, with the `/auth/` routes behind it."""
        return self._wiring.backend.around(self._proxies.around(inner))

    def http_client(self, state: rx.State) -> httpx.AsyncClient:
        """Return an HTTP client that acts for the user of this tab. Every request on the allowed
        list has an access token, and no other request has one.

        Use it in a background handler: `async with auth.http_client(self) as http`. If there is no
        token, requests raise `LoginRequired`, `ConsentRequired` or `MfaRequired` (with a
        `login_url` that returns to the page), `ProviderUnavailable` or `StoreUnavailable`.
        """
        connection = self._connection(state)
        sub = connection.sub if connection else None
        return self._http_clients.of(state, self._session_id_hash(state), sub)

    async def get_access_token(self, state: rx.State, options: TokenOptions | None = None) -> str:
        """Return the access token of this tab's user, refreshed if it is about to expire. One that
        is bound to a key (DPoP) is of use to `http_client` only, which has the key.

        Raises:
            LoginRequired: no session; `ConsentRequired`, `MfaRequired` and `SessionEnded` are kinds
                of it.
            ProviderUnavailable: the provider cannot renew the token now.
            StoreUnavailable: the session cannot be read.
        """
        token = await self._access_token(
            self._session_id_hash(state),
            functools.partial(current_path, state),
            options or TokenOptions(),
        )
        return str(token)  # without the key of a bound token

    async def exchange(
        self,
        state: rx.State,
        *,
        subject_token: str | None = None,
        subject_token_type: str = ACCESS_TOKEN_TYPE,
        audience: str | None = None,
        scope: str | None = None,
    ) -> str:
        """Return an access token in exchange for another one (RFC 8693): for `subject_token`, or
        for the access token of this tab's user. It is kept in the session until it expires.

        Raises:
            LoginRequired: no session; `ConsentRequired` and `MfaRequired` are kinds of it.
            TokenExchangeError: the provider refused.
            ProviderError, ProviderUnavailable, StoreUnavailable: as `get_access_token`.
        """
        request = ExchangeRequest(subject_token, subject_token_type, audience, scope)
        return await self._exchange(state, request)

    async def connection_token(
        self, state: rx.State, connection: str, *, login_hint: str | None = None
    ) -> str:
        """Return the access token that this tab's user has at the identity provider behind Auth0,
        such as `"google-oauth2"` (Auth0's Token Vault). It is kept in the session until it expires.

        `login_hint` is the user's id there, if there are several. Raises like `exchange`.
        """
        return await self._exchange(state, ConnectionRequest(connection, login_hint))

    async def aclose(self) -> None:
        """Close all connections and files. After `install`, this happens when the app stops."""
        await self._wiring.stop()
        await self._http_clients.aclose()
        await self._pool.aclose()
        await self.store.close()

    def surface(self) -> list[AccessEntry]:
        """Return every page, event handler, variable and HTTP route of the app, with its access
        rule; then the entries of the allowed list, with the tokens that they attach."""
        dependencies = [(self.current_user, self._login_rule)]
        entries = surface(self._installed(), self._wiring.access.rules, dependencies)
        entries = sorted([*entries, *self._proxied_entries()])
        return [*entries, *outgoing(self._http_clients.entries)]

    @overload
    def on_user_change(self, handler: UserHandler[State, Claims]) -> EventCallback[()]: ...

    @overload
    def on_user_change(
        self, *, prefetch: UserLoader[Known, Result]
    ) -> Callable[[LoadingHandler[State, Claims, Result]], EventCallback[()]]: ...

    def on_user_change(
        self,
        handler: Callable[..., Awaitable[None]] | None = None,
        *,
        prefetch: Any = None,
    ) -> Any:
        """Subscribe `async def handler(self, user)` of a State to this tab's user.

        It runs in the background when the user signs in (a page load included), signs out (`user`
        is then None), or has other claims. A newer run cancels an older one that is not finished.

        With `prefetch`, an `async def loader(http, user)` that loads what the handler shows, the
        handler is `async def handler(self, user, load)`, and `await load()` returns what the loader
        returns, or raises what it raises. On a page load, the loader begins at the websocket
        handshake, which is a round trip or more earlier: a signed-in user's tab that connects
        is about to run the handler. `http` is the HTTP client of `http_client`, and `user` the
        public claims. The loader must only read, since its result may be dropped: it is used once,
        by the connection that it was loaded for, within 5 s, and only if session, user and claims
        are still the same. Otherwise `load()` calls the loader again. Without a user, `load()`
        raises `LoginRequired`.

        Raises:
            TypeError: `prefetch` is no function.
        """
        if handler is not None:
            return subscribe(handler, self.get_user)
        return lambda target: subscribe_loading(target, prefetch, self.get_user, self._load)

    async def _load(self, state: rx.State, name: str, loader: Loader) -> Any:
        """Return the result of a loader for the event with this name, prefetched or not."""
        session, connection = await self._session(state), self._connection(state)
        page = functools.partial(current_path, state)
        try:
            if session is None or connection is None:
                raise LoginRequired("No user is logged in.")
            prefetched = self._wiring.prefetching.take(connection, name, session)
            if prefetched is None:
                async with self.http_client(state) as http:
                    return await loader(http, self._request_sessions.public_claims.of(session.user))
            try:
                return await prefetched
            finally:
                if self._wiring.inspection is not None:
                    self._wiring.inspection.show(state)
        except LoginRequired as error:
            self._add_login_url(error, page)  # at the handshake, the page was not known
            raise

    def on_token_refresh(self, handler: TokenHandler[State]) -> EventCallback[()]:
        """Subscribe `async def handler(self)` of a State to the access tokens of this session.

        It runs in the background, in every open tab of the session, when a request has renewed one
        of them (`token_expiries` then has another time), and not at the login.
        """
        return subscribe_to_tokens(handler)

    def _client_of(self, connection: Connection) -> httpx.AsyncClient:
        """An HTTP client for a tab that connects."""
        return self._http_clients.of_opening_tab(connection.session_id_hash, connection.sub)

    async def _access_token(
        self,
        session_id_hash: str | None,
        page: Callable[[], str],
        options: TokenOptions,
        refused: str | None = None,
    ) -> str:
        try:
            if session_id_hash is None:
                raise LoginRequired("No user is logged in.")
            wanted = token_request(options, refused)
            return await self.sessions.tokens.get(session_id_hash, wanted)
        except LoginRequired as error:
            self._add_login_url(error, page)
            raise

    async def _exchange(self, state: rx.State, request: ExchangeRequest | ConnectionRequest) -> str:
        session_id_hash = self._session_id_hash(state)
        try:
            if session_id_hash is None:
                raise LoginRequired("No user is logged in.")
            return await self.sessions.exchange.get(session_id_hash, request)
        except LoginRequired as error:
            self._add_login_url(error, functools.partial(current_path, state))
            raise

    def _add_login_url(self, error: LoginRequired, page: Callable[[], str]) -> None:
        """The flows know no pages, so the link is added here."""
        asks = {"acr_values": MULTI_FACTOR} if isinstance(error, MfaRequired) else {}
        error.login_url = self.login_url(
            page(),
            audience=error.audience,
            scope=error.scope,
            provider=error.provider or None,
            **asks,
        )

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        self._wiring.start(self._app)
        yield
        await self.aclose()
