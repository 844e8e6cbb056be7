"""The states: what pages may read about the user, and the base of what belongs to the user."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import reflex as rx
from reflex.event import EventSpec

from ..access.policy import ANONYMOUS, PUBLIC, Decision, Denial
from .access_rules import mark
from .navigation import LoginUrl, go_to_login, path_of


class AuthState(rx.State):
    """Who is signed in, as Auth0's AuthService tells it. The session middleware writes it.

    Only for showing: a handler that acts for the user is guarded with `auth.require_login`.
    """

    is_loading: bool = True
    is_authenticated: bool = False
    user: dict[str, Any] | None = None
    error: str = ""

    page_access: dict[str, str] = {}
    """Of each page that has checks, by the key of its rule: `allowed`, `step_up` or `forbidden`."""

    _has_carried_over: bool = False

    _login_url: ClassVar[LoginUrl]
    _decide: ClassVar[Callable[[rx.State, str], Awaitable[Decision | None]]]
    _record: ClassVar[Callable[[rx.State, Decision], None]]

    @rx.var
    def login_url(self) -> str:
        """The link that logs in and comes back to the page it is on."""
        return type(self)._login_url(path_of(self.router.url))

    @rx.event
    def require_login(self) -> EventSpec | None:
        """On a guarded page's load: where no user is signed in, on to the login and back here."""
        if self.is_authenticated or self.error:
            return None
        type(self)._record(self, ANONYMOUS)
        return go_to_login(self, type(self)._login_url)

    @rx.event
    async def authorize_page(self, rule: str) -> EventSpec | None:
        """On the load of a page with checks: decide again, and log in again where that helps."""
        if not self.is_authenticated:
            return self.require_login()  # type: ignore[operator]
        decision = await type(self)._decide(self, rule)
        if decision is None:  # a client made the rule up
            return None
        type(self)._record(self, decision)
        self.page_access[rule] = shown_as(decision)
        if decision.denial is Denial.STEP_UP_REQUIRED:
            return go_to_login(self, type(self)._login_url, **decision.login_parameters)
        return None

    @rx.event
    def acknowledge(self) -> None:
        """Do nothing: the page sends it back when it has got the state of another login."""

    @rx.event
    def refresh(self) -> None:
        """Do nothing: the session middleware runs before every event, and looks at the session."""


def shown_as(decision: Decision) -> str:
    """What a page shows."""
    match decision.denial:
        case None:
            return "allowed"
        case Denial.STEP_UP_REQUIRED:
            return "step_up"
        case _:
            return "forbidden"


class UserScopedState(rx.State):
    """Base of a page's State whose variables belong to the signed-in user.

    Every State's values end with the login that they were made under, since a state tree belongs to
    one login. This base says so where it matters.
    """


mark(AuthState, PUBLIC)
