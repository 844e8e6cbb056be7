"""The start-up check of the allowed list: what is wrong with each entry, and what to write instead.

Each function that gives problems gives one sentence part for each, to follow the entry's name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from inspect import iscoroutinefunction

import httpx

from ..errors import ConfigError
from .allowed_route import ANY_PROVIDER, AllowedRoute
from .matching import (
    KNOWN_METHODS,
    METHODS_WITHOUT_TOKEN,
    Pattern,
    RouteIndex,
    Rule,
    normalize_pattern,
)
from .url import normalize_url
from .url_checks import AmbiguousURLError, has_dot_segment

_PASSWORD = re.compile(r"(//[^/?#:@]*):[^/?#]*@")
_PARTS = re.compile(
    r"(?:(?P<scheme>[^:/?#]*):)?(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)"
    r"(?P<query>\?[^#]*)?(?P<fragment>#.*)?",
    re.DOTALL,
)
# Takes the place of an unusable base_url, so that the entries can still be checked.
_PLACEHOLDER_BASE = httpx.URL("https://base-url.invalid")


def build_index(
    entries: Sequence[str | AllowedRoute], base_url: str | None
) -> tuple[RouteIndex, httpx.URL | None]:
    """The index of sound entries, and the parsed `base_url`.

    Raises:
        ConfigError: with one sentence for each problem of each entry.
    """
    if isinstance(entries, str):
        raise ConfigError(f"allowed_list is the string {entries!r}; write a list of entries")
    index, base, problems = RouteIndex(), None, []
    if base_url is not None:
        found = _base_problems(base_url)
        problems += [f"base_url {_quoted(base_url)} {problem}." for problem in found]
        base = _PLACEHOLDER_BASE if found else httpx.URL(base_url)
    for order, entry in enumerate(entries):
        found = _add(index, order, entry, base)
        problems += [f"{name_of(order, entry)} {problem}." for problem in found]
    if problems:
        raise ConfigError(problems)
    return index, base


def check_providers(entries: Sequence[str | AllowedRoute], names: Collection[str]) -> None:
    """Check the providers that the entries name. `names` are those of several ones; empty names
    stand for an app with one.

    With several providers, each entry names one: else an API would be sent the tokens of all of
    them, and could use those of the others at their APIs.

    Raises:
        ConfigError: with one sentence for each entry that names none, or an unknown one.
    """
    problems = []
    for order, entry in enumerate(entries):
        if isinstance(entry, AllowedRoute) and not entry.attach:
            continue
        options = entry.token_options if isinstance(entry, AllowedRoute) else None
        provider = options.provider if options else None
        if names and provider is None:
            problems.append(
                f"{name_of(order, entry)} names no login provider, and this app has several; write"
                f' token_options=TokenOptions(provider="{min(names)}"), or provider=ANY_PROVIDER if'
                " the API takes the tokens of all of them."
            )
        elif provider not in (None, ANY_PROVIDER, *names):
            known = ", ".join(sorted(names)) or "none has a name"
            problems.append(
                f"{name_of(order, entry)} names the login provider {provider!r}, which this app"
                f" does not have ({known})."
            )
    if problems:
        raise ConfigError(problems)


def _add(
    index: RouteIndex, order: int, entry: str | AllowedRoute, base_url: httpx.URL | None
) -> list[str]:
    """Add an entry to the index, or give its problems."""
    if not isinstance(entry, str | AllowedRoute):
        return ["is neither a string nor an AllowedRoute; write one of these"]
    route = AllowedRoute(entry) if isinstance(entry, str) else entry
    if problems := _route_problems(route, base_url):
        return problems
    rule = Rule(order, route, _methods(route.http_method))
    if route.uri_matcher is not None:
        if not (problems := _shadow_problems(rule, index.same_matcher(route.uri_matcher))):
            index.add_matcher(rule)
        return problems
    uri = route.uri or ""
    url = normalize_pattern(uri, base_url)
    pattern = Pattern(url.origin, url.path, wildcard=uri.endswith("*"))
    if not (problems := _shadow_problems(rule, index.covering(pattern))):
        index.add(pattern, rule)
    return problems


def _route_problems(route: AllowedRoute, base_url: httpx.URL | None) -> list[str]:
    problems = _method_problems(route.http_method) + _exception_problems(route)
    if (route.uri is None) == (route.uri_matcher is None):
        given = "neither" if route.uri is None else "both"
        return [f"has {given} of uri and uri_matcher; give exactly one", *problems]
    if route.uri is not None:
        return _uri_problems(route.uri, base_url) + problems
    return _matcher_problems(route.uri_matcher) + problems


def _method_problems(http_method: str | Sequence[str] | None) -> list[str]:
    listed = () if isinstance(http_method, str) else http_method or ()
    if not all(isinstance(method, str) for method in listed):
        return ["has an http_method that is not text; write one method, as in 'GET', or several"]
    methods = _methods(http_method)
    if methods is None:
        return []
    if not methods:
        return ["can never match, because http_method is empty; leave it out to allow every method"]
    return [_method_problem(method) for method in sorted(methods - KNOWN_METHODS)]


def _method_problem(method: str) -> str:
    if method in METHODS_WITHOUT_TOKEN:
        return f"can never match {method} requests, which carry no token; leave that method out"
    return (
        f"has the unknown http_method {method!r};"
        " write one method, as in 'GET', or several, as in ['GET', 'POST']"
    )


def _exception_problems(route: AllowedRoute) -> list[str]:
    if not isinstance(route.attach, bool):
        return ["has an attach that is neither True nor False; write one of these"]
    if not route.attach and (route.token_options is not None or route.allow_anonymous):
        return [
            "has attach=False beside token_options or allow_anonymous, which say what to attach;"
            " leave these out"
        ]
    return []


def _methods(http_method: str | Sequence[str] | None) -> frozenset[str] | None:
    """The methods of an entry in upper case; `None` stands for all."""
    if http_method is None:
        return None
    listed = (http_method,) if isinstance(http_method, str) else http_method
    return frozenset(method.upper() for method in listed)


def _matcher_problems(matcher: object) -> list[str]:
    if not callable(matcher):
        return ["has a uri_matcher that cannot be called; write a function of the URL"]
    if iscoroutinefunction(matcher):
        return ["has an async uri_matcher; write a plain function that returns True or False"]
    return []


def _uri_problems(uri: str, base_url: httpx.URL | None) -> list[str]:
    if not isinstance(uri, str):
        return ["has a uri that is not text; write the URL as a string"]
    if not uri.strip():
        return ["is empty; write a URL such as 'https://api.example.com/v1/*', or leave it out"]
    problems = list(_written_problems(uri, base_url is not None))
    return problems or list(_normalized_problems(uri, base_url))


def _written_problems(uri: str, has_base: bool) -> Iterator[str]:
    parts = _PARTS.fullmatch(uri.removesuffix("*"))
    if parts is None:  # pragma: no cover - the expression matches every string
        return
    scheme, authority = parts["scheme"], parts["authority"]
    yield from _start_problems(uri, scheme, authority, has_base)
    if authority is not None:
        ends_in_star = uri.endswith("*") and not parts["path"]
        yield from _authority_problems(authority, ends_in_star)
    if "*" in parts["path"]:
        yield "has a '*' that is not its last character; end the entry with one '*', as in '/v1/*'"
    if parts["query"] is not None:
        yield "has a query, which is never compared; write the URL up to the '?'"
    if parts["fragment"] is not None:
        yield "has a fragment, which is never sent; write the URL up to the '#'"
    if has_dot_segment(parts["path"]):
        yield "has a '.' or '..' segment; write the path that it leads to"


def _start_problems(
    uri: str, scheme: str | None, authority: str | None, has_base: bool
) -> Iterator[str]:
    if scheme is None and authority is None and uri.startswith("/"):
        if not has_base:
            yield "is a path without a base_url; set base_url, or write the whole URL"
    elif "*" in (scheme or ""):
        yield "has a '*' in its scheme; write 'https://'"
    elif (scheme or "").lower() not in {"http", "https"}:
        yield "does not start with 'https://'; write the whole URL, as in 'https://api.example.com/*'"
    elif authority is None:
        yield "has no '//' after its scheme; write 'https://' and the host"


def _authority_problems(authority: str, ends_in_star: bool) -> Iterator[str]:
    _, at, place = authority.rpartition("@")
    if at:
        yield "has userinfo before its host, to be sent as Basic credentials; leave that out"
    host, colon, port = place.rpartition(":") if not place.endswith("]") else (place, "", "")
    if not colon:
        host, port = place, ""
    if "*" in host or (ends_in_star and not host):
        yield "has a '*' in its host; name each host in full, as in 'https://api.example.com/*'"
    if "*" in port or (ends_in_star and colon and not port):
        yield "has a '*' in its port; name each port, or leave it out for the default one"


def _normalized_problems(uri: str, base_url: httpx.URL | None) -> Iterator[str]:
    try:
        url = normalize_pattern(uri, base_url)
    except AmbiguousURLError as odd:
        yield f"can never match, because it {odd} and no such URL gets a token; write it plainly"
        return
    if not url.is_confidential:
        yield (
            "is plain http on a host that is not loopback, where others can read the token;"
            " write 'https://' (http is for localhost, 127.0.0.0/8 and ::1)"
        )


def _shadow_problems(rule: Rule, earlier: Iterable[Rule]) -> list[str]:
    """The problem of a rule whose URLs and methods are all covered by earlier ones."""
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
    names = " and ".join(name_of(known.order, known.route) for known in covering)
    return [f"is never reached, because {names} before it covers it; leave it out or move it up"]


def _base_problems(base_url: str) -> list[str]:
    if "*" in base_url:
        return ["has a '*'; write one origin, as in 'https://app.example.com'"]
    if "?" in base_url or "#" in base_url:
        return ["has a query or a fragment; write the URL up to there"]
    if base_url.startswith("/"):
        return ["is not absolute; write one origin, as in 'https://app.example.com'"]
    try:
        normalize_url(base_url)
    except AmbiguousURLError as problem:
        return [f"{problem}; write one origin, as in 'https://app.example.com'"]
    return []


def name_of(order: int, entry: object) -> str:
    """An entry in a message: its place in the list, and its text without a password."""
    if isinstance(entry, AllowedRoute):
        entry = entry if entry.uri is None else entry.uri
    return f"allowed_list[{order}] {_quoted(entry)}"


def _quoted(entry: object) -> str:
    """The entry as it was written, with a password in it hidden."""
    return _PASSWORD.sub(r"\1:***@", repr(entry))
