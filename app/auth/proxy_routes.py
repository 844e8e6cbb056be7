"""The methods of AuthService for components that fetch in the browser."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, ClassVar

import reflex as rx

from .access.checks import rule_of
from .access.policy import Requirement, Rule
from .config import AuthConfig
from .errors import ConfigError
from .interceptor import AllowedList
from .proxy import PROOF_HEADERS, Proxies, ProxyRoute, proxy_route
from .reflex.access_report import AccessEntry

MAX_BODY = 10 * 2**20


class ProxyRoutes:
    """A part of AuthService, which sets these attributes. `config` is the one it was made with."""

    config: AuthConfig
    proxy_headers: ClassVar[dict[str, str]] = dict(PROOF_HEADERS)
    """The headers by which a proxied route knows that a page of this app sends a request."""
    _proxies: Proxies
    _login_rule: Rule

    @property
    def allowed_list(self) -> AllowedList:
        """The allowed list of `http_interceptor`. `allowed_list.explain(method, url)` says whether
        a request may carry a token, and why."""
        return self._proxies.allowed_list

    def proxy(
        self,
        path: str,
        *,
        to: str,
        requires: Requirement | Sequence[Requirement] = (),
        methods: Collection[str] = ("GET",),
        max_body: int = MAX_BODY,
        timeout: float = 30.0,
        concurrency: int = 16,
    ) -> None:
        """Forward the requests for `path` on this app's backend to the URL `to`, with the access
        token of the session's user. For maps, grids and uploads, which fetch in the browser.

        With `/*` at the end of both, what is below `path` is forwarded to what is below `to`. The
        allowed list has to cover the target for each of the `methods` (GET allows HEAD). The user
        has to be signed in and meet the checks that `requires` names; without any, those of
        `default_check`. A body has at most `max_body` bytes, API and browser are silent for at most
        `timeout` seconds, and a session has `concurrency` requests at once. Others wait.

        Raises:
            ConfigError: path or target is invalid or not on the allowed list, or the path is taken.
            TypeError: a check takes arguments, which a proxied route does not have.
        """
        checks = requires if isinstance(requires, Sequence) else [requires]
        rule = rule_of(checks) if checks else self._login_rule
        rule.require_parameters((), f"the proxied route {path}")
        route = proxy_route(
            path,
            to,
            self.config.api_path,
            rule,
            methods,
            self.allowed_list,
            max_body=max_body,
            timeout=timeout,
            concurrency=concurrency,
        )
        self._proxies.add(route)

    def proxied(self, url: str) -> str:
        """Return the URL on this app's backend at which a browser gets a URL of an API; a path, if
        the app has several origins. `url` may be a template such as
        `https://tiles.example.com/{z}/{x}/{y}.png`.

        Raises:
            ConfigError: no proxied route leads there.
        """
        route = self._route_to(url)
        # With several base URLs, a browser stays at its own.
        origin = "" if self.config.more_base_urls else self.config.api_origin
        return origin + route.path + url.removeprefix(str(route.to))

    @property
    def proxied_fetch(self) -> rx.Var[Any]:
        """The browser's `fetch` with what a proxied route needs, for a component that takes such a
        function, or for a script: `(url, options) => Promise<Response>`."""
        headers = json.dumps(self.proxy_headers)
        return rx.Var(
            "((url, options = {}) => { const headers = new Headers(options.headers);"
            f" for (const [name, value] of Object.entries({headers})) headers.set(name, value);"
            ' return fetch(url, { credentials: "include", ...options, headers }); })'
        )

    def _route_to(self, url: str) -> ProxyRoute:
        for route in self._proxies.routes:
            to, rest = str(route.to), url.removeprefix(str(route.to))
            if url.startswith(to) and (route.is_tree or not rest or rest.startswith("?")):
                return route
        raise ConfigError(
            f"auth.proxied({url!r}): no proxied route leads there. Add one with"
            " auth.proxy(path, to=...) before the pages are defined."
        )

    def _proxied_entries(self) -> list[AccessEntry]:
        """The rows of the surface report."""
        return [
            AccessEntry(
                "route",
                f"{','.join(sorted(route.methods - {'HEAD'}))} {route.path}{star}",
                f"{route.rule}, proxied to {route.to}{star}",
            )
            for route in self._proxies.routes
            for star in ("*" if route.is_tree else "",)
        ]
