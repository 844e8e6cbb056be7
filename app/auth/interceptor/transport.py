"""An `httpx` transport that attaches the user's access token, decided on every hop."""

from __future__ import annotations

import functools
import string
import time
from collections.abc import Awaitable, Callable, Sequence

import httpx

from ..dpop import HEADER, TOKEN_TYPE, BoundToken, Nonces, Proofs, demands_nonce
from ..errors import LoginRequired, ProviderError, SessionEnded, StoreUnavailable
from .allowed_list import AllowedList
from .allowed_route import TokenOptions
from .certificates import CertifiedPools
from .decision import Decision, decide
from .events import Exchange, Observer, describe, publish, with_reason
from .redirects import read_hop, redirect_headers
from .retry import RetryPolicy, is_replayable

BEARER = "Bearer"
_TOKEN_BYTES = (string.ascii_letters + string.digits + "._~+/-").encode()
_MAY_BE_REPEATED = frozenset({401, 429, 503})


class AccessTokenTransport(httpx.AsyncBaseTransport):
    """Sends requests through `inner`; those on the allowed list carry `Authorization: Bearer`.

    - A caller's own `Authorization` is left alone; nothing is added on its whole redirect chain.
    - A redirect to a URL that is not allowed, or to another origin, keeps only headers that are no
      credentials: no `Authorization`, `Cookie`, `DPoP` or the like. What the next hop may carry is
      decided by its own URL.
    - A request whose `Host` header (or `target` or `sni_hostname` extension) names another
      recipient than its URL is not allowed: it is sent as it is, without a token.
    - After a 401 to a request with a token it is sent once more, with another token; after 429 and
      503, when the API says (see `retry`). Only what can be sent twice is.
    - A 401 to a request without a token says why it had none: `response.extensions["auth_reason"]`
      is the `reason` of its `RequestEvent`.
    - The request's extension `auth` may ask for no token or for another one (see
      `request_options`).
    - A `BoundToken` is sent with a DPoP proof for this hop's method and URL, and once more if the
      API demands a nonce (RFC 9449 section 9).
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
        observers: Sequence[Observer] = (),
        retry: RetryPolicy | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        with_token: httpx.AsyncBaseTransport | None = None,
        nonces: Nonces | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`get_access_token` gives this user's token; without a session it gives `None` or raises
        `LoginRequired`.

        `refresh_access_token` gives another one in place of a token that the API refused.
        `observers` get an event of every hop. `monotonic` gives seconds. `with_token`
        sends the hops that carry a token, in place of `inner`. `nonces` (those of the
        APIs, for all users) and `clock` (epoch seconds) are for DPoP proofs.
        """
        self._allowed_list = allowed_list
        self._get_access_token = get_access_token
        self._inner = inner
        self._with_token = with_token or inner
        self._refresh_access_token = refresh_access_token
        self._observers = observers
        self._retry = retry or RetryPolicy()
        self._monotonic = monotonic
        self._nonces = nonces or Nonces()
        self._clock = clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one hop.

        Raises `LoginRequired` before anything is sent when the entry needs a user and there is
        none, whatever else `get_access_token` raises, what `inner` raises, and `TypeError` for an
        `auth` extension that is neither `"skip"` nor a `TokenOptions`.
        """
        hop = read_hop(request)
        decision = decide(self._allowed_list, request, hop)
        headers = redirect_headers(request, hop, allowed=decision.is_allowed)
        exchange = Exchange(request, headers, decision, hop.number)
        if not self._observers:
            return with_reason(await self._run(exchange), exchange)
        begun_at = self._monotonic()
        try:
            response = with_reason(await self._run(exchange), exchange)
        except BaseException as error:
            publish(self._observers, describe(exchange, error, self._monotonic() - begun_at))
            raise
        publish(self._observers, describe(exchange, response, self._monotonic() - begun_at))
        return response

    async def aclose(self) -> None:
        """Leave the shared pool open."""

    async def _run(self, exchange: Exchange) -> httpx.Response:
        token = await self._token_for(exchange.decision)
        exchange.attached = token is not None
        self._note_token(exchange, token)
        response = await self._send(exchange, token)
        if not exchange.decision.is_allowed or response.status_code not in _MAY_BE_REPEATED:
            return response
        request, send_again = exchange.request, functools.partial(self._send, exchange, token)
        response = await self._retry.run(request, response, send_again)
        is_refused = response.status_code == 401 and not _is_about_nonce(token, response)
        if is_refused and token is not None and is_replayable(request):
            response = await self._after_refusal(exchange, token, response)
        return response

    def _note_token(self, exchange: Exchange, token: str | None) -> None:
        """Note for the observers how the token is presented."""
        if token is None or not self._observers:
            return
        exchange.token_type = TOKEN_TYPE if isinstance(token, BoundToken) else BEARER
        pools, url = self._with_token, exchange.request.url
        exchange.client_certificate = isinstance(pools, CertifiedPools) and pools.has_own(url)

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

    async def _send(self, exchange: Exchange, token: str | None) -> httpx.Response:
        """Send the request; once more if the API wants a nonce in the proof of a bound token."""
        response = await self._send_once(exchange, token)
        if not isinstance(token, BoundToken):
            return response
        request = exchange.request
        is_known = self._nonces.learn(request.url, response.headers)
        may_repeat = is_known and not exchange.has_answered_nonce and is_replayable(request)
        if not may_repeat or not demands_nonce(response):
            return response
        exchange.has_answered_nonce = True
        await response.aclose()
        response = await self._send_once(exchange, token)
        self._nonces.learn(request.url, response.headers)
        return response

    async def _send_once(self, exchange: Exchange, token: str | None) -> httpx.Response:
        """Send a copy that holds the token; the answer or error names the caller's own request."""
        outgoing = _outgoing(exchange, token)
        if isinstance(token, BoundToken):
            proofs = Proofs(token.key, self._nonces, self._clock)
            outgoing.headers["Authorization"] = f"{TOKEN_TYPE} {token}"
            outgoing.headers[HEADER] = proofs.of(outgoing, token)
        exchange.sent += 1
        try:
            sender = self._inner if token is None else self._with_token
            response = await sender.handle_async_request(outgoing)
        except httpx.RequestError as error:
            error.request = exchange.request
            raise
        response.request = exchange.request
        return response

    async def _after_refusal(
        self, exchange: Exchange, token: str, response: httpx.Response
    ) -> httpx.Response:
        """Send once more with another token; the refusal is the answer when there is no other."""
        options = exchange.decision.options
        if self._refresh_access_token is None or options is None:
            return response
        try:
            new = await self._refresh_access_token(options, token)
        except (ProviderError, StoreUnavailable):
            return response
        except BaseException:
            await response.aclose()
            raise
        if new is None or new == token:
            return response
        await response.aclose()
        self._note_token(exchange, new)
        return await self._send(exchange, new)


def _is_about_nonce(token: str | None, response: httpx.Response) -> bool:
    """Whether the API refused the proof and not the token."""
    return isinstance(token, BoundToken) and demands_nonce(response)


def _outgoing(exchange: Exchange, token: str | None) -> httpx.Request:
    request = exchange.request
    if token is None and exchange.headers is request.headers:
        return request
    headers = httpx.Headers(exchange.headers)
    if token is not None:
        headers["Authorization"] = f"{BEARER} {_checked(token)}"
    return _Copy(request, headers)


class _Copy(httpx.Request):
    """A request like another, with other headers. `httpx.Request` would parse the URL and the
    headers again; these are its public attributes, and all that it has."""

    def __init__(self, request: httpx.Request, headers: httpx.Headers) -> None:
        self.method = request.method.upper()
        self.url = request.url
        self.headers = headers
        self.stream = request.stream
        self.extensions = {**request.extensions}


def _checked(token: str) -> str:
    """The token itself; raises `ProviderError` unless RFC 6750 section 2.1 allows it (`b64token`).

    `translate` leaves what is not allowed, in a third of the time that a pattern takes.
    """
    text = token.rstrip("=").encode("utf-8", errors="replace")
    if not text or text.translate(None, _TOKEN_BYTES):
        raise ProviderError("The access token has characters that a Bearer header cannot hold.")
    return token
