"""Finds the first entry that covers a request, as fast among ten thousand as among ten.

Entries with a `uri` are found by origin and path. Only `uri_matcher` entries are tried one by one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from inspect import isawaitable

from .allowed_route import AllowedRoute
from .pattern import Pattern, covering_keys
from .target import Origin, Target

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rule:
    """An entry and its place in the list; `methods` is `None` when all are allowed."""

    order: int
    route: AllowedRoute
    methods: frozenset[str] | None

    def covers_method(self, method: str) -> bool:
        """`method` is in upper case."""
        return self.methods is None or method in self.methods


@dataclass(slots=True)
class _Paths:
    """The entries of one origin; `depth` is the number of slashes in the deepest wildcard."""

    exact: dict[str, list[Rule]] = field(default_factory=dict)
    wildcard: dict[str, list[Rule]] = field(default_factory=dict)
    depth: int = 0

    def add(self, pattern: Pattern, rule: Rule) -> None:
        rules = self.wildcard if pattern.wildcard else self.exact
        rules.setdefault(pattern.path, []).append(rule)
        if pattern.wildcard:
            self.depth = max(self.depth, pattern.path.count("/"))

    def covering(self, path: str, *, wildcard: bool = False) -> Iterator[Rule]:
        """The rules that cover `path`, or everything that `path` covers as a wildcard."""
        for key in covering_keys(path, self.depth):
            if rules := self.wildcard.get(key):
                yield from rules
        if not wildcard:
            yield from self.exact.get(path, ())


class RouteIndex:
    """Rules are added in the order of the list; the first one that covers a request wins."""

    def __init__(self) -> None:
        self._origins: dict[Origin, _Paths] = {}
        self._matchers: list[tuple[Rule, Callable[[str], bool]]] = []

    def add(self, pattern: Pattern, rule: Rule) -> None:
        """Add a rule for a `uri`."""
        self._origins.setdefault(pattern.origin, _Paths()).add(pattern, rule)

    def add_matcher(self, matcher: Callable[[str], bool], rule: Rule) -> None:
        """Add a rule for a `uri_matcher`."""
        self._matchers.append((rule, matcher))

    def find(self, method: str, target: Target) -> AllowedRoute | None:
        """The first entry that covers `target` and `method` (in upper case)."""
        best = self._find_by_path(method, target)
        for rule, matcher in self._matchers:
            if best is not None and best.order < rule.order:
                break
            if rule.covers_method(method) and _says_yes(matcher, target):
                return rule.route
        return None if best is None else best.route

    def covering(self, pattern: Pattern) -> Iterator[Rule]:
        """The rules added so far that cover everything `pattern` does, their methods aside."""
        paths = self._origins.get(pattern.origin)
        return paths.covering(pattern.path, wildcard=pattern.wildcard) if paths else iter(())

    def same_matcher(self, matcher: Callable[[str], bool]) -> Iterator[Rule]:
        """The rules added so far that use this very `uri_matcher`."""
        return (rule for rule, known in self._matchers if known is matcher)

    def _find_by_path(self, method: str, target: Target) -> Rule | None:
        paths = self._origins.get(target.origin)
        best: Rule | None = None
        for rule in paths.covering(target.path) if paths else ():
            if rule.covers_method(method) and (best is None or rule.order < best.order):
                best = rule
        return best


def _says_yes(matcher: Callable[[str], bool], target: Target) -> bool:
    """An exception or a coroutine is no answer, and no answer is no."""
    try:
        answer = matcher(target.url)
        return bool(answer) and not isawaitable(answer)
    except Exception as error:
        kind = type(error).__name__
        _log.warning("uri_matcher failed with %s on %s: no token", kind, target.address)
        return False
