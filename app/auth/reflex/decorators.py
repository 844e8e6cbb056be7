"""The decorators of AuthService, which an app's modules use while they load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import reflex as rx
from reflex.state import BaseState

from ..access.checks import as_check
from ..access.policy import PUBLIC, Check, Predicate, Rule
from .access_rules import mark, mark_variables
from .carry_over import mark_carry_over

Target = TypeVar("Target")
StateClass = TypeVar("StateClass", bound=type[BaseState])
Checks = Sequence[Predicate | Check]


class AccessDecorators:
    """Each decorator stores its mark on its target, so this class has no state."""

    def public(self, target: Target) -> Target:
        """Mark a page, an event handler, a State or a computed variable as public.

        Put it below `@rx.event` and `@rx.var`, and above a State's `class`.
        """
        return mark(target, PUBLIC)

    def require(self, *predicates: Predicate | Check) -> Callable[[Target], Target]:
        """Mark a page, an event handler, a State or a computed variable as for signed-in users who
        meet every check. A check comes with the layer (`has_scope`, `has_role`, ...) or is a
        function of a `Principal`, sync or async. A check that raises denies access."""
        rule = Rule(checks=tuple(as_check(predicate) for predicate in predicates))
        return lambda target: mark(target, rule)

    def require_for(
        self, state: type[rx.State], *names: str, public: bool = False, checks: Checks = ()
    ) -> None:
        """Mark single variables of a State, after its definition. Raises `TypeError` if the State
        has no such variable."""
        rule = PUBLIC if public else Rule(checks=tuple(as_check(check) for check in checks))
        mark_variables(state, dict.fromkeys(names, rule))

    def carry_over(self, state: StateClass) -> StateClass:
        """Mark a State (a cart, a draft) whose values move to the user at login, once. The State of
        the signed-out tab is then reset."""
        return mark_carry_over(state)
