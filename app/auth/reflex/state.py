"""The states: what pages may read about the user, and the base of what belongs to the user."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import reflex as rx
from reflex.event import EventSpec

from ..access.policy import ANONYMOUS, PUBLIC, Decision, Denial
from ..session import Session
from .access_rules import mark
from .navigation import LoginUrl, go_to_login, path_of
from .socket import root_of


class AuthState(rx.State):
    """Who is signed in, as Auth0's AuthService tells it. Written by the binding on every event.

    Only for showing: a handler that acts for the user is guarded with `auth.require_login`.
    """

    is_loading: bool = True
    is_authenticated: bool = False
    user: dict[str, Any] | None = None
    error: str = ""

    entered: dict[str, str] = {}

    _rules: list[str] = []  # of the pages with checks that this tab has been to

    _login_url: ClassVar[LoginUrl]
    _load_session: ClassVar[Callable[[Any], Awaitable[Session | None]]]
    _decide: ClassVar[Callable[[Session | None, str], Awaitable[Decision | None]]]
    _record: ClassVar[Callable[[Any, Decision], None]]

    @rx.var
    def login_url(self) -> str:
        """The link that logs in and comes back to the page it is on."""
        return type(self)._login_url(path_of(self.router.url))

    @rx.event
    def require_login(self) -> EventSpec | None:
        """On a guarded page's load: nobody is signed in, so on to the login and back here."""
        if self.is_authenticated or self.error:
            return None
        type(self)._record(self, ANONYMOUS)
        return go_to_login(self, type(self)._login_url)

    @rx.event
    async def enter(self, rule: str) -> EventSpec | None:
        """On a load of a page that has checks: remember what it is to show."""
        if not self.is_authenticated:
            return self.require_login()  # type: ignore[operator]
        if not isinstance(rule, str):  # whatever a client may send
            return None
        decision = await type(self)._decide(await type(self)._load_session(self), rule)
        if decision is None:
            return None
        type(self)._record(self, decision)
        if decision.denial is Denial.STEP_UP_REQUIRED:
            return go_to_login(self, type(self)._login_url, **decision.login_parameters)
        self._rules = [*dict.fromkeys((*self._rules, rule))]
        self.entered[rule] = _shown(decision)
        return None

    async def _enter_as_another(self, session: Session | None) -> None:
        """Whoever is there now may see other pages of those that this tab has been to."""
        rules = self._rules if session else []
        self.entered = {rule: _shown(await type(self)._decide(session, rule)) for rule in rules}

    @rx.event
    def refresh(self) -> None:
        """Do nothing: the binding, which runs before every event, has already done it."""


def _shown(decision: Decision | None) -> str:
    """What a page shows; None is for a rule that no page has."""
    return "forbidden" if decision is None or decision.denial else "allowed"


class UserScopedState(rx.State):
    """Base of a page's State whose variables belong to the signed-in user.

    When the user goes or changes, every variable returns to its default and the browser is told,
    before any handler runs for the next one.
    """


mark(AuthState, PUBLIC)


def sub_of(state: rx.State) -> str | None:
    """The `sub` of a tab's user, as the last event found it; for the record only."""
    auth_state = root_of(state).substates.get(AuthState.get_name())
    user = auth_state.user if isinstance(auth_state, AuthState) else None
    return user.get("sub") if user else None
