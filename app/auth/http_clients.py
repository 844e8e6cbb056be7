"""The HTTP clients that act for the users of tabs."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Protocol

import httpx
import reflex as rx

from .audit import AuditTrail
from .interceptor import (
    AccessTokenTransport,
    AllowedList,
    HttpInterceptorConfig,
    Observer,
    OpenTelemetry,
    TokenOptions,
    audit_requests,
    build_client,
    is_log_enabled,
    log_request,
)
from .reflex.navigation import current_path
from .reflex.request_inspector import Inspection


class GetAccessToken(Protocol):
    """The access token of a session, in place of the `refused` one if that is given."""

    def __call__(
        self,
        ref: str | None,
        page: Callable[[], str],
        options: TokenOptions,
        refused: str | None = None,
    ) -> Awaitable[str]:
        """`page` is where the login that may be needed is to end."""


class HttpClients:
    """Raises `ConfigError` when an entry of the allowed list is wrong; every wrong one is named."""

    def __init__(
        self,
        config: HttpInterceptorConfig,
        pool: httpx.AsyncBaseTransport,
        get_access_token: GetAccessToken,
        audit: AuditTrail,
        *,
        inspection: Inspection | None,
        on_request: Observer | None,
    ) -> None:
        self._allowed_list = AllowedList(config.allowed_list, base_url=config.base_url)
        self._base_url = config.base_url
        self._pool = pool
        self._get_access_token = get_access_token
        self._audit = audit
        self._inspection = inspection
        self._on_request = on_request
        self._telemetry = OpenTelemetry.if_installed()

    def of(self, state: rx.State, ref: str | None, sub: str | None) -> httpx.AsyncClient:
        """One for the user of this tab: the hash of the session's id, and the user's `sub`."""
        get_access_token = functools.partial(
            self._get_access_token, ref, functools.partial(current_path, state)
        )
        transport = AccessTokenTransport(
            self._allowed_list,
            get_access_token,
            self._pool,
            refresh_access_token=get_access_token,
            observers=self._observers(state, ref, sub),
        )
        return build_client(transport, base_url=self._base_url)

    def _observers(self, state: rx.State, ref: str | None, sub: str | None) -> list[Observer]:
        """The observers that are on now. Without any, no request is described."""
        observers = [] if self._on_request is None else [self._on_request]
        if self._telemetry is not None and self._telemetry.has_provider():
            observers.append(self._telemetry.observe)
        if is_log_enabled():
            observers.append(log_request)
        if self._inspection is not None:
            observers.append(self._inspection.observer(state))
        if self._audit.has_hooks:
            observers.append(audit_requests(self._audit, sub, ref))
        return observers
