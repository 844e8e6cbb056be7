"""One proxied path: where it leads, and what may be sent there."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote

import httpx
from starlette.types import Scope

from ..access.policy import Rule
from ..errors import ConfigError
from ..interceptor import AllowedList
from ..interceptor.url_checks import AmbiguousURLError, check_path

_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+(?:/\*)?")
_RESERVED = re.compile(r"/(?:auth|_event|_upload|_health|ping)(?:/|$)|/_event(?:/|$)")
_METHOD = re.compile(r"[A-Z]+")
# RFC 3986 section 3.3. A '#' or '?' that a server leaves in the path would move its end.
_SAFE_PATH = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_SAFE_QUERY = re.compile(rb"[!\"$-~]*")  # visible ASCII without '#'


@dataclass(frozen=True, slots=True)
class ProxyRoute:
    """Forwards `path` to the URL `to`. With `is_tree`, both end in `/` and what is below one is
    forwarded to what is below the other.

    `rule` says who may use it. `methods` are in upper case. `max_body` is in bytes, `timeout` in
    seconds without a byte, and `concurrency` counts the requests of one session that run at once.
    """

    path: str
    to: httpx.URL
    is_tree: bool
    rule: Rule
    methods: frozenset[str]
    max_body: int
    timeout: float
    concurrency: int

    def covers(self, path: str) -> bool:
        """Whether a decoded path is this route's."""
        return path.startswith(self.path) if self.is_tree else path == self.path

    def target_of(self, scope: Scope) -> httpx.URL:
        """The URL to send a request to.

        Raises:
            AmbiguousURLError: the path or the query can be read in two ways.
        """
        raw = scope.get("raw_path") or quote(scope["path"]).encode()
        own, path = self.path.encode(), raw.partition(b"?")[0]
        if not path.startswith(own) or not (self.is_tree or path == own):
            raise AmbiguousURLError("has a path that is not written plainly")
        return self._below(path[len(own) :], scope["query_string"])

    def own_path_of(self, url: httpx.URL) -> str | None:
        """The proxied path and query for a URL of the API; None if this route does not lead there.
        The reverse of `target_of`."""
        path, _, query = url.raw_path.partition(b"?")
        base = self.to.raw_path
        if _place(url) != _place(self.to) or url.userinfo:
            return None
        if not path.startswith(base) or not (self.is_tree or path == base):
            return None
        try:
            self._below(path[len(base) :], query)
        except AmbiguousURLError:
            return None
        own = self.path + path[len(base) :].decode("ascii")
        return f"{own}?{query.decode('ascii')}" if query else own

    def _below(self, rest: bytes, query: bytes) -> httpx.URL:
        if not _SAFE_PATH.fullmatch(rest):
            raise AmbiguousURLError("has a character in its path that is not percent-encoded")
        if not _SAFE_QUERY.fullmatch(query):
            raise AmbiguousURLError("has a character in its query that is not percent-encoded")
        if rest.startswith(b"/") or b"//" in rest:
            raise AmbiguousURLError("has an empty segment in its path")
        check_path(f"/{rest.decode('ascii')}")
        raw_path = self.to.raw_path + rest + (b"?" + query if query else b"")
        return self.to.copy_with(raw_path=raw_path)


def proxy_route(
    path: str,
    to: str,
    api_path: str,
    rule: Rule,
    methods: Collection[str],
    allowed_list: AllowedList,
    *,
    max_body: int,
    timeout: float,
    concurrency: int,
) -> ProxyRoute:
    """Check a route, and create it. `api_path` is the path below which the backend is.

    Raises:
        ConfigError: with one sentence for each problem.
    """
    methods = {methods} if isinstance(methods, str) else set(methods)
    problems = [*_path_problems(path, to), *_method_problems(methods)]
    if max_body < 0 or timeout <= 0 or concurrency < 1:
        problems.append("has a limit that lets nothing pass; max_body is in bytes")
    if not problems:
        below = to.endswith("/*")
        for method in sorted(methods):
            target = to.removesuffix("*") if below else to
            explain = allowed_list.explain_below if below else allowed_list.explain
            explanation = explain(method, target)
            if not explanation.attach:
                problems.append(f"cannot forward {method}: {explanation.text}")
    if problems:
        raise ConfigError(f"auth.proxy({path!r}) {problem}" for problem in problems)
    return ProxyRoute(
        api_path + path.removesuffix("*"),
        httpx.URL(to.removesuffix("*")),
        path.endswith("/*"),
        rule,
        frozenset(methods | {"HEAD"} if "GET" in methods else methods),
        max_body,
        timeout,
        concurrency,
    )


def _path_problems(path: str, to: str) -> list[str]:
    problems = []
    if not _PATH.fullmatch(path):
        problems.append("is no plain path; write '/api/orders', or '/api/orders/*' for all below")
    elif _RESERVED.match(path) or path.endswith("/_event"):
        problems.append("is a path of Reflex or of the auth layer; take another, as '/api/orders'")
    if path.endswith("*") != to.endswith("/*"):
        problems.append("has a '/*' at the end of one side only; write it at both, or at neither")
    if not to.startswith(("http://", "https://")) or "?" in to or "#" in to:
        problems.append(f"leads to {to!r}; write an absolute URL without query or fragment")
    return problems


def _method_problems(methods: set[str]) -> list[str]:
    if not methods:
        return ["has no methods; name them, as in methods=['GET', 'POST']"]
    wrong = sorted(each for each in methods if not _METHOD.fullmatch(each) or each == "OPTIONS")
    return [f"has the method {each!r}; write 'GET' or 'POST', for example" for each in wrong]


def _place(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port
