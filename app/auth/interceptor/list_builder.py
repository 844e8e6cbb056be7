"""Builds the index of an allowed list and gathers every problem on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from inspect import iscoroutinefunction

import httpx

from ..errors import ConfigError
from .allowed_route import AllowedRoute
from .http_methods import allowed_methods, method_problems
from .odd_url import OddURLError
from .pattern import compile_pattern
from .pattern_problems import pattern_problems
from .route_index import RouteIndex, Rule
from .target import parse_target

_PASSWORD = re.compile(r"(//[^/?#:@]*):[^/?#]*@")


class ListBuilder:
    """Takes the entries in their order; `finished` gives the index or raises for all of them."""

    def __init__(self, base_url: str | None) -> None:
        self._problems: list[str] = []
        self._index = RouteIndex()
        self._count = 0
        self.base_url = self._checked_base(base_url)

    def add(self, entry: str | AllowedRoute) -> None:
        """Index one entry, or note what is wrong with it."""
        name, order = _name_of(self._count, entry), self._count
        self._count += 1
        if not isinstance(entry, str | AllowedRoute):
            self._note(name, ["is neither a string nor an AllowedRoute; write one of these"])
            return
        route = AllowedRoute(entry) if isinstance(entry, str) else entry
        problems = _route_problems(route, self.base_url)
        self._note(name, problems or self._indexed(order, route))

    def finished(self) -> RouteIndex:
        """The index; raises `ConfigError` when any entry has a problem."""
        if self._problems:
            raise ConfigError(self._problems)
        return self._index

    def _note(self, name: str, problems: Iterable[str]) -> None:
        self._problems.extend(f"{name} {problem}." for problem in problems)

    def _checked_base(self, base_url: str | None) -> httpx.URL | None:
        if base_url is None:
            return None
        problems = _base_problems(base_url)
        self._note(f"base_url {_quoted(base_url)}", problems)
        return _STAND_IN if problems else httpx.URL(base_url)

    def _indexed(self, order: int, route: AllowedRoute) -> list[str]:
        """Index the sound `route` unless an earlier entry leaves nothing to it."""
        rule = Rule(order, route, allowed_methods(route.http_method))
        if route.uri_matcher is not None:
            earlier = self._index.same_matcher(route.uri_matcher)
            if not (shadow := _shadow(rule, earlier)):
                self._index.add_matcher(route.uri_matcher, rule)
            return shadow
        pattern = compile_pattern(route.uri or "", self.base_url)
        if not (shadow := _shadow(rule, self._index.covering(pattern))):
            self._index.add(pattern, rule)
        return shadow


# Takes the place of an unusable base_url, so that the entries can still be checked.
_STAND_IN = httpx.URL("https://base-url.invalid")


def _route_problems(route: AllowedRoute, base_url: httpx.URL | None) -> list[str]:
    problems = method_problems(route.http_method)
    if (route.uri is None) == (route.uri_matcher is None):
        given = "neither" if route.uri is None else "both"
        return [f"has {given} of uri and uri_matcher; give exactly one", *problems]
    if route.uri is not None:
        if not isinstance(route.uri, str):
            return ["has a uri that is not text; write the URL as a string", *problems]
        return pattern_problems(route.uri, base_url) + problems
    return _matcher_problems(route.uri_matcher) + problems


def _matcher_problems(matcher: object) -> list[str]:
    if not callable(matcher):
        return ["has a uri_matcher that cannot be called; write a function of the URL"]
    if iscoroutinefunction(matcher):
        return ["has an async uri_matcher; write a plain function that returns True or False"]
    return []


def _shadow(rule: Rule, earlier: Iterable[Rule]) -> list[str]:
    """The problem of a rule to which earlier ones that cover its URLs leave no method."""
    covering = sorted(earlier, key=lambda known: known.order)
    everything = next((known for known in covering if known.methods is None), None)
    if everything is not None:
        covering = [everything]
    elif rule.methods is None:
        return []
    else:
        covering = [known for known in covering if (known.methods or frozenset()) & rule.methods]
        if rule.methods - frozenset().union(*(known.methods or () for known in covering)):
            return []
    names = " and ".join(_name_of(known.order, known.route) for known in covering)
    return [f"is never reached, because {names} before it covers it; leave it out or move it up"]


def _base_problems(base_url: str) -> list[str]:
    if "*" in base_url:
        return ["has a '*'; write one origin, as in 'https://app.example.com'"]
    if "?" in base_url or "#" in base_url:
        return ["has a query or a fragment; write the URL up to there"]
    if base_url.startswith("/"):
        return ["is not absolute; write one origin, as in 'https://app.example.com'"]
    try:
        parse_target(base_url)
    except OddURLError as odd:
        return [f"{odd}; write one origin, as in 'https://app.example.com'"]
    return []


def _name_of(order: int, entry: object) -> str:
    if isinstance(entry, AllowedRoute):
        entry = entry if entry.uri is None else entry.uri
    return f"allowed_list[{order}] {_quoted(entry)}"


def _quoted(entry: object) -> str:
    """The entry as it was written, a password in it hidden."""
    return _PASSWORD.sub(r"\1:***@", repr(entry))
