"""Failures of an API or of the provider, on purpose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx


class Outages(httpx.AsyncBaseTransport):
    """A transport whose requests can be made to fail. Give it to `AuthService` as `pool`.

        pool = Outages(build_pool())
        auth = AuthService(config, store, pool=pool)
        with pool.of("https://api.example.com/", status=503):
            ...

    The provider's requests go through the same pool.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self._failing: dict[str, httpx.Response | None] = {}

    @contextmanager
    def of(
        self, url: str, *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[None]:
        """Let requests to URLs that start with `url` fail: with an answer of this status, or
        (None) with `httpx.ConnectError`, as if the server could not be reached."""
        self._failing[url] = None if status is None else httpx.Response(status, headers=headers)
        try:
            yield
        finally:
            del self._failing[url]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, or let it fail."""
        for url, response in self._failing.items():
            if str(request.url).startswith(url):
                if response is None:
                    raise httpx.ConnectError("The test lets this fail.", request=request)
                return httpx.Response(response.status_code, headers=response.headers)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the transport inside."""
        await self._inner.aclose()
