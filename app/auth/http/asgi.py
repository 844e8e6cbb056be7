"""Puts together what stands before the backend: limits, cookies, the gate, and the routes."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp

from ..audit import AuditTrail
from ..config import AuthConfig
from ..flows.refusals import Refusals
from ..flows.session_manager import SessionManager
from ..limits import Limits
from ..session import Cookies, SessionStore
from ..texts import AuthTexts
from ..user import PublicClaims
from .connections import Connections
from .gate import Gate
from .prefetching import Prefetching
from .rate_limiting import RequestLimits
from .responses import Documents
from .routes import Routes
from .state_trees import StateTrees
from .websocket_limits import EventLimits


class BackendMiddleware:
    """Makes the gate around a backend, with the `/auth/` routes behind it.

    With `limits` None, requests and events are not limited.
    """

    def __init__(
        self,
        config: AuthConfig,
        store: SessionStore,
        sessions: SessionManager,
        connections: Connections,
        prefetching: Prefetching,
        state_trees: StateTrees,
        audit: AuditTrail,
        limits: Limits | None,
        texts: AuthTexts,
        public_claims: PublicClaims,
        refusals: Refusals,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._config = config
        self._store = store
        self._connections = connections
        self._prefetching = prefetching
        self._state_trees = state_trees
        self._audit = audit
        self.request_limits = (
            RequestLimits(limits, audit, redis_url=config.redis_url) if limits else None
        )
        self._event_limits = EventLimits(limits, audit) if limits else None
        self._cookies = Cookies.of(config.app_base_url, is_https=config.is_https)
        documents = Documents(f"{config.page_prefix}/", f"{config.api_path}/auth/logout", texts)
        self._routes = Routes(
            config,
            store,
            sessions,
            self._cookies,
            audit,
            self.request_limits,
            documents,
            public_claims,
            refusals,
            clock=clock,
        )

    def around(self, inner: ASGIApp) -> Gate:
        """Return the gate, with `inner` behind it."""
        return Gate(
            inner,
            routes=self._routes.asgi(),
            routes_path=f"{self._config.api_path}/auth",
            assets_path=f"{self._config.base_path}/assets/",
            store=self._store,
            connections=self._connections,
            prefetching=self._prefetching,
            state_trees=self._state_trees,
            cookies=self._cookies,
            origins=self._config.origins,
            is_one_origin=self._config.is_one_origin,
            is_https=self._config.is_https,
            audit=self._audit,
            request_limits=self.request_limits,
            event_limits=self._event_limits,
            trusted_proxies=self._config.trusted_proxies,
        )

    async def aclose(self) -> None:
        """Close the connections to Redis, if requests are counted there."""
        if self.request_limits is not None:
            await self.request_limits.aclose()
