"""Marks pages, handlers, States and variables with access rules, and finds the rule of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from reflex.istate import dynamic
from reflex.state import BaseState, EventHandlerSetVar
from reflex_base.constants import SETTER_PREFIX
from reflex_base.event import EventHandler
from reflex_base.registry import RegisteredEventHandler, RegistrationContext

from ..access.checks import rule_of
from ..access.policy import PUBLIC, SIGNED_IN, Requirement, Rule
from ..errors import ConfigError

Target = TypeVar("Target")
_MARK = "_auth_rule"
_VARIABLES = "_auth_variable_rules"
_REFLEX = frozenset({"reflex", "reflex_base"})  # its packages that define States


def mark(target: Target, rule: Rule) -> Target:
    """Mark a page function, an event handler or a State class, and return it."""
    setattr(target, _MARK, rule)
    return target


def mark_of(target: Any) -> Rule | None:
    """The rule that a page function or a handler itself is marked with, or None."""
    rule = getattr(target, _MARK, None)
    return rule if isinstance(rule, Rule) else None


def mark_variables(state: type[BaseState], rules: dict[str, Rule]) -> None:
    """Mark variables of a State by their names.

    Raises:
        TypeError: the State has no such variable, or a check takes arguments.
    """
    for name, rule in rules.items():
        rule.require_parameters((), f"the variable {state.__name__}.{name}")
    unknown = rules.keys() - state.vars.keys() - state.get_fields().keys()
    if unknown:
        raise TypeError(f"{state.__name__} has no variable {', '.join(sorted(unknown))}.")
    # `vars`, not `getattr`: the marks of a parent State must not change.
    setattr(state, _VARIABLES, {**vars(state).get(_VARIABLES, {}), **rules})


class AccessRules:
    """Finds the rule of a page, handler or variable, once every State is defined.

    The nearest mark counts: that of the handler or variable, then of its State, then of the States
    that this one inherits from; else `default`. What Reflex itself defines is public: without it,
    no page would load.
    """

    def __init__(self, default: Rule) -> None:
        self._default = default
        self.known_handlers: dict[str, Rule] = {}
        self._variables: dict[tuple[str, str], Rule] = {}

    def of_handler(self, name: str, registered: RegisteredEventHandler) -> Rule:
        """The rule of an event handler by its full name."""
        rule = self.known_handlers.get(name)
        if rule is None:
            rule = mark_of(registered.handler.fn) or self._rule_without_mark(registered)
            self.known_handlers[name] = rule
        return rule

    def of_variable(self, state: type[BaseState], name: str) -> Rule:
        """The rule of a base or computed variable by its plain name.

        Raises:
            TypeError: a check takes arguments, which a variable does not have.
        """
        key = (state.get_full_name(), name)
        rule = self._variables.get(key)
        if rule is None:
            rule = self._own_rule_of_variable(state, name) or self.of_state(state)
            rule.require_parameters((), f"the variable {state.__name__}.{name}")
            self._variables[key] = rule
        return rule

    def of_state(self, state: type[BaseState]) -> Rule:
        """The rule for members of a State that have no rule of their own."""
        for base in state.__mro__:
            if is_reflexs(base):
                return PUBLIC if base is state else self._default
            rule = vars(base).get(_MARK)
            if isinstance(rule, Rule):
                return rule
        return self._default

    def of_page(self, page: Any) -> Rule:
        """The rule of a page function."""
        return mark_of(page) or self._default

    def _rule_without_mark(self, registered: RegisteredEventHandler) -> Rule:
        """The rule of the State or, for a setter that Reflex generated, of its variable."""
        state, fn = registered.states[0], registered.handler.fn
        variable = fn.__qualname__.removeprefix(SETTER_PREFIX)
        if _is_of_reflex(fn.__module__) and variable in state.base_vars and not is_reflexs(state):
            return self.of_variable(state, variable)
        return self.of_state(state)

    def _own_rule_of_variable(self, state: type[BaseState], name: str) -> Rule | None:
        for base in state.__mro__:
            rule = vars(base).get(_VARIABLES, {}).get(name)
            if isinstance(rule, Rule):
                return rule
        # A computed variable is marked on its function.
        computed = state.computed_vars.get(name)
        return mark_of(getattr(computed, "fget", None))


def is_setvar(registered: RegisteredEventHandler) -> bool:
    """Whether a handler is Reflex's `setvar`. Every State has one; it calls the setter that the
    payload names (`set_<var_name>`)."""
    return isinstance(registered.handler, EventHandlerSetVar)


def setter_of(registered: RegisteredEventHandler, var_name: Any) -> str | None:
    """The full name of the event handler that a `setvar` calls; None if there is none."""
    if not isinstance(var_name, str):
        return None
    handler = getattr(registered.states[0], SETTER_PREFIX + var_name, None)
    if not isinstance(handler, EventHandler):
        return None
    name = f"{handler.state_full_name}.{SETTER_PREFIX}{var_name}"
    return name if name in RegistrationContext.get().event_handlers else None


def is_of_app(event_name: str) -> bool:
    """Whether an event handler belongs to the app, not to Reflex or this layer."""
    registered = RegistrationContext.get().event_handlers.get(event_name)
    if registered is None or is_reflexs(registered.states[0]):
        return False
    return not registered.states[0].__module__.startswith(f"{__package__}.")


def is_reflexs(cls: type) -> bool:
    """Whether Reflex itself defines a class."""
    return cls is object or _is_of_reflex(cls.__module__)


def _is_of_reflex(module: str) -> bool:
    """Whether a module is Reflex's. A package `reflex_x` is not, nor is the module in which
    Reflex defines a `ComponentState`, or a State that is defined in a function."""
    return module.partition(".")[0] in _REFLEX and module != dynamic.__name__


def default_rule(checks: Sequence[Requirement], *, is_secure: bool) -> Rule:
    """The rule for pages, handlers and variables without a mark.

    Raises:
        ConfigError: there are checks, but the default is public; or a check takes arguments.
    """
    if not checks:
        return SIGNED_IN if is_secure else PUBLIC
    if not is_secure:
        raise ConfigError("default_check needs secure_by_default: without it, pages are public.")
    rule = rule_of(checks)
    try:
        rule.require_parameters((), "what has no mark")
    except TypeError as error:
        raise ConfigError(f"default_check: {error}") from None
    return rule
