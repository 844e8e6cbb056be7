"""An `httpx` transport that attaches the user's access token, deciding anew on every hop."""

from __future__ import annotations

import functools
import string
import time
from collections.abc import Awaitable, Callable

import httpx

from ..errors import LoginRequired, ProviderError, SessionEnded, StoreUnavailable
from ..request_event import Observer
from .allowed_list import AllowedList
from .allowed_route import TokenOptions
from .decision import Decision, decide
from .harmless_headers import harmless_headers
from .hop import Hop, read_hop
from .observation import Observation
from .patience import Patience, is_replayable

_TOKEN_BYTES = (string.ascii_letters + string.digits + "._~+/-").encode()
_MAY_BE_REPEATED = frozenset({401, 429, 503})


class AccessTokenTransport(httpx.AsyncBaseTransport):
    """Sends requests through `inner`; those on the allowed list carry `Authorization: Bearer`.

    - A caller's own `Authorization` is left alone; nothing is added on its whole redirect chain.
    - A redirect to a URL that is not allowed, or to another origin, keeps harmless headers only: no
      `Authorization`, `Cookie`, `DPoP` or the like. What the next hop may carry is decided afresh.
    - A request whose `Host` header (or `target` or `sni_hostname` extension) names another
      recipient than its URL is not allowed: it is sent as it is, without a token.
    - After a 401 to a request with a token it is sent once more, with another token; after 429 and
      503, when the API says (see `patience`). Only what can be sent twice is.
    - The request's extension `auth` may ask for no token or for another one (see `wish`).
    - The token is on a copy; the caller's request, `response.request` and an error's `request`
      never hold it.

    `inner` is the connection pool of all users: `aclose` leaves it open, its owner closes it.
    """

    def __init__(
        self,
        allowed_list: AllowedList,
        get_access_token: Callable[[TokenOptions], Awaitable[str | None]],
        inner: httpx.AsyncBaseTransport,
        *,
        refresh_access_token: Callable[[TokenOptions, str], Awaitable[str | None]] | None = None,
        on_request: Observer | None = None,
        patience: Patience | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`get_access_token` gives this user's token, or `None` (or `LoginRequired`) for nobody.

        `refresh_access_token` gives another one in place of a token that the API refused.
        `on_request` is told of every hop. `monotonic` gives seconds.
        """
        self._allowed_list = allowed_list
        self._get_access_token = get_access_token
        self._inner = inner
        self._refresh_access_token = refresh_access_token
        self._on_request = on_request
        self._patience = patience or Patience()
        self._monotonic = monotonic

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one hop.

        Raises `LoginRequired` before anything is sent when the entry needs a user and there is
        none, whatever else `get_access_token` raises, what `inner` raises, and `TypeError` for an
        `auth` extension that makes no sense.
        """
        hop = read_hop(request)
        decision = decide(self._allowed_list, request, hop)
        headers = _headers_of(request, hop, allowed=decision.route is not None)
        attempt = _Attempt(self._inner, request, headers)
        if self._on_request is None:
            return await self._exchange(attempt, decision, None)
        begun_at = self._monotonic()
        observation = Observation(
            self._on_request, self._monotonic, request, decision, hop.number, begun_at
        )
        try:
            response = await self._exchange(attempt, decision, observation)
        except BaseException as error:
            observation.tell(error)
            raise
        observation.tell(response)
        return response

    async def aclose(self) -> None:
        """Leave the shared pool open."""

    async def _exchange(
        self, attempt: _Attempt, decision: Decision, observation: Observation | None
    ) -> httpx.Response:
        token = await self._token_for(decision)
        if observation is not None:
            observation.attached = token is not None
        response = await attempt.send(token)
        if decision.route is None or response.status_code not in _MAY_BE_REPEATED:
            return response
        response, retries = await self._patience.again(
            attempt.request, response, functools.partial(attempt.send, token)
        )
        if response.status_code == 401 and token is not None and is_replayable(attempt.request):
            response = await self._after_refusal(attempt, decision, token, response)
            retries = attempt.count - 1
        if observation is not None:
            observation.retries = retries
        return response

    async def _after_refusal(
        self, attempt: _Attempt, decision: Decision, token: str, response: httpx.Response
    ) -> httpx.Response:
        """Once more with another token, if one can be had; else the refusal is the answer."""
        if self._refresh_access_token is None or decision.options is None:
            return response
        try:
            new = await self._refresh_access_token(decision.options, token)
        except (ProviderError, StoreUnavailable):
            return response
        except BaseException:
            await response.aclose()
            raise
        if new is None or new == token:
            return response
        await response.aclose()
        return await attempt.send(new)

    async def _token_for(self, decision: Decision) -> str | None:
        if decision.options is None or decision.route is None:
            return None
        anonymous = decision.route.allow_anonymous
        try:
            token = await self._get_access_token(decision.options)
        except SessionEnded:
            raise
        except LoginRequired:
            if not anonymous:
                raise
            return None
        if token is None and not anonymous:
            raise LoginRequired("This request needs a signed-in user, and there is none.")
        return token


class _Attempt:
    """The sending of one request, once or more; `count` says how often."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, request: httpx.Request, headers: httpx.Headers
    ) -> None:
        self.request = request
        self.count = 0
        self._inner = inner
        self._headers = headers

    async def send(self, token: str | None) -> httpx.Response:
        """Send a copy that holds the token; what comes back names the caller's own request."""
        self.count += 1
        try:
            response = await self._inner.handle_async_request(self._outgoing(token))
        except httpx.RequestError as error:
            error.request = self.request
            raise
        response.request = self.request
        return response

    def _outgoing(self, token: str | None) -> httpx.Request:
        if token is None and self._headers is self.request.headers:
            return self.request
        copy = _copy(self.request, self._headers)
        if token is not None:
            copy.headers["Authorization"] = f"Bearer {_checked(token)}"
        return copy


def _headers_of(request: httpx.Request, hop: Hop, *, allowed: bool) -> httpx.Headers:
    if hop.leaves_origin or (hop.follows and not allowed):
        return harmless_headers(request.headers)
    return request.headers


def _checked(token: str) -> str:
    """The token itself; raises `ProviderError` unless RFC 6750 section 2.1 allows it (`b64token`).

    `translate` leaves what is not allowed, in a third of the time that a pattern takes.
    """
    text = token.rstrip("=").encode("utf-8", errors="replace")
    if not text or text.translate(None, _TOKEN_BYTES):
        raise ProviderError("The access token has characters that a Bearer header cannot hold.")
    return token


def _copy(request: httpx.Request, headers: httpx.Headers) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url,
        headers=headers,
        stream=request.stream,
        extensions=request.extensions,
    )
