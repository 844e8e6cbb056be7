"""The decision whether a request may carry the user's access token, made on parsed URLs alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from .allowed_route import AllowedRoute
from .matching import Pattern, Rule, normalize_method
from .url import NormalizedURL, normalize_url
from .url_checks import AmbiguousURLError
from .validation import build_index, name_of


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the allowed list says about one request, and why.

    `attach` says whether the request may carry the access token. `reason` is a stable code:
    `attached`, `excepted` (the entry has `attach=False`), `not_on_list`, `odd_url` (parsers may
    read the URL in two ways), `not_confidential` (plain http to another machine) or
    `method_without_token`. `entry` is the entry that decides and `position` its place in the list,
    from 0; both are None if no entry does. `text` is the reason as one sentence.
    """

    attach: bool
    reason: str
    text: str
    entry: AllowedRoute | None = None
    position: int | None = None


class AllowedList:
    """Immutable; the first entry that covers a request decides.

    Entries and requests are compared by scheme, host (lower-case punycode), effective port and raw
    path, byte for byte and on segment boundaries (see `matching`). Query and fragment take no part.
    An entry with `attach=False` covers its paths in every spelling.
    An ambiguous URL (see `url_checks`) matches nothing, nor does http outside loopback, nor a TRACE
    or CONNECT request. An encoded backslash may stand in the last segment if the entry ends in `*`
    and decides about both readings: with the backslash as data, and as a slash.

    A `uri_matcher` is asked only about URLs that pass all this. It gets the URL as it will be sent:
    absolute, host in punycode, no userinfo, no fragment. When it raises, that is a warning in the
    log and no match, or a match of an entry with `attach=False`: no token in either case.
    """

    def __init__(
        self, entries: Sequence[str | AllowedRoute], *, base_url: str | None = None
    ) -> None:
        """Raises `ConfigError` with one sentence for each problem of each entry."""
        self._index, self._base_url = build_index(entries, base_url)

    def match(self, method: str, url: str | httpx.URL) -> AllowedRoute | None:
        """The entry that allows this request, or `None`: then it gets no token. Never raises.

        `url` is absolute, or `/path` to be appended to `base_url` as httpx does it.
        """
        route = self.find(method, url)
        return route if route is not None and route.attach else None

    def find(self, method: str, url: str | httpx.URL) -> AllowedRoute | None:
        """The entry that decides about this request, which may be one with `attach=False`; `None`
        if there is none. Never raises."""
        known_method = normalize_method(method)
        if known_method is None:
            return None
        try:
            normalized = normalize_url(url, self._base_url, with_other_path=True)
        except AmbiguousURLError:
            return None
        rule = self._index.find(known_method, normalized) if normalized.is_confidential else None
        return None if rule is None else rule.route

    def explain(self, method: str, url: str | httpx.URL) -> Explanation:
        """The same decision with its reason, for people and for tests. Never raises.

        It asks each `uri_matcher` as `match` does.
        """
        known_method = normalize_method(method)
        if known_method is None:
            text = f"{method!r} requests carry no token: write another method."
            return Explanation(False, "method_without_token", text)
        try:
            normalized = normalize_url(url, self._base_url, with_other_path=True)
        except AmbiguousURLError as problem:
            text = f"The URL {problem}, so it gets no token: write it plainly."
            return Explanation(False, "odd_url", text)
        if not normalized.is_confidential:
            text = (
                f"{normalized.without_query} is plain http to another machine, where others can "
                "read the token: use https."
            )
            return Explanation(False, "not_confidential", text)
        rule = self._index.find(known_method, normalized)
        if rule is None:
            return self._uncovered(known_method, normalized)
        return _explained(rule)

    def explain_below(self, method: str, url: str) -> Explanation:
        """Decide about everything below `url`, which ends in `/`: an entry has to cover all of it.

        A `uri_matcher` cannot be asked about URLs that are not known yet. If there is one for the
        method, the explanation is `attached` without an entry: each URL is decided by itself.
        """
        explanation = self.explain(method, url)
        if explanation.reason not in ("attached", "excepted", "not_on_list"):
            return explanation
        known_method = method.upper()
        normalized = normalize_url(url, self._base_url, with_other_path=True)
        covering = self._index.covering(Pattern(normalized.origin, normalized.path, wildcard=True))
        rules = [rule for rule in covering if rule.covers_method(known_method)]
        first = min(rules, key=lambda rule: rule.order, default=None)
        if first is None:
            if self._index.has_matcher(known_method):
                return Explanation(True, "attached", "A uri_matcher decides about each URL.")
            return self._uncovered(known_method, normalized)
        return _explained(first)

    def _uncovered(self, method: str, url: NormalizedURL) -> Explanation:
        """Name the entries that cover the URL for other methods: the usual oversight."""
        pattern = Pattern(url.origin, url.path, wildcard=False)
        covering = sorted(self._index.covering(pattern), key=lambda rule: rule.order)
        text = f"No entry covers {method} {url.without_query}: add one to the allowed list."
        if names := " and ".join(
            f"{name_of(rule.order, rule.route)} ({', '.join(sorted(rule.methods or ()))})"
            for rule in covering
        ):
            text = (
                f"No entry covers {method} {url.without_query}, though there is {names} for it: "
                "add the method there."
            )
        return Explanation(False, "not_on_list", text)


def _explained(rule: Rule) -> Explanation:
    name = name_of(rule.order, rule.route)
    if rule.route.attach:
        return Explanation(True, "attached", f"{name} covers it.", rule.route, rule.order)
    text = f"{name} excepts it (attach=False)."
    return Explanation(False, "excepted", text, rule.route, rule.order)
