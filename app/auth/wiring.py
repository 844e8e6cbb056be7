"""Puts the parts of the layer together, for `AuthService`."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import reflex as rx
from starlette.types import ASGIApp

from .access.policy import Decision, Rule
from .audit import AuditHook, AuditTrail
from .config import AuthConfig
from .flows.dpop_rule import DPoPRule
from .flows.hooks import Hooks
from .flows.login_link import is_route, page_of
from .flows.provider import Provider, Providers
from .flows.recent_activity import KINDS, RecentActivity
from .flows.refusals import Refusal, Refusals
from .flows.session_events import SessionEvent, SessionEventKind
from .flows.session_manager import SessionManager
from .http.asgi import BackendMiddleware
from .http.connections import Connection, Connections
from .http.page_paths import PagePaths
from .http.prefetching import Prefetching
from .http.requests import RequestSessions
from .http.route_guard import RouteGuard
from .http.state_trees import StateTrees
from .interceptor import HttpInterceptorConfig, build_pool
from .limits import Limits
from .reflex.access_control import AccessControl
from .reflex.access_rules import AccessRules
from .reflex.carry_over import CarryOver
from .reflex.client_storage import ClientStorage
from .reflex.delta_filter import DeltaFilter
from .reflex.event_filter import EventFilter
from .reflex.events import tree_of
from .reflex.navigation import LoginUrl, current_path
from .reflex.pages import LoginProblem, Views
from .reflex.plugin import script
from .reflex.reflex_seam import filter_deltas, filter_logs, pages_of
from .reflex.replay import Replay
from .reflex.request_inspector import Inspection
from .reflex.session_middleware import SessionMiddleware
from .reflex.state import AuthState
from .reflex.subscription import loaders
from .reflex.tab_notifier import TabNotifier
from .session import Session, SessionStore
from .user import PublicClaims

LoadSession = Callable[[Any], Awaitable[Session | None]]


@dataclass(frozen=True, slots=True)
class Options:
    """The options of an `AuthService`, which documents them."""

    http_interceptor: HttpInterceptorConfig
    default_rule: Rule
    inspect_requests: bool
    audit_hooks: Sequence[AuditHook]
    limits: Limits | None
    views: Views
    silent_login: bool
    public_claims: PublicClaims
    hooks: Hooks
    clock: Callable[[], float]
    jitter: Callable[[], float]


class Wiring:
    """Creates each part once. An event passes these parts between the browser and its handler:

    1. `http.Gate` adds security headers, checks the origin, maps cookie and client token to a state
       tree, and starts the loaders of a user's tab;
    2. `http.EventLimits` limits the number of events;
    3. `reflex.EventFilter` drops events that are malformed or have no handler;
    4. `reflex.SessionMiddleware` checks the session, updates `AuthState`, filters client storage;
    5. `reflex.AccessControl` checks the arguments and the rule of the handler;
    6. after the handler, `reflex.DeltaFilter` hides variables that the user may not see.
    """

    def __init__(
        self,
        config: AuthConfig,
        providers: Sequence[AuthConfig],
        store: SessionStore,
        pool: httpx.AsyncBaseTransport,
        login_url: LoginUrl,
        client_of: Callable[[Connection], httpx.AsyncClient],
        options: Options,
    ) -> None:
        """`config` is that of the app, `providers` are those of its login providers. `client_of`
        returns an HTTP client that acts for the session of a connection."""
        self._login_url = login_url
        self._login_pages = {config.error_path, config.login_path}
        self._base_path, self._base_urls = config.base_path, config.base_urls
        clock = options.clock
        # Without a secret in the configuration, open state trees end with this process.
        keys = config.secrets or (secrets.token_hex(32),)
        rules = AccessRules(options.default_rule)
        self.connections = Connections()
        self.inspection = (
            Inspection(self.connections, clock=clock) if options.inspect_requests else None
        )
        certificates = {c.provider: c.client_authentication.certificate for c in providers}
        self._certified_pools = {
            name: build_pool(certificate.ssl_context())
            for name, certificate in certificates.items()
            if certificate is not None
        }
        self.refusals = Refusals(keys, clock=clock)
        self.prefetching = Prefetching(loaders, client_of, options.public_claims)
        self.tabs = TabNotifier(self.connections, self.prefetching, store)
        login_providers = Providers(
            [
                Provider(
                    each,
                    pool,
                    audiences=options.http_interceptor.audiences(each.provider),
                    dpop=DPoPRule(each, options.http_interceptor.dpop(each.provider)),
                    certified_pool=self._certified_pools.get(each.provider),
                    clock=clock,
                )
                for each in providers
            ]
        )
        recent_activity = RecentActivity(store, login_providers)
        self.audit = AuditTrail(
            options.audit_hooks,
            clock=clock,
            kept=dict.fromkeys(KINDS, recent_activity.keep),
        )
        self.sessions = SessionManager(
            config,
            login_providers,
            store,
            self.audit,
            recent_activity,
            hooks=options.hooks,
            handle=self._handle,
            look_again=self.tabs.look_again,
            clock=clock,
            jitter=options.jitter,
        )
        state_trees = StateTrees(keys)
        self.backend = BackendMiddleware(
            config,
            store,
            self.sessions,
            self.connections,
            self.prefetching,
            state_trees,
            self.audit,
            options.limits,
            options.views.texts,
            options.public_claims,
            self.refusals,
            clock=clock,
        )
        self._page_paths = PagePaths(config.base_path)
        self.request_sessions = RequestSessions(store, options.public_claims, clock=clock)
        self.route_guard = RouteGuard(
            self.request_sessions, config, self.audit, login_url, clock=clock
        )
        self._replay = Replay(
            self.sessions.kept_events, self.backend.request_limits, self.audit, clock=clock
        )
        self.access = AccessControl(
            rules,
            login_url,
            self.audit,
            options.views,
            self._replay,
            silent_login=options.silent_login,
            clock=clock,
        )
        self._delta_filter = DeltaFilter(rules, store, self.connections, clock=clock)
        self.middleware = SessionMiddleware(
            store,
            self.access,
            self.connections,
            ClientStorage(rules, keys, clock=clock),
            CarryOver(state_trees),
            self._replay,
            options.views.texts,
            options.public_claims,
            clock=clock,
        )

    def install(
        self, app: rx.App, load_session: LoadSession, proxied: Callable[[ASGIApp], ASGIApp]
    ) -> None:
        """Install the parts in an app that is being defined. `proxied` puts the proxied routes
        around it."""
        self.tabs.app = app

        async def decide(state: rx.State, key: str) -> Decision | None:
            return await self.access.decide_page(await load_session(state), key)

        def record(state: rx.State, decision: Decision) -> None:
            connection = self.connections.of_tree(tree_of(state))
            self.access.record_page(connection, page_of(current_path(state)), decision)

        def connected_at(state: rx.State) -> str:
            connection = self.connections.of_tree(tree_of(state))
            return f"{connection.connected_at:.3f}" if connection else ""

        def may_log_in_silently(state: rx.State) -> bool:
            page = page_of(current_path(state))
            connection = self.connections.of_tree(tree_of(state))
            # Not right after a login that failed, nor where the router has a page of the backend's.
            is_page = page not in self._login_pages and not is_route(page)
            return is_page and connection is not None and connection.may_log_in_silently

        # Reflex creates its States itself, so they cannot get these as arguments.
        AuthState._login_url = self._login_url
        AuthState._decide, AuthState._record = decide, record
        AuthState._connected_at = connected_at
        AuthState._may_log_in_silently = may_log_in_silently
        AuthState._extend = self.middleware.extend
        LoginProblem._refusal = self._refusal
        if self.inspection is not None:
            self.inspection.install(app)
        self.access.install(app)
        app.add_middleware(self.middleware)
        existing = app.api_transformer or []
        transformers = [existing] if callable(existing) else list(existing)
        # Last, and therefore outermost: Reflex sees no request that the gate has not seen.
        app.api_transformer = [
            *transformers,
            self._page_paths.around,
            proxied,
            self.backend.around,
        ]
        app.head_components.append(script(self._base_urls))

    async def _handle(self, event: SessionEvent) -> None:
        """Apply a session event to the open tabs, and to the request inspector."""
        if self.inspection is not None and event.kind is SessionEventKind.TOKENS_RENEWED:
            self.inspection.note_renewal(event.subject)
        await self.tabs.handle(event)

    def _refusal(self, tree: str, sealed: str, error_id: str) -> Refusal | None:
        """Open the sentence of a refused login for the tab that shows a state tree."""
        connection = self.connections.of_tree(tree)
        browser = connection.browser if connection else ""
        return self.refusals.open(sealed, browser, error_id) if browser else None

    def start(self, app: rx.App | None) -> None:
        """Start the parts when the app runs: all handlers are registered by then."""
        self.sessions.start()
        if app is None or app.sio is None or app.event_namespace is None:
            return
        self.access.start()
        self._replay.start()
        # A route with a parameter has no folder.
        self._page_paths.pages = frozenset(
            f"{self._base_path}/{route}" for route, _ in pages_of(app) if "[" not in route
        )
        filter_deltas(app, self._delta_filter.shown)
        filter_logs()
        app.sio.register_namespace(EventFilter(app, self.audit))

    async def stop(self) -> None:
        """Stop the parts."""
        await self.sessions.stop()
        await self.tabs.stop()  # last: the end of a session closes its tabs
        await self.backend.aclose()
        for pool in self._certified_pools.values():
            await pool.aclose()
