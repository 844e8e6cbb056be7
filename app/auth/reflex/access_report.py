"""The surface report: every page, event handler, variable and HTTP route, and the rule for each;
and every entry of the allowed list, with the token that it attaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.state import BaseState
from reflex_base.constants import SETTER_PREFIX
from reflex_base.registry import RegisteredEventHandler, RegistrationContext
from starlette.applications import Starlette
from starlette.routing import Mount

from ..access.policy import PUBLIC, Rule
from ..interceptor import AllowedRoute
from .access_rules import AccessRules, is_reflexs, is_setvar, mark_of, setter_of
from .reflex_seam import pages_of
from .replay import is_replayed


@dataclass(frozen=True, slots=True, order=True)
class AccessEntry:
    """A page, handler, variable or route (`kind`), and the rule for access to it. Or an entry of
    the allowed list (`outgoing`), by its place in the list, and the token that it attaches."""

    kind: str
    name: str
    rule: str


def surface(
    app: rx.App, rules: AccessRules, dependencies: Sequence[tuple[Callable[..., Any], Rule]] = ()
) -> list[AccessEntry]:
    """Return the entries of an app, without those that Reflex itself defines.

    `dependencies` are functions that guard an endpoint of FastAPI as a dependency. Of the app's
    `api_transformer`, only Starlette and FastAPI apps say which routes they have.
    """
    routes = _routes(_transformers(app), dependencies)
    return sorted([*_pages(app, rules), *_handlers(rules), *_variables(rules), *routes])


def outgoing(entries: Sequence[str | AllowedRoute]) -> list[AccessEntry]:
    """Return the entries of the allowed list in their order, of which the first match decides."""
    routes = [AllowedRoute(entry) if isinstance(entry, str) else entry for entry in entries]
    return [
        AccessEntry("outgoing", f"[{place}] {_methods(route)} {_target(route)}", _token(route))
        for place, route in enumerate(routes)
    ]


def _methods(route: AllowedRoute) -> str:
    methods = route.http_method
    if methods is None:
        return "ANY"
    return methods if isinstance(methods, str) else ",".join(methods)


def _target(route: AllowedRoute) -> str:
    matcher = route.uri_matcher
    return route.uri or str(getattr(matcher, "__name__", type(matcher).__name__))


def _token(route: AllowedRoute) -> str:
    if not route.attach:
        return "no token (exception)"
    options = route.token_options
    audience = f" for {options.audience}" if options and options.audience else ""
    scope = f" with {options.scope}" if options and options.scope else ""
    provider = f" of {options.provider}" if options and options.provider else ""
    anonymous = ", or none without a session" if route.allow_anonymous else ""
    return f"token{provider}{audience}{scope}{anonymous}"


def table(rows: list[AccessEntry]) -> str:
    """Format entries as text in columns."""
    widths = [
        max((len(getattr(row, name)) for row in rows), default=0) for name in ("kind", "name")
    ]
    lines = (f"{row.kind:<{widths[0]}}  {row.name:<{widths[1]}}  {row.rule}" for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _pages(app: rx.App, rules: AccessRules) -> list[AccessEntry]:
    return [
        AccessEntry("page", f"/{route.removeprefix('index')}", str(rules.of_page(page)))
        for route, page in pages_of(app)
    ]


def _transformers(app: rx.App) -> list[Any]:
    transformers = app.api_transformer
    every = list(transformers) if isinstance(transformers, Sequence) else [transformers]
    return [route for each in every if isinstance(each, Starlette) for route in each.routes]


def _routes(
    routes: Iterable[Any],
    dependencies: Sequence[tuple[Callable[..., Any], Rule]],
    folder: str = "",
) -> Iterator[AccessEntry]:
    for route in routes:
        path = folder + getattr(route, "path", "")
        if isinstance(route, Mount):
            yield from _routes(route.routes, dependencies, path)
            continue
        endpoint = getattr(route, "endpoint", None)
        used = getattr(getattr(route, "dependant", None), "dependencies", ())  # FastAPI
        guards = [rule for guard, rule in dependencies if any(each.call == guard for each in used)]
        rule = mark_of(endpoint) or next(iter(guards), PUBLIC)
        methods = ",".join(sorted(set(getattr(route, "methods", None) or ()) - {"HEAD"}))
        yield AccessEntry("route", f"{methods or 'ANY'} {path}", str(rule))


def _handlers(rules: AccessRules) -> Iterator[AccessEntry]:
    for name, registered in RegistrationContext.get().event_handlers.items():
        if is_reflexs(registered.states[0]):
            continue
        if not is_setvar(registered):
            rule = str(rules.of_handler(name, registered))
            replayed = ", replayed after a login" if is_replayed(registered.handler.fn) else ""
            yield AccessEntry("handler", _short(name), f"{rule}{replayed}")
        elif setters := _setters(registered):
            yield AccessEntry("handler", _short(name), f"as {', '.join(setters)}")


def _setters(setvar: RegisteredEventHandler) -> list[str]:
    """The names of the app's setters that a `setvar` can call."""
    state = setvar.states[0]
    names = (name for name in dir(state) if name.startswith(SETTER_PREFIX))
    return [
        name
        for name in names
        if not hasattr(rx.State, name) and setter_of(setvar, name.removeprefix(SETTER_PREFIX))
    ]


def _variables(rules: AccessRules) -> list[AccessEntry]:
    return [
        AccessEntry("variable", _short(f"{state_name}.{name}"), str(rules.of_variable(state, name)))
        for state_name, state in RegistrationContext.get().base_states.items()
        if not is_reflexs(state)
        for name in own_variables(state)
    ]


def own_variables(state: type[BaseState]) -> list[str]:
    """The variables of a State, without those that it inherits."""
    return sorted({*state.base_vars, *state.computed_vars})


def _short(name: str) -> str:
    """Shorten a full name to module, State and member, without the parent States."""
    # In Reflex's names, underscores stand for the dots of a module path.
    state, dot, last = name.rpartition(".")
    nearest = state.rpartition(".")[2].replace("____", ".").replace("___", ".")
    return f"{nearest}{dot}{last}"
