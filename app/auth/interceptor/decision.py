"""The decision about one hop: whether a token goes along, which one, and why."""

from __future__ import annotations

from typing import NamedTuple

import httpx

from .allowed_list import AllowedList
from .allowed_route import AllowedRoute, TokenOptions
from .destination import is_diverted
from .hop import Hop
from .odd_url import OddURLError
from .target import parse_target
from .wish import wish_of

_DEFAULT_OPTIONS = TokenOptions()


class Decision(NamedTuple):
    """`route` is the entry that covers the request; `options` the token that goes along, if any.

    `reason` is a stable code: `attached`, `skipped`, `own_authorization`, `diverted` or
    `not_on_list`.
    """

    route: AllowedRoute | None
    options: TokenOptions | None
    reason: str


def decide(allowed_list: AllowedList, request: httpx.Request, hop: Hop) -> Decision:
    """Decide about the URL that will be sent.

    Raises:
        TypeError: the request's `auth` extension makes no sense.
    """
    wish = wish_of(request)
    if is_diverted(request):
        return Decision(None, None, "diverted")
    route = allowed_list.match(request.method, request.url)
    if route is None:
        return Decision(None, None, "not_on_list")
    if hop.own_authorization:
        return Decision(route, None, "own_authorization")
    if wish == "skip":
        return Decision(route, None, "skipped")
    own = wish if isinstance(wish, TokenOptions) else None
    return Decision(route, own or route.token_options or _DEFAULT_OPTIONS, "attached")


def explained(decision: Decision, request: httpx.Request) -> str:
    """The decision's reason for an observer, who is also told of an odd URL (`odd_url`)."""
    if decision.reason == "not_on_list":
        try:
            parse_target(request.url)
        except OddURLError:
            return "odd_url"
    return decision.reason
