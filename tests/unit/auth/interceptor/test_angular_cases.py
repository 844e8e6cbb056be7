"""The 32 cases of the Auth0 Angular SDK's interceptor, in this project's terms.

`isLoading` becomes: the token provider is awaited before exactly one request is sent. `setError`
becomes: the error reaches the caller (who has one place to show it), or does not. The two cases
that assert nothing there (14 and 28) are replaced by what their names promise.
"""

from __future__ import annotations

import asyncio

import httpx
import pytest

from app.auth.errors import ConfigError, LoginRequired
from app.auth.interceptor import (
    AccessTokenTransport,
    AllowedList,
    AllowedRoute,
    TokenOptions,
    build_client,
)

from .fakes import Recorder, TokenProvider

U = "https://my-api.com"
OPTIONS = TokenOptions(audience="https://audience.example", scope="read:all")
ENTRIES = (
    f"{U}/api/photos",
    f"{U}/api/people*",
    f"{U}/orders",
    AllowedRoute(f"{U}/api/orders", allow_anonymous=True),
    AllowedRoute(f"{U}/api/addresses", token_options=OPTIONS),
    AllowedRoute(f"{U}/api/calendar*"),
    AllowedRoute(f"{U}/api/register", http_method="POST"),
    AllowedRoute(
        uri_matcher=lambda url: "/api/contact" in url, http_method="POST", token_options=OPTIONS
    ),
)


async def send(
    method: str,
    path: str,
    provider: TokenProvider,
    entries: tuple[str | AllowedRoute, ...] = ENTRIES,
) -> list[httpx.Request]:
    """One request through the transport; what reached the network."""
    recorder = Recorder()
    transport = AccessTokenTransport(AllowedList(entries), provider, recorder)
    async with build_client(transport) as client:
        await client.request(method, U + path)
    return recorder.sent


@pytest.mark.parametrize(
    ("method", "path", "entries"),
    [
        pytest.param("GET", "/api/public", (), id="01 nothing configured"),
        pytest.param("GET", "/api/public", ENTRIES, id="02 not listed"),
        pytest.param("GET", "/api/register", ENTRIES, id="14 method does not match"),
        pytest.param("GET", "/api/contact", ENTRIES, id="32 matcher with another method"),
    ],
)
async def test_passes_without_token(
    method: str, path: str, entries: tuple[str | AllowedRoute, ...]
) -> None:
    """What is not on the list is sent as it is, and no token is even asked for."""
    provider = TokenProvider()
    (sent,) = await send(method, path, provider, entries)
    assert "authorization" not in sent.headers
    assert provider.asked == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/api/photos", id="04 string"),
        pytest.param("GET", "/api/people/profile", id="05 string with wildcard"),
        pytest.param("GET", "/orders", id="06 short string"),
        pytest.param("GET", "/api/people?name=test", id="07 query"),
        pytest.param("GET", "/api/people#hash-fragment", id="08 fragment"),
        pytest.param("GET", "/api/orders", id="10 object"),
        pytest.param("GET", "/api/addresses", id="11 object with token options"),
        pytest.param("GET", "/api/calendar/events", id="12 object with wildcard"),
        pytest.param("POST", "/api/register", id="13 object with method"),
        pytest.param("POST", "/api/contact", id="29 matcher"),
        pytest.param("POST", "/api/contact", id="31 matcher with method"),
    ],
)
async def test_carries_the_token(method: str, path: str) -> None:
    """What is on the list carries the access token as Bearer."""
    (sent,) = await send(method, path, TokenProvider())
    assert sent.headers["authorization"] == "Bearer access-token"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/api/addresses", id="11 uri"),
        pytest.param("POST", "/api/contact", id="30 uri_matcher"),
    ],
)
async def test_asks_with_the_token_options(method: str, path: str) -> None:
    """The entry's token options reach the token provider unchanged, once."""
    provider = TokenProvider()
    await send(method, path, provider)
    assert provider.asked == [OPTIONS]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/api/photos", id="03 string"),
        pytest.param("GET", "/api/orders", id="09 object"),
        pytest.param("POST", "/api/contact", id="28 matcher"),
    ],
)
async def test_waits_for_the_token(method: str, path: str) -> None:
    """Nothing is sent until the token is there; then exactly one request is."""
    asked, ready, recorder = asyncio.Event(), asyncio.Event(), Recorder()

    async def slow_token(options: TokenOptions) -> str:
        asked.set()
        await ready.wait()
        return "access-token"

    async with build_client(
        AccessTokenTransport(AllowedList(ENTRIES), slow_token, recorder)
    ) as client:
        call = asyncio.create_task(client.request(method, U + path))
        await asked.wait()
        assert recorder.sent == []
        ready.set()
        await call
    assert len(recorder.sent) == 1


@pytest.mark.parametrize(
    "provider",
    [
        pytest.param(TokenProvider(error=LoginRequired("x")), id="15 18 login_required"),
        pytest.param(TokenProvider(None), id="nobody is logged in"),
    ],
)
async def test_login_required_reaches_the_caller(provider: TokenProvider) -> None:
    """Without a user nothing is sent, and the caller learns that a login is needed."""
    recorder = Recorder()
    transport = AccessTokenTransport(AllowedList(ENTRIES), provider, recorder)
    async with build_client(transport) as client:
        with pytest.raises(LoginRequired) as caught:
            await client.get(f"{U}/api/calendar")
    assert caught.value.code == "login_required"
    assert recorder.sent == []


@pytest.mark.parametrize(
    "provider",
    [
        pytest.param(TokenProvider(error=LoginRequired("x")), id="16 19 login_required"),
        pytest.param(
            TokenProvider(error=LoginRequired("x", code="missing_refresh_token")),
            id="17 20 missing_refresh_token",
        ),
        pytest.param(
            TokenProvider(error=LoginRequired("x", code="interaction_required")),
            id="21 23 interaction_required",
        ),
        pytest.param(
            TokenProvider(error=LoginRequired("x", code="consent_required")),
            id="consent_required",
        ),
        pytest.param(TokenProvider(None), id="22 24 no token"),
    ],
)
async def test_anonymous_is_sent_without_token(provider: TokenProvider) -> None:
    """An entry that allows it is sent without any header when a user would have to log in."""
    (sent,) = await send("GET", "/api/orders", provider)
    assert "authorization" not in sent.headers


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("detailed-access-token", id="25"),
        pytest.param("detailed-token-123", id="26"),
        pytest.param("simple-access-token", id="27"),
    ],
)
async def test_the_header_is_the_token_alone(token: str) -> None:
    """The header holds the token string as the provider gave it, and nothing else."""
    (sent,) = await send("GET", "/api/photos", TokenProvider(token))
    assert sent.headers.get_list("authorization") == [f"Bearer {token}"]


def test_the_empty_entry_of_that_fixture_is_refused() -> None:
    """There an empty entry is silently dead; here it stops the start."""
    with pytest.raises(ConfigError):
        AllowedList(["", *ENTRIES])
