"""Guards for pages and event handlers, like `AuthGuard` in the Angular SDK."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

import reflex as rx
from reflex.state import BaseState

from ..access.policy import SIGNED_IN, Rule
from ..errors import StoreUnavailable
from ..texts import AuthTexts
from ..user import User
from .access_rules import mark, mark_of
from .navigation import LoginUrl, go_to_login
from .pages import Views
from .state import AuthState

logger = logging.getLogger(__name__)

State = TypeVar("State", bound=BaseState)
Arguments = ParamSpec("Arguments")
CurrentUser = Callable[[Any], Awaitable[User | None]]
Page = Callable[[], rx.Component]
Handler = Callable[Concatenate[State, Arguments], Any]
GuardedHandler = Callable[Concatenate[State, Arguments], Coroutine[Any, Any, Any]]

_IS_GUARDED = "_auth_is_guarded"


def guard_handler(
    handler: Handler[State, Arguments],
    current_user: CurrentUser,
    login_url: LoginUrl,
    rule: Rule = SIGNED_IN,
) -> GuardedHandler[State, Arguments]:
    """Guard an event handler: it runs only with a session, else the browser goes to the login.

    Each call looks up the session in the store. While the store is unavailable, the handler does
    not run; `AuthState.error` says why. Works for plain, async, generator and background handlers.
    Put `@rx.event` above it. `rule` is its rule, unless it is marked with another.
    """

    @functools.wraps(handler)
    async def guarded(self: State, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Any:
        try:
            user = await current_user(self)
        except StoreUnavailable as error:
            logger.warning("%s did not run: %s", handler.__qualname__, error.code)
            return None
        if user is None:
            return go_to_login(self, login_url)
        # A generator is returned as it is: Reflex iterates it.
        result = handler(self, *args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    return mark(guarded, mark_of(handler) or rule)


def guard_page(page: Page, views: Views | None = None, rule: Rule = SIGNED_IN) -> Page:
    """Guard a page: it is shown only with a session, else the browser goes to the login. If the
    session ends while the page is open, a login link replaces the view. `views` are what is shown
    in place of the page. `rule` is its rule, unless it is marked with another.

    This is presentation only. The page's handlers need guards of their own.
    """

    rule = mark_of(page) or rule
    views = views or Views(AuthTexts())

    @functools.wraps(page)
    def guarded() -> rx.Component:
        allowed = _if_allowed(page, rule, views)
        view = rx.cond(AuthState.is_authenticated, allowed, views.signed_out())
        return rx.el.div(
            rx.cond(AuthState.is_loading, views.waiting_page(), view),
            on_mount=_entering(rule),
        )

    # In `__dict__`, which functools.wraps copies to a function that wraps this page.
    guarded.__dict__[_IS_GUARDED] = True
    return mark(guarded, rule)


def with_silent_login(page: Page) -> Page:
    """A public page that logs a user in silently when it is shown."""

    @functools.wraps(page)
    def view() -> rx.Component:
        return rx.fragment(page(), on_mount=AuthState.silent_login)

    return view


def with_owner(page: Page) -> Page:
    """The page with a mark of whom this tab shows: the tag of a user, `visitor`, or nothing until
    that is known. kept-forms.js reads it. React moves the element to the head of the document."""

    @functools.wraps(page)
    def marked() -> rx.Component:
        content: Any = page()
        parts = content if isinstance(content, tuple | list) else (content,)
        is_known = ~AuthState.is_loading & (AuthState.error == "")
        tag = rx.cond(AuthState.is_authenticated, AuthState.tab_storage_owner, "visitor")
        return rx.fragment(
            *parts, rx.el.meta(name="auth-owner", content=rx.cond(is_known, tag, ""))
        )

    return marked


def is_guarded_page(page: Any) -> bool:
    """Whether `guard_page` has made this page, or a function that wraps it."""
    return _IS_GUARDED in getattr(page, "__dict__", {})


def _entering(rule: Rule, *, again: bool = False) -> Any:
    authorize: Any = AuthState.authorize_page
    return authorize(rule.key, again) if rule.checks else AuthState.require_login


def _if_allowed(page: Page, rule: Rule, views: Views) -> rx.Component | rx.Var[Any]:
    """The page or, for a signed-in user who fails a check, what to do about it."""
    if not rule.checks:
        return page()
    return rx.match(
        AuthState.page_access[rule.key],
        ("allowed", page()),
        ("forbidden", views.forbidden()),
        ("step_up", views.step_up(_entering(rule, again=True))),
        ("step_up_failed", views.step_up_failed(_entering(rule, again=True))),
        views.waiting_page(),
    )
