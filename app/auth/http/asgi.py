"""Puts together what stands before the backend: limits, cookies, the gate, and the routes."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import ASGIApp

from ..audit import AuditTrail
from ..config import AuthConfig
from ..flows.session_manager import SessionManager
from ..limits import Limits
from ..session import SessionCookie, SessionStore
from ..texts import AuthTexts
from .connections import Connections
from .gate import Gate
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
        state_trees: StateTrees,
        audit: AuditTrail,
        limits: Limits | None,
        texts: AuthTexts,
    ) -> None:
        self._config = config
        self._store = store
        self._connections = connections
        self._state_trees = state_trees
        self._audit = audit
        self._request_limits = (
            RequestLimits(limits, audit, redis_url=config.redis_url) if limits else None
        )
        self._event_limits = EventLimits(limits, audit) if limits else None
        self._session_cookie = named_cookie(config, "auth_session")
        self._login_cookie = named_cookie(config, "auth_login")
        self._browser_cookie = named_cookie(config, "auth_browser")
        self._routes = Routes(
            config,
            store,
            sessions.login,
            sessions.callback,
            sessions.logout,
            sessions.backchannel_logout,
            audit,
            self._request_limits,
            Documents(f"{config.app_base_url}/", texts),
            session_cookie=self._session_cookie,
            login_cookie=self._login_cookie,
            browser_cookie=self._browser_cookie,
            on_session_end=sessions.ended,
            on_session_begin=sessions.begun,
        )

    def around(self, inner: ASGIApp) -> Gate:
        """Return the gate, with `inner` behind it."""
        return Gate(
            inner,
            routes=self._routes.asgi(),
            store=self._store,
            connections=self._connections,
            state_trees=self._state_trees,
            session_cookie=self._session_cookie,
            browser_cookie=self._browser_cookie,
            other_cookie_names={self._login_cookie.name},
            origins=self._config.origins,
            is_https=self._config.is_https,
            audit=self._audit,
            request_limits=self._request_limits,
            event_limits=self._event_limits,
            trusted_proxies=self._config.trusted_proxies,
        )

    async def aclose(self) -> None:
        """Close the connections to Redis, if requests are counted there."""
        if self._request_limits is not None:
            await self._request_limits.aclose()


def named_cookie(config: AuthConfig, name: str) -> SessionCookie:
    """Name the cookie after the port: browsers send a cookie to every port of its host."""
    port = urlsplit(config.app_base_url).port
    return SessionCookie(config.is_https, name if port is None else f"{name}_{port}")
