"""Small real programs that stand in for the network and for the session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from http.cookies import SimpleCookie

import httpx

from app.auth.interceptor import TokenOptions


class Recorder(httpx.AsyncBaseTransport):
    """A network that keeps what was sent; `redirects` maps a URL to the Location it answers."""

    def __init__(
        self,
        redirects: Mapping[str, str] | None = None,
        *,
        status: int = 307,
        error: Exception | None = None,
    ) -> None:
        self.sent: list[httpx.Request] = []
        self.bodies: list[bytes] = []
        self.closed = False
        self._redirects = dict(redirects or {})
        self._status = status
        self._error = error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer 200, or the redirect; the response names the request it got, as some fakes do."""
        if request.url.scheme not in {"http", "https"} or not request.url.raw_host:
            raise httpx.UnsupportedProtocol("The URL names no place to send to.")
        self.sent.append(request)
        if self._error is not None:
            raise self._error
        self.bodies.append(b"".join([part async for part in request.stream]))  # type: ignore[union-attr]
        location = self._redirects.get(str(request.url))
        if location is not None:
            return httpx.Response(self._status, headers={"Location": location}, request=request)
        cookie = SimpleCookie({"seen": request.headers.get("authorization", "nobody")[-1]})
        headers = {"Set-Cookie": cookie["seen"].OutputString()}
        return httpx.Response(200, headers=headers, content=b"ok", request=request)

    async def aclose(self) -> None:
        """Remember that the pool was closed."""
        self.closed = True


class TokenProvider:
    """A session that hands out `token`, or raises `error`; `asked` keeps the options."""

    def __init__(
        self, token: str | None = "access-token", *, error: Exception | None = None
    ) -> None:
        self.asked: list[TokenOptions] = []
        self._token = token
        self._error = error

    async def __call__(self, options: TokenOptions) -> str | None:
        """The access token of this user."""
        self.asked.append(options)
        if self._error is not None:
            raise self._error
        return self._token


class Asked:
    """A uri_matcher that says yes to everything; `urls` keeps what it was asked."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    def __call__(self, url: str) -> bool:
        """Yes."""
        self.urls.append(url)
        return True


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """A body that is sent piece by piece and can be read only once."""
    for part in parts:
        yield part
