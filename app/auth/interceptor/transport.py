"""An `httpx` transport that attaches the user's access token, deciding anew on every hop."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import httpx

from ..errors import LoginRequired, ProviderError, SessionEnded
from .allowed_list import AllowedList
from .allowed_route import AllowedRoute, TokenOptions
from .destination import is_diverted
from .harmless_headers import harmless_headers
from .hop import Hop, read_hop

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_DEFAULT_OPTIONS = TokenOptions()


class AccessTokenTransport(httpx.AsyncBaseTransport):
    """Sends requests through `inner`; those on the allowed list carry `Authorization: Bearer`.

    - A caller's own `Authorization` is left alone; nothing is added on its whole redirect chain.
    - A redirect to a URL that is not allowed, or to another origin, keeps harmless headers only: no
      `Authorization`, `Cookie`, `DPoP` or the like. What the next hop may carry is decided afresh.
    - A request whose `Host` header (or `target` or `sni_hostname` extension) names another
      recipient than its URL is not allowed: it is sent as it is, without a token.
    - The token is on a copy; the caller's request, `response.request` and an error's `request`
      never hold it.

    `inner` is the connection pool of all users: `aclose` leaves it open, its owner closes it.
    """

    def __init__(
        self,
        allowed_list: AllowedList,
        get_access_token: Callable[[TokenOptions], Awaitable[str | None]],
        inner: httpx.AsyncBaseTransport,
    ) -> None:
        """`get_access_token` gives this user's token, or `None` (or `LoginRequired`) for nobody."""
        self._allowed_list = allowed_list
        self._get_access_token = get_access_token
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one hop.

        Raises `LoginRequired` before anything is sent when the entry needs a user and there is
        none, whatever else `get_access_token` raises, and what `inner` raises.
        """
        outgoing = await self._outgoing(request)
        try:
            response = await self._inner.handle_async_request(outgoing)
        except httpx.RequestError as error:
            error.request = request
            raise
        response.request = request
        return response

    async def aclose(self) -> None:
        """Leave the shared pool open."""

    async def _outgoing(self, request: httpx.Request) -> httpx.Request:
        hop = read_hop(request)
        route = None if is_diverted(request) else self._matching(request)
        headers = _headers_of(request, hop, allowed=route is not None)
        if route is not None and not hop.own_authorization:
            headers = await self._with_token(headers, route)
        return request if headers is request.headers else _copy(request, headers)

    def _matching(self, request: httpx.Request) -> AllowedRoute | None:
        return self._allowed_list.match(request.method, request.url)

    async def _with_token(self, headers: httpx.Headers, route: AllowedRoute) -> httpx.Headers:
        token = await self._token_for(route)
        if token is None:
            return headers
        return httpx.Headers([*headers.raw, (b"Authorization", b"Bearer " + _checked(token))])

    async def _token_for(self, route: AllowedRoute) -> str | None:
        try:
            token = await self._get_access_token(route.token_options or _DEFAULT_OPTIONS)
        except SessionEnded:
            raise
        except LoginRequired:
            if not route.allow_anonymous:
                raise
            return None
        if token is None and not route.allow_anonymous:
            raise LoginRequired("This request needs a signed-in user, and there is none.")
        return token


def _headers_of(request: httpx.Request, hop: Hop, *, allowed: bool) -> httpx.Headers:
    if hop.leaves_origin or (hop.follows and not allowed):
        return harmless_headers(request.headers)
    return request.headers


def _checked(token: str) -> bytes:
    """The token as header bytes; raises `ProviderError` unless RFC 6750 section 2.1 allows it."""
    if not _TOKEN.fullmatch(token):
        raise ProviderError("The access token has characters that a Bearer header cannot hold.")
    return token.encode("ascii")


def _copy(request: httpx.Request, headers: httpx.Headers) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url,
        headers=headers,
        stream=request.stream,
        extensions=request.extensions,
    )
