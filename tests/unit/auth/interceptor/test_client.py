"""The client of one user."""

from __future__ import annotations

import httpx
import pytest

from app.auth.interceptor import build_client

from .fakes import Recorder

API = "https://api.example.com/v1"


async def test_of_its_own() -> None:
    """Nothing that a handler changes about the client of its user is changed for another's."""
    network = Recorder()
    plain = dict(build_client(network).headers)

    async def hook(request: httpx.Request) -> None:
        raise AssertionError(request.url)

    one = build_client(network, API)
    one.headers["X-Name"] = "alice"
    one.cookies.set("name", "alice")
    one.params = httpx.QueryParams({"name": "alice"})
    one.event_hooks["request"].append(hook)
    one.auth = ("alice", "password")
    one.timeout.read = 1.0
    one.base_url = httpx.URL("https://alice.example.com")
    await one.aclose()
    async with build_client(network, API) as other:
        response = await other.get("/me")
    assert response.status_code == httpx.codes.OK
    assert response.request.url == f"{API}/me"
    assert plain.items() <= dict(response.request.headers).items()
    assert not {"x-name", "cookie", "authorization"} & set(response.request.headers)
    assert response.request.extensions["timeout"]["read"] == 10.0
    assert not other.cookies


@pytest.mark.parametrize("base_url", [API, f"{API}/"])
@pytest.mark.parametrize("path", ["me", "/me"])
async def test_base_url(base_url: str, path: str) -> None:
    """A path is below the base URL, as in plain httpx."""
    async with build_client(Recorder(), base_url) as client:
        assert (await client.get(path)).request.url == f"{API}/me"
