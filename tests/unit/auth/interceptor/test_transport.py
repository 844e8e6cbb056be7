"""One hop: where the token goes, and where it must not show up."""

from __future__ import annotations

import asyncio
import logging

import httpx
import pytest

from app.auth.errors import (
    AuthError,
    LoginRequired,
    ProviderError,
    ProviderUnavailable,
    SessionEnded,
    StoreUnavailable,
)
from app.auth.interceptor import (
    AccessTokenTransport,
    AllowedList,
    AllowedRoute,
    TokenOptions,
    build_client,
)

from .fakes import Recorder, TokenProvider, chunks

API = "https://api.example.com"
ALLOWED = AllowedList(
    [f"{API}/v1/*", AllowedRoute(f"{API}/open/*", allow_anonymous=True), "http://localhost:3001/*"]
)


def client_over(recorder: Recorder, provider: TokenProvider | None = None) -> httpx.AsyncClient:
    """A client of a user with a session, on a network that records."""
    return build_client(AccessTokenTransport(ALLOWED, provider or TokenProvider(), recorder))


async def test_the_callers_request_never_holds_the_token() -> None:
    """What a caller or a log can reach of the request is without the token."""
    recorder = Recorder()
    async with client_over(recorder) as client:
        request = client.build_request("GET", f"{API}/v1/me")
        response = await client.send(request)
    assert recorder.sent[0].headers["authorization"] == "Bearer access-token"
    assert response.request is request
    assert "authorization" not in request.headers


async def test_the_transport_alone_hides_the_token_too() -> None:
    """Used without a client, the response names the caller's request."""
    request = httpx.Request("GET", f"{API}/v1/me")
    transport = AccessTokenTransport(ALLOWED, TokenProvider(), Recorder())
    assert (await transport.handle_async_request(request)).request is request


async def test_an_error_names_the_callers_request() -> None:
    """A network error carries the request without the token, whatever the network put there."""
    request = httpx.Request("GET", f"{API}/v1/me")
    with_token = httpx.Request("GET", f"{API}/v1/me", headers={"Authorization": "Bearer x"})
    recorder = Recorder(error=httpx.ConnectError("refused", request=with_token))
    transport = AccessTokenTransport(ALLOWED, TokenProvider(), recorder)
    with pytest.raises(httpx.ConnectError) as caught:
        await transport.handle_async_request(request)
    assert caught.value.request is request


async def test_no_log_line_holds_the_token(caplog: pytest.LogCaptureFixture) -> None:
    """At the most talkative level, nothing prints the token."""
    with caplog.at_level(logging.DEBUG):
        async with client_over(Recorder(), TokenProvider("tell-nobody")) as client:
            await client.get(f"{API}/v1/me")
    assert "tell-nobody" not in caplog.text


@pytest.mark.parametrize("path", ["/v1/me", "/elsewhere"])
async def test_own_authorization_is_left_alone(path: str) -> None:
    """A caller who brings an Authorization keeps it, and no token is asked for."""
    recorder, provider = Recorder(), TokenProvider()
    async with client_over(recorder, provider) as client:
        await client.get(API + path, headers={"authorization": "Basic abc", "Cookie": "a=b"})
    assert recorder.sent[0].headers.get_list("authorization") == ["Basic abc"]
    assert recorder.sent[0].headers["cookie"] == "a=b"
    assert provider.asked == []


async def test_userinfo_gets_basic_and_no_token() -> None:
    """httpx turns userinfo into Basic credentials; the token does not join them."""
    recorder, provider = Recorder(), TokenProvider()
    async with client_over(recorder, provider) as client:
        await client.get("https://user:pw@api.example.com/v1/me")
    assert recorder.sent[0].headers["authorization"].startswith("Basic ")
    assert provider.asked == []


@pytest.mark.parametrize(
    "host", ["evil.com", "api.example.com:8443", "api.example.com.", "api.example.com, evil.com"]
)
async def test_another_host_header_means_no_token(host: str) -> None:
    """N04: a reverse proxy routes by Host, so a Host that is not the URL's gets no token."""
    recorder, provider = Recorder(), TokenProvider()
    async with client_over(recorder, provider) as client:
        await client.get(f"{API}/v1/me", headers={"Host": host})
    assert "authorization" not in recorder.sent[0].headers
    assert provider.asked == []


@pytest.mark.parametrize("host", ["API.example.com", "api.example.com:443"])
async def test_the_same_host_in_other_words_is_fine(host: str) -> None:
    """A Host header that names the URL's own authority changes nothing."""
    recorder = Recorder()
    async with client_over(recorder) as client:
        await client.get(f"{API}/v1/me", headers={"Host": host})
    assert "authorization" in recorder.sent[0].headers


@pytest.mark.parametrize(
    "extensions",
    [{"target": b"/admin"}, {"sni_hostname": "evil.com"}, {"sni_hostname": b"evil.com"}],
)
async def test_an_extension_that_diverts_means_no_token(extensions: dict[str, object]) -> None:
    """httpcore lets extensions replace the path or the certificate's name: no token then."""
    recorder = Recorder()
    async with client_over(recorder) as client:
        await client.get(f"{API}/v1/me", extensions=extensions)
    assert "authorization" not in recorder.sent[0].headers


@pytest.mark.parametrize("path", ["/v1/me", "/open/x"])
@pytest.mark.parametrize("error", [SessionEnded, ProviderUnavailable, StoreUnavailable])
async def test_outages_and_ended_sessions_always_show(path: str, error: type[AuthError]) -> None:
    """allow_anonymous never hides that something broke or that the provider ended the session."""
    recorder = Recorder()
    async with client_over(recorder, TokenProvider(error=error("x"))) as client:
        with pytest.raises(error):
            await client.get(API + path)
    assert recorder.sent == []


async def test_anonymous_entry_carries_the_token_of_a_user() -> None:
    """With a session, allow_anonymous changes nothing."""
    recorder = Recorder()
    async with client_over(recorder) as client:
        await client.get(f"{API}/open/x")
    assert recorder.sent[0].headers["authorization"] == "Bearer access-token"


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX: y", "tök", "a\x00", "a,b", "=a"])
async def test_a_token_that_is_no_token_is_not_sent(token: str) -> None:
    """What RFC 6750 does not allow in the header is an error that does not quote it."""
    recorder = Recorder()
    async with client_over(recorder, TokenProvider(token)) as client:
        with pytest.raises(ProviderError) as caught:
            await client.get(f"{API}/v1/me")
    assert recorder.sent == []
    assert not token or token not in str(caught.value)


async def test_default_token_options() -> None:
    """An entry without token options asks for the default token."""
    provider = TokenProvider()
    async with client_over(Recorder(), provider) as client:
        await client.get(f"{API}/v1/me")
    assert provider.asked == [TokenOptions()]


async def test_headers_body_and_extensions_arrive_unchanged() -> None:
    """Beside the token, the request is the one that the caller made."""
    recorder = Recorder()
    async with client_over(recorder) as client:
        await client.post(
            f"{API}/v1/me", content=chunks(b"a", b"b"), headers={"X-A": "1"}, timeout=7.0
        )
    (sent,) = recorder.sent
    assert (sent.method, str(sent.url), recorder.bodies) == ("POST", f"{API}/v1/me", [b"ab"])
    assert sent.headers["x-a"] == "1"
    assert sent.headers["transfer-encoding"] == "chunked"
    assert sent.extensions["timeout"]["read"] == 7.0


async def test_cancelling_reaches_the_token_provider() -> None:
    """A cancelled call stops waiting for the token and sends nothing."""
    waiting, recorder = asyncio.Event(), Recorder()

    async def never(options: TokenOptions) -> str:
        waiting.set()
        await asyncio.Event().wait()
        return ""

    async with build_client(AccessTokenTransport(ALLOWED, never, recorder)) as client:
        call = asyncio.create_task(client.get(f"{API}/v1/me"))
        await waiting.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert recorder.sent == []


async def test_closing_a_client_leaves_the_pool_open() -> None:
    """One user's client goes; the others go on using the pool."""
    recorder = Recorder()
    async with client_over(recorder) as first:
        await first.get(f"{API}/v1/me")
    assert not recorder.closed
    async with client_over(recorder) as second:
        assert (await second.get(f"{API}/v1/me")).status_code == 200


async def test_sending_one_request_twice_is_no_redirect() -> None:
    """The same request object sent again keeps the caller's headers, listed or not."""
    recorder = Recorder()
    async with client_over(recorder) as client:
        request = client.build_request("GET", f"{API}/other", headers={"X-Api-Key": "k"})
        await client.send(request)
        await client.send(request)
    assert [sent.headers["x-api-key"] for sent in recorder.sent] == ["k", "k"]


async def test_login_required_is_raised_for_none() -> None:
    """A provider that answers None for a protected entry is the same as no session."""
    async with client_over(Recorder(), TokenProvider(None)) as client:
        with pytest.raises(LoginRequired):
            await client.get(f"{API}/v1/me")
