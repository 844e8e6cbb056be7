"""Access of an app: the marks, the gate, what is withheld, and the pages, put together."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

import reflex as rx

from ..access.policy import Decision, Rule, decide_for
from ..access.record import record_access
from ..audit import AuditTrail
from ..flows.return_to import page_of
from ..session import Session, SessionStore
from .access_gate import AccessGate
from .access_report import Reach, surface
from .access_rules import AccessRules, default_rule
from .connections import Connections
from .delta_filter import Withholding
from .guard import guard_page, is_guarded_page
from .navigation import LoginUrl, current_path
from .state import AuthState

LoadSession = Callable[[Any], Awaitable[Session | None]]


class Access:
    """With `is_secure_by_default`, what nobody has marked is for signed-in users."""

    def __init__(
        self,
        store: SessionStore,
        login_url: LoginUrl,
        audit: AuditTrail,
        connections: Connections,
        *,
        is_secure_by_default: bool,
        clock: Callable[[], float],
    ) -> None:
        self.rules = AccessRules(default_rule(is_secure=is_secure_by_default))
        self.gate = AccessGate(self.rules, login_url, audit, clock=clock)
        self._withholding = Withholding(self.rules, store, connections, clock=clock)
        self._audit = audit
        self._connections = connections
        self._clock = clock
        self._page_rules: dict[str, Rule] = {}

    def install(self, app: rx.App, load_session: LoadSession) -> None:
        """Guard the pages that the app has and those that it is going to have."""

        async def decide(session: Session | None, key: str) -> Decision | None:
            rule = self._page_rules.get(key)
            return await decide_for(rule, session, self._clock) if rule else None

        def record(state: Any, decision: Decision) -> None:
            page = page_of(current_path(state))
            sub, ref = (state.user or {}).get("sub"), self._connections.reference_of_state(state)
            record_access(self._audit, decision, sub=sub, ref=ref, target=page)

        AuthState._load_session, AuthState._decide = load_session, decide
        AuthState._record = record
        add_page = app.add_page
        for route, page in app._unevaluated_pages.items():
            guarded = self._guarded(page.component)
            app._unevaluated_pages[route] = dataclasses.replace(page, component=guarded)

        def add_guarded(component: Any = None, *args: Any, **kwargs: Any) -> None:
            add_page(self._guarded(component), *args, **kwargs)

        app.add_page = add_guarded  # type: ignore[method-assign]

    def start(self, app: rx.App) -> None:
        """Begin, once the app runs."""
        self.gate.start()
        self._withholding.install(app)

    def surface(self, app: rx.App) -> list[Reach]:
        """Every page, handler and variable, with who may reach it."""
        return surface(app, self.rules)

    def _guarded(self, page: Any) -> Any:
        rule = self.rules.of_page(page)
        self._page_rules[rule.key] = rule
        if rule.is_public or is_guarded_page(page):
            return page
        return guard_page(page if callable(page) else lambda: page)
