"""The decorators of AuthService, which an app's modules use while they load."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

import reflex as rx
from reflex.state import BaseState

from ..access.checks import rule_of
from ..access.policy import PUBLIC, Requirement, Rule
from ..user import User
from .access_rules import mark, mark_variables
from .carry_over import mark_carry_over
from .guard import (
    Arguments,
    GuardedHandler,
    Handler,
    Page,
    State,
    guard_handler,
    guard_page,
)
from .navigation import LoginUrl
from .pages import Views
from .payloads import require_arguments
from .replay import mark_replayed

Target = TypeVar("Target")
StateClass = TypeVar("StateClass", bound=type[BaseState])
Checks = Sequence[Requirement]


class AccessDecorators:
    """Each decorator stores its mark on its target, so this class has no state."""

    def public(self, target: Target) -> Target:
        """Mark a page, an event handler, a State or a computed variable as public.

        Put it below `@rx.event` and `@rx.var`, and above a State's `class`.
        """
        return mark(target, PUBLIC)

    def require(self, *predicates: Requirement) -> Callable[[Target], Target]:
        """Mark a page, an event handler, a State or a computed variable as for signed-in users who
        meet every check. A check comes with the layer (`has_scope`, `has_role`, ...) or is a
        function of a `Principal`, sync or async. A check that raises denies access.

        The check of an event handler may also take the handler's arguments by their names, and
        `state`, the handler's State: `def owns(viewer, state, order_id)`. It must not change them.

        Raises:
            TypeError: a check takes an argument that the target does not have.
        """
        rule = rule_of(predicates)

        def marked(target: Target) -> Target:
            require_arguments(rule, target)
            return mark(target, rule)

        return marked

    def require_for(
        self, state: type[rx.State], *names: str, public: bool = False, checks: Checks = ()
    ) -> None:
        """Mark single variables of a State, after its definition. Raises `TypeError` if the State
        has no such variable, or if a check takes arguments."""
        rule = PUBLIC if public else rule_of(checks)
        mark_variables(state, dict.fromkeys(names, rule))

    def carry_over(self, state: StateClass) -> StateClass:
        """Mark a State (a cart, a draft) whose values move to the user at login, once. The State of
        the signed-out tab is then reset."""
        return mark_carry_over(state)


class LoginDecorator:
    """A part of AuthService, which has these methods, and `views`: the default pages."""

    views: Views
    _login_rule: Rule

    if TYPE_CHECKING:
        login_url: LoginUrl

        async def get_user(self, state: rx.State) -> User | None: ...

    @overload
    def require_login(self, target: Page) -> Page: ...

    @overload
    def require_login(
        self, target: Handler[State, Arguments]
    ) -> GuardedHandler[State, Arguments]: ...

    @overload
    def require_login(
        self, *, replay: bool = ...
    ) -> Callable[[Handler[State, Arguments]], GuardedHandler[State, Arguments]]: ...

    def require_login(
        self, target: Callable[..., Any] | None = None, *, replay: bool = False
    ) -> Callable[..., Any]:
        """Guard a page (a function without parameters) or an event handler (one with `self`): when
        no user is signed in, the browser goes to the login and returns. A guarded handler is async.
        Put it below `@rx.page` and `@rx.event`.

        With `replay`, what a visitor clicked is done after the login: the handler runs with the
        same arguments (at most 8 KiB of JSON) in the tab that comes back, once, if its rule allows
        it to the user who has logged in.

        Raises:
            TypeError: `replay` is for a page, or for a handler that takes uploaded files.
        """
        if target is None:
            return functools.partial(self._require_login, replay=replay)
        return self._require_login(target, replay=replay)

    def _require_login(self, target: Callable[..., Any], *, replay: bool) -> Callable[..., Any]:
        if replay:
            mark_replayed(target)
        # A page has no parameters, a handler has `self`.
        if not inspect.signature(target).parameters:
            return guard_page(target, self.views, self._login_rule)
        return guard_handler(target, self.get_user, self.login_url, self._login_rule)
