"""Builds the HTTP clients that act for a user: of a tab, of a request, or of neither."""

from __future__ import annotations

import functools
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Protocol

import httpx
import reflex as rx

from .audit import AuditTrail
from .dpop import Nonces
from .flows.access_tokens import TokenRequest
from .interceptor import (
    ANY_PROVIDER,
    AccessTokenTransport,
    AllowedList,
    CertifiedPools,
    HttpInterceptorConfig,
    Observer,
    OpenTelemetry,
    RequestEvent,
    TokenOptions,
    audit_requests,
    build_client,
    check_providers,
    is_log_enabled,
    log_request,
)
from .reflex.navigation import current_path
from .reflex.request_inspector import Inspection


def token_request(options: TokenOptions, refused: str | None = None) -> TokenRequest:
    """Return what the flows need to know about the wanted token."""
    provider = None if options.provider == ANY_PROVIDER else options.provider
    return TokenRequest(options.audience, options.scope, refused, provider, options.dpop)


class GetAccessToken(Protocol):
    """Returns an access token of a session. With `refused`, a new one in place of that token."""

    def __call__(
        self,
        session_id_hash: str | None,
        page: Callable[[], str],
        options: TokenOptions,
        refused: str | None = None,
    ) -> Awaitable[str]:
        """`page` returns the path to return to if the user has to log in."""
        ...


class ActsFor(Protocol):
    """Whose requests a client sends. Both may be None until it has got its first token."""

    @property
    def session_id_hash(self) -> str | None:
        """The key of the session in the store."""

    @property
    def sub(self) -> str | None:
        """The user's."""


@dataclass(frozen=True, slots=True)
class _Tab:
    session_id_hash: str | None
    sub: str | None


class HttpClients:
    """`providers` are the names of several login providers.

    Raises `ConfigError` if the allowed list has invalid entries; the error names them all.
    """

    def __init__(
        self,
        config: HttpInterceptorConfig,
        pool: httpx.AsyncBaseTransport,
        get_access_token: GetAccessToken,
        audit: AuditTrail,
        *,
        inspection: Inspection | None,
        on_request: Observer | None,
        providers: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.allowed_list = AllowedList(config.allowed_list, base_url=config.base_url)
        self.entries = config.allowed_list
        check_providers(config.allowed_list, providers)
        self._base_url = config.base_url
        self._pool = pool
        self._get_access_token = get_access_token
        self._audit = audit
        self._inspection = inspection
        self._on_request = on_request
        self._clock = clock
        self._nonces = Nonces()
        self._with_token = CertifiedPools(pool, config.client_certificates)
        self._telemetry = OpenTelemetry.if_installed()

    async def aclose(self) -> None:
        """Close the connections with a client certificate."""
        await self._with_token.aclose()

    def of(
        self, state: rx.State, session_id_hash: str | None, sub: str | None
    ) -> httpx.AsyncClient:
        """Return a client for the user of this tab. `sub` is the user's."""
        get_access_token = functools.partial(
            self._get_access_token, session_id_hash, functools.partial(current_path, state)
        )
        observers = self._observers(_Tab(session_id_hash, sub))
        if self._inspection is not None:
            observers.append(self._inspection.observer(state))
        return self._client(get_access_token, observers)

    def without_tab(
        self,
        get_access_token: Callable[..., Awaitable[str]],
        acts_for: ActsFor,
        *,
        is_inspected: bool = False,
    ) -> httpx.AsyncClient:
        """Return a client whose tokens come from `get_access_token(options, refused=None)`. With
        `is_inspected`, the inspector in the user's tabs shows its requests."""
        observers = self._observers(acts_for)
        if is_inspected and self._inspection is not None and acts_for.session_id_hash:
            observers.append(self._inspection.observer_of(acts_for.session_id_hash))
        return self._client(get_access_token, observers)

    def of_opening_tab(self, session_id_hash: str | None, sub: str | None) -> httpx.AsyncClient:
        """Return a client for the user of a tab whose page is not known yet. The inspector lists
        its requests, but is not told of them."""
        get_access_token = functools.partial(self._get_access_token, session_id_hash, _no_page)
        observers = self._observers(_Tab(session_id_hash, sub))
        if self._inspection is not None and session_id_hash is not None:
            observers.append(self._inspection.quiet_observer_of(session_id_hash))
        return self._client(get_access_token, observers)

    def _client(
        self, get_access_token: Callable[..., Awaitable[str]], observers: list[Observer]
    ) -> httpx.AsyncClient:
        transport = AccessTokenTransport(
            self.allowed_list,
            get_access_token,
            self._pool,
            refresh_access_token=get_access_token,
            observers=observers,
            with_token=self._with_token,
            nonces=self._nonces,
            clock=self._clock,
        )
        return build_client(transport, base_url=self._base_url)

    def _observers(self, acts_for: ActsFor) -> list[Observer]:
        """The observers that are enabled now. Without any, requests cost no events."""
        observers = [] if self._on_request is None else [self._on_request]
        if self._telemetry is not None and self._telemetry.has_provider():
            observers.append(self._telemetry.observe)
        if is_log_enabled():
            observers.append(log_request)
        if self._audit.has_hooks:
            observers.append(functools.partial(self._audited, acts_for))
        return observers

    def _audited(self, acts_for: ActsFor, event: RequestEvent) -> None:
        audit_requests(self._audit, acts_for.sub, acts_for.session_id_hash)(event)


def _no_page() -> str:
    """Where a login returns to, until the page is known."""
    return "/"
