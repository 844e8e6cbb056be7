"""The HTTP client for the provider's endpoints."""

from __future__ import annotations

import httpx

from app.auth.oidc.provider_http import provider_client, send


class Provider(httpx.AsyncBaseTransport):
    """A provider that sets a cookie in each response, and records the cookies of each request."""

    def __init__(self) -> None:
        self.cookies: list[str | None] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.cookies.append(request.headers.get("cookie"))
        return httpx.Response(200, headers={"Set-Cookie": "session=alice; Path=/"}, json={})


async def test_no_cookies() -> None:
    """A cookie that the provider sets for one user is not sent with the next user's request."""
    provider = Provider()
    client = provider_client(provider)
    for _ in range(2):
        request = client.build_request("GET", "https://id.example.com/userinfo")
        await send(client, request, purpose="userinfo")
    assert provider.cookies == [None, None]
