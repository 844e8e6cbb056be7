"""The event that describes each hop of a request to the observers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import httpx

from ..errors import AuthError
from .allowed_route import AllowedRoute
from .decision import Decision
from .url import normalize_url
from .url_checks import AmbiguousURLError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RequestEvent:
    """One hop of a request. Holds no token, no header's value and no query.

    `method` and `url` are those of the request. `entry` is the entry of the allowed list that
    matched. `reason` is a stable code that says why a token was `attached` or not: `attached`,
    `anonymous`, `skipped`, `own_authorization`, `diverted` (the request overrides its URL's host),
    `excepted` (the entry has `attach=False`), `not_on_list`, `odd_url` (its URL is ambiguous), or
    the code of the error because of which nothing was sent. `audience` and `scope` are what the
    entry wants of its token; None stands for the default. `status` is the answer's, or None with
    the name of the `error`. `milliseconds` last from the decision to the answer's headers,
    `retries` says how often it was sent again, and `hop` is its place in a chain of redirects,
    from 0. `token_type` is how the token was presented, `Bearer` or `DPoP` (RFC 9449), or None
    without one. With `client_certificate`, the origin was shown the client certificate that a token
    may be bound to (RFC 8705).
    """

    method: str
    url: str
    entry: str | None
    attached: bool
    reason: str
    audience: str | None = None
    scope: str | None = None
    status: int | None = None
    error: str | None = None
    milliseconds: float = 0.0
    retries: int = 0
    hop: int = 0
    token_type: str | None = None
    client_certificate: bool = False


Observer = Callable[[RequestEvent], None]
"""Called when the answer to a request has begun, or when there will be none."""


@dataclass(slots=True)
class Exchange:
    """One hop under way: `sent` times so far, with a token of `token_type` if `attached`, and by a
    connection with a `client_certificate`. `has_answered_nonce`: it was sent again because the API
    demanded a DPoP nonce."""

    request: httpx.Request
    headers: httpx.Headers
    decision: Decision
    hop: int
    attached: bool = False
    token_type: str | None = None
    client_certificate: bool = False
    sent: int = 0
    has_answered_nonce: bool = False


def describe(
    exchange: Exchange, answer: httpx.Response | BaseException, seconds: float
) -> RequestEvent:
    """The event of a hop that has ended with this answer after so many seconds."""
    request, decision = exchange.request, exchange.decision
    options = decision.options
    response = answer if isinstance(answer, httpx.Response) else None
    return RequestEvent(
        method=request.method,
        url=_without_secrets(request.url),
        entry=_name(decision.route),
        attached=exchange.attached,
        reason=_reason(exchange, answer),
        audience=options.audience if options else None,
        scope=options.scope if options else None,
        status=response.status_code if response else None,
        error=None if response else type(answer).__name__,
        milliseconds=seconds * 1000,
        retries=max(0, exchange.sent - 1),
        hop=exchange.hop,
        token_type=exchange.token_type,
        client_certificate=exchange.client_certificate,
    )


def with_reason(response: httpx.Response, exchange: Exchange) -> httpx.Response:
    """The response; a 401 to a request without a token has the reason why it had none."""
    if response.status_code == 401 and not exchange.attached:
        response.extensions["auth_reason"] = _reason(exchange, response)
    return response


def publish(observers: Iterable[Observer], event: RequestEvent) -> None:
    """Call every observer; one that fails is a line in the log and keeps no other from its call."""
    for observer in observers:
        try:
            observer(event)
        except Exception:
            logger.exception("An observer of requests failed.")


def _reason(exchange: Exchange, answer: httpx.Response | BaseException) -> str:
    decision = exchange.decision
    if decision.options is not None and not exchange.attached:
        return answer.code if isinstance(answer, AuthError) else "anonymous"
    if decision.reason == "not_on_list":
        try:
            normalize_url(exchange.request.url)
        except AmbiguousURLError:
            return "odd_url"
    return decision.reason


def _without_secrets(url: httpx.URL) -> str:
    """The URL without userinfo and query."""
    path = url.raw_path.decode("ascii", errors="replace").partition("?")[0]
    return f"{url.scheme}://{url.netloc.decode('ascii', errors='replace')}{path}"


def _name(route: AllowedRoute | None) -> str | None:
    if route is None:
        return None
    return route.uri or getattr(route.uri_matcher, "__name__", type(route.uri_matcher).__name__)
