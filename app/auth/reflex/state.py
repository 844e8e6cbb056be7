"""AuthState, which pages read, and the base of States that belong to the user."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, overload

import reflex as rx
from reflex.event import EventSpec
from reflex.state import BaseState
from reflex.vars import ObjectVar

from ..access.policy import ANONYMOUS, PUBLIC, Decision, Denial
from ..errors import StoreUnavailable
from ..flows.login_link import is_route
from ..texts import AuthTexts
from ..user import User
from .access_rules import mark
from .navigation import LoginUrl, go_to_login, log_in_silently, path_of

if TYPE_CHECKING:

    class UserVar(ObjectVar[dict[str, Any]]):
        """`AuthState.user` in a page. A claim is an untyped `Var`; convert it with `.to(str)`."""

        def __getitem__(self, key: Any) -> rx.Var[Any]: ...  # type: ignore[override]
        def __getattr__(self, name: str) -> rx.Var[Any]: ...  # type: ignore[override]

    class UserField:
        """`AuthState.user`: a `UserVar` of the class, and a `User` of an instance."""

        @overload
        def __get__(self, instance: None, owner: Any) -> UserVar: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> User | None: ...
        def __get__(self, instance: object, owner: Any) -> UserVar | User | None: ...
        def __set__(self, instance: object, value: User | None) -> None: ...


class AuthState(rx.State):
    """The signed-in user, as in Auth0's AuthService. The session middleware writes it.

    For display only: guard a handler that acts for the user with `auth.require_login`.

    `is_loading` is true until the session of a new tab has been looked up, `is_authenticated` says
    whether a user is signed in, and `user` holds the public claims (None without a user). In a
    page, `AuthState.user["name"]` takes any of them. `error` is a text for the user, or empty: the
    session cannot be read at the moment.
    """

    is_loading: bool = True
    is_authenticated: bool = False
    if TYPE_CHECKING:
        user: UserField
    else:
        # Not `User`: of a TypedDict, Reflex refuses a key that is not declared, such as
        # `user["https://example.com/roles"]` in a page.
        user: dict[str, Any] | None = None
    provider: str = ""
    """The name of the provider of the session; empty if the app has one, or no user is signed in.
    With several, it tells whose `sub` it is."""
    error: str = ""
    expires_at: int = 0
    """When the session ends if this tab does nothing more: epoch seconds by the server's clock, 0
    without a session. Another tab may use the session meanwhile; `auth.expiry_warning()` asks."""
    ends_at: int = 0
    """When the session ends however much it is used."""

    page_access: dict[str, str] = {}
    """`allowed`, `step_up`, `step_up_failed` or `forbidden` for each page with checks, by the key
    of its rule."""

    tree_id: str = ""
    """A random name of this state tree, by which drafts.js knows that the tab has another one."""

    # Tags for `ClientStorage`. Here, since each State of a tab is one more file to write.
    storage_owner: str = rx.LocalStorage("", name="auth_storage_owner")
    """The tag of the user who owns the values in the storage that all tabs of the browser share."""
    tab_storage_owner: str = rx.SessionStorage("", name="auth_storage_owner")
    """The same, for the storage of this tab."""
    login_tag: str = rx.SessionStorage("", name="auth_login")
    """The tag of the login whose state tree this tab showed last."""

    _has_carried_over: bool = False

    # The keys of rules for which the browser went to the login by itself. It goes once: if the user
    # comes back and still fails the check, the page says so, and the user decides.
    _stepped_up: set[str] = set()

    # Set when the layer is installed: Reflex itself creates the instances of States.
    _texts: ClassVar[AuthTexts] = AuthTexts()
    _login_url: ClassVar[LoginUrl]
    _decide: ClassVar[Callable[[rx.State, str], Awaitable[Decision | None]]]
    _record: ClassVar[Callable[[rx.State, Decision], None]]
    _connected_at: ClassVar[Callable[[rx.State], str]]
    _may_log_in_silently: ClassVar[Callable[[rx.State], bool]]
    _extend: ClassVar[Callable[[rx.State], Awaitable[tuple[int, int]]]]

    @rx.var
    def login_url(self) -> str:
        """The link that logs in and returns to this page."""
        return type(self)._login_url(path_of(self.router.url))

    @rx.var
    def language(self) -> str:
        """The language of the layer's texts: the one of `AuthTexts` that the browser prefers."""
        return type(self)._texts.choose(self.router.headers.accept_language)

    @rx.event
    def require_login(self) -> EventSpec | None:
        """Runs when a guarded page loads: without a user, go to the login and return here.

        Not from an address of this layer's own routes: if the page server answers there, the login
        is not reachable, and the browser would come back for ever.
        """
        if self.is_authenticated or self.error or is_route(path_of(self.router.url)):
            return None
        type(self)._record(self, ANONYMOUS)
        connected_at = type(self)._connected_at(self)
        return go_to_login(self, type(self)._login_url, connected_at=connected_at)

    @rx.event
    def silent_login(self) -> EventSpec | None:
        """Runs when a public page loads: without a user, ask the provider for one, and return."""
        if self.is_authenticated or self.error or not type(self)._may_log_in_silently(self):
            return None
        return log_in_silently(self, type(self)._login_url)

    @rx.event
    async def authorize_page(self, rule: str, again: bool = False) -> EventSpec | None:
        """Runs when a page with checks loads: decide again, and step up if that helps. If that has
        been tried, the page offers it: `again` is the user's click."""
        if not self.is_authenticated:
            return self.require_login()  # type: ignore[operator]
        decision = await type(self)._decide(self, rule)
        if decision is None:  # a client sent a rule that no page has
            return None
        type(self)._record(self, decision)
        if decision.denial is not Denial.STEP_UP_REQUIRED:
            self._stepped_up.discard(rule)
        self.page_access[rule] = self._shown_as(rule, decision)
        if decision.denial is Denial.STEP_UP_REQUIRED and (again or rule not in self._stepped_up):
            self._stepped_up.add(rule)
            return go_to_login(self, type(self)._login_url, **decision.login_parameters)
        return None

    def _shown_as(self, rule: str, decision: Decision) -> str:
        """The value of `page_access` for a decision."""
        match decision.denial:
            case None:
                return "allowed"
            case Denial.STEP_UP_REQUIRED:
                return "step_up_failed" if rule in self._stepped_up else "step_up"
            case _:
                return "forbidden"

    @rx.event
    def acknowledge(self) -> None:
        """Do nothing. The page sends this event when it has the state of its new login."""

    @rx.event
    async def stay_signed_in(self) -> None:
        """Let the session count as used now, and update `expires_at`."""
        # While the store cannot be used, both stay; the session may end.
        with contextlib.suppress(StoreUnavailable):
            self.expires_at, self.ends_at = await type(self)._extend(self)

    @rx.event
    def give_drafts(self) -> EventSpec:
        """Answer drafts.js once the events that the page sent before have been handled."""
        return rx.call_script("globalThis.reflexOidc?.giveDrafts()")

    @rx.event
    def refresh(self) -> None:
        """Do nothing. The session middleware, which runs before every event, updates this State."""


def text_for(state: BaseState, texts: AuthTexts, key: str) -> str:
    """A text in the language of the browser that a state belongs to."""
    return texts.text(key, texts.choose(state.router.headers.accept_language))


class UserScopedState(rx.State):
    """Base of a page's State whose variables belong to the signed-in user.

    A state tree belongs to one login, so the values of any State end with the login. This base
    class makes that visible where it matters.
    """


mark(AuthState, PUBLIC)
