"""What stands before the backend, put together: limits, cookies, the gate, and the routes."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp

from ..audit import AuditTrail
from ..config import AuthConfig
from ..flows.session_manager import SessionCore
from ..limits import Limits
from ..session import SessionCookie, SessionStore
from .gate import Gate
from .rate_limiting import RequestLimits
from .routes import Routes
from .websocket_limits import EventLimits


class FrontDoor:
    """`limits` None: everybody may come as often as they like. `session_of_tab` gives the reference
    of the session that a tab's websocket came with."""

    def __init__(
        self,
        config: AuthConfig,
        store: SessionStore,
        core: SessionCore,
        audit: AuditTrail,
        limits: Limits | None,
        *,
        session_of_tab: Callable[[str], str | None],
    ) -> None:
        self._config = config
        self._audit = audit
        self._session_of_tab = session_of_tab
        self._request_limits = (
            RequestLimits(limits, audit, redis_url=config.redis_url) if limits else None
        )
        self._event_limits = EventLimits(limits, audit) if limits else None
        self._session_cookie = SessionCookie(config.is_https, "auth_session")
        self._login_cookie = SessionCookie(config.is_https, "auth_login")
        self._routes = Routes(
            config,
            store,
            core.login,
            core.callback,
            core.logout,
            core.backchannel_logout,
            audit,
            self._request_limits,
            session_cookie=self._session_cookie,
            login_cookie=self._login_cookie,
            on_session_end=core.ended,
            on_session_begin=core.begun,
        )

    def before(self, inner: ASGIApp) -> Gate:
        """The gate around the backend, with the `/auth/` routes behind it."""
        return Gate(
            inner,
            routes=self._routes.asgi(),
            cookie=self._session_cookie,
            cookie_names=(self._session_cookie.name, self._login_cookie.name),
            origins=self._config.origins,
            is_https=self._config.is_https,
            session_of_tab=self._session_of_tab,
            audit=self._audit,
            request_limits=self._request_limits,
            event_limits=self._event_limits,
            trusted_proxies=self._config.trusted_proxies,
        )

    async def aclose(self) -> None:
        """Let go of what counts."""
        if self._request_limits is not None:
            await self._request_limits.aclose()
