"""Finds the first entry that covers a request, as fast among ten thousand as among ten.

https://api.example.com/v1/me     that path alone, whatever the query
https://api.example.com/v1*       /v1 and everything below it; never /v10
https://api.example.com/v1/*      everything that starts with /v1/; /v1 itself is not below it
https://api.example.com*          everything of that origin; so does https://api.example.com/*

Entries with a `uri` are in a dictionary by origin and path. Only `uri_matcher` entries are tried
one by one.
"""

from __future__ import annotations

import logging
import re
from bisect import insort
from collections.abc import Callable, Iterator
from inspect import isawaitable
from typing import NamedTuple

import httpx

from .allowed_route import AllowedRoute
from .url import NormalizedURL, Origin, normalize_url
from .url_checks import decoded_path, without_parameters

logger = logging.getLogger(__name__)

_HTTP = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "PURGE"})
_WEBDAV = frozenset(
    {"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH"}
)
KNOWN_METHODS = _HTTP | _WEBDAV
# TRACE sends back what it receives, so it must carry no credentials (RFC 9110 section 9.3.8), and
# CONNECT asks for a tunnel.
METHODS_WITHOUT_TOKEN = frozenset({"TRACE", "CONNECT"})
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)  # RFC 9110 section 5.6.2


class Pattern(NamedTuple):
    """The `uri` of an entry. `path` is raw; with `wildcard` it covers what is below it, too."""

    origin: Origin
    path: str
    wildcard: bool


class Rule(NamedTuple):
    """An entry and its place in the list; `methods` (in upper case) is `None` for all."""

    order: int
    route: AllowedRoute
    methods: frozenset[str] | None

    def covers_method(self, method: str) -> bool:
        """`method` is in upper case."""
        return self.methods is None or method in self.methods


class _OfOrigin(NamedTuple):
    """The rules of one origin by path. `lengths` are those of the wildcards' paths, the shortest
    first: a path is looked up once for each, however many entries there are."""

    exact: dict[str, list[Rule]]
    wildcards: dict[str, list[Rule]]
    lengths: list[int]


_Origins = dict[Origin, _OfOrigin]


class RouteIndex:
    """Rules are added in the order of the list; the first one that covers a request wins."""

    def __init__(self) -> None:
        self._origins: _Origins = {}
        self._exceptions: _Origins = {}  # by decoded paths
        self._matchers: list[Rule] = []

    def add(self, pattern: Pattern, rule: Rule) -> None:
        """Add a rule for a `uri`."""
        self._add(self._origins, pattern, rule)
        if not rule.route.attach:
            decoded = pattern._replace(path=decoded_path(pattern.path))
            self._add(self._exceptions, decoded, rule)

    def _add(self, origins: _Origins, pattern: Pattern, rule: Rule) -> None:
        known = origins.setdefault(pattern.origin, _OfOrigin({}, {}, []))
        if not pattern.wildcard:
            known.exact.setdefault(pattern.path, []).append(rule)
            return
        known.wildcards.setdefault(pattern.path, []).append(rule)
        if len(pattern.path) not in known.lengths:
            insort(known.lengths, len(pattern.path))

    def add_matcher(self, rule: Rule) -> None:
        """Add a rule for a `uri_matcher`."""
        self._matchers.append(rule)

    def find(self, method: str, url: NormalizedURL) -> Rule | None:
        """The first entry that covers `url` and `method` (in upper case). Of a URL that has two
        readings, one entry that ends in `*` has to come first in both.

        An exception covers its paths in every spelling: servers decode `%70ublic`."""
        rule = self._written(method, url)
        if rule is None or not rule.route.attach:
            return rule
        if not self._exceptions or url.origin not in self._exceptions:
            return rule
        return self._exception(method, url, before=rule.order) or rule

    def _exception(self, method: str, url: NormalizedURL, *, before: int) -> Rule | None:
        """The first exception above another rule that covers a spelling of `url`."""
        decoded = {decoded_path(path) for path in (url.path, url.other_path) if path is not None}
        found = (
            rule
            for path in decoded | {without_parameters(path) for path in decoded}
            for rule in self._of(url.origin, path, origins=self._exceptions)
            if rule.order < before and rule.covers_method(method)
        )
        return min(found, key=lambda rule: rule.order, default=None)

    def _written(self, method: str, url: NormalizedURL) -> Rule | None:
        """The first entry that covers `url` as it is written."""
        rule = self._find(method, url)
        if url.other_path is None:
            return rule
        other = self._find(method, url._replace(path=url.other_path))
        has_wildcard = rule is not None and (rule.route.uri or "").endswith("*")
        return rule if has_wildcard and rule is other else None

    def _find(self, method: str, url: NormalizedURL) -> Rule | None:
        best: Rule | None = None
        for rule in self._of(url.origin, url.path):
            if (best is None or rule.order < best.order) and rule.covers_method(method):
                best = rule
        for rule in self._matchers:
            if best is not None and best.order < rule.order:
                break
            if rule.covers_method(method) and _matches(rule.route, url):
                return rule
        return best

    def covering(self, pattern: Pattern) -> Iterator[Rule]:
        """The rules added so far that cover everything `pattern` does, their methods aside."""
        return iter(self._of(pattern.origin, pattern.path, wildcard=pattern.wildcard))

    def _of(
        self, origin: Origin, path: str, *, wildcard: bool = False, origins: _Origins | None = None
    ) -> list[Rule]:
        known = (self._origins if origins is None else origins).get(origin)
        if known is None:
            return []
        found: list[Rule] = [] if wildcard else list(known.exact.get(path, ()))
        for length in known.lengths:
            if length > len(path):
                break
            rules = known.wildcards.get(path[:length])
            if rules and _is_boundary(path, length):
                found += rules
        return found

    def has_matcher(self, method: str) -> bool:
        """Whether a `uri_matcher` that may attach a token is asked for this method."""
        return any(rule.route.attach and rule.covers_method(method) for rule in self._matchers)

    def same_matcher(self, matcher: Callable[[str], bool]) -> Iterator[Rule]:
        """The rules added so far that use this very `uri_matcher`."""
        return (rule for rule in self._matchers if rule.route.uri_matcher is matcher)


def normalize_method(method: str) -> str | None:
    """The method in upper case, or `None` when such a request never gets a token."""
    if method in KNOWN_METHODS:
        return method
    if not _TOKEN.fullmatch(method):
        return None
    upper = method.upper()
    return None if upper in METHODS_WITHOUT_TOKEN else upper


def normalize_pattern(uri: str, base_url: httpx.URL | None) -> NormalizedURL:
    """The URL of an entry without its final `*`; raises `AmbiguousURLError`."""
    return normalize_url(uri.removesuffix("*"), base_url)


def _is_boundary(path: str, length: int) -> bool:
    """Whether `path` may be cut after so many characters: `/v1/me` is covered by `/`, `/v1`, `/v1/`
    and `/v1/me`, and not by `/v` or `/v1/m`."""
    return path[length - 1] == "/" or length == len(path) or path[length] == "/"


def _matches(route: AllowedRoute, url: NormalizedURL) -> bool:
    """Whether the matcher says yes. An exception or a coroutine counts as what attaches no token:
    as no, and for an entry with `attach=False` as yes."""
    matcher = route.uri_matcher
    try:
        answer = matcher is not None and matcher(url.text)
        return not route.attach if isawaitable(answer) else bool(answer)
    except Exception as error:
        kind = type(error).__name__
        logger.warning("uri_matcher failed with %s on %s: no token", kind, url.without_query)
        return not route.attach
