"""Every hop is decided by its own URL, and an untrusted one carries no credential."""

from __future__ import annotations

import httpx
import pytest

from app.auth.interceptor import AccessTokenTransport, AllowedList, AllowedRoute, build_client
from app.auth.interceptor.client import MAX_REDIRECTS

from .fakes import Recorder, TokenProvider

API, OTHER, EVIL = "https://api.example.com", "https://other.example.com", "https://evil.com"
START = f"{API}/v1/start"
ALLOWED = AllowedList([f"{API}/v1/*", f"{OTHER}/*", "http://localhost:3001/*"])
SECRETS = {
    "Cookie": "id=1",
    "DPoP": "proof",
    "Proxy-Authorization": "Basic abc",
    "X-Api-Key": "key",
    "My-Own-Secret": "s",
}
HARMLESS = {"Accept": "text/plain", "X-Request-Id": "7", "Content-Language": "de"}


async def follow(
    redirects: dict[str, str],
    headers: dict[str, str],
    *,
    start: str = START,
    status: int = 307,
    method: str = "GET",
) -> list[httpx.Request]:
    """What reached the network when one call followed all redirects."""
    recorder = Recorder(redirects, status=status)
    transport = AccessTokenTransport(ALLOWED, TokenProvider(), recorder)
    async with build_client(transport) as client:
        response = await client.request(method, start, headers=headers, follow_redirects=True)
    assert "authorization" in headers or all(
        "authorization" not in seen.request.headers for seen in [*response.history, response]
    )
    return recorder.sent


@pytest.mark.parametrize(
    "target", [f"{EVIL}/x", f"{API}/admin", "http://api.example.com/v1/x", f"{API}:8443/v1/x"]
)
@pytest.mark.parametrize("own", [{}, {"authorization": "Basic abc"}], ids=["token", "own"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_credential_on_a_hop_that_is_not_allowed(
    target: str, own: dict[str, str], status: int
) -> None:
    """Neither our token nor the caller's credentials follow; harmless headers do."""
    first, second = await follow({START: target}, {**SECRETS, **HARMLESS, **own}, status=status)
    assert first.headers["authorization"] == own.get("authorization", "Bearer access-token")
    assert not {"authorization", *map(str.lower, SECRETS)} & set(second.headers)
    assert set(map(str.lower, HARMLESS)) <= set(second.headers)
    assert second.headers["host"] == second.url.netloc.decode()


async def test_unlisted_to_unlisted_carries_nothing_either() -> None:
    """The caller's credentials were for the URL they named, not for where it points to."""
    start = f"{EVIL}/a"
    first, second = await follow({start: "/b"}, {"authorization": "Basic abc"}, start=start)
    assert first.headers["authorization"] == "Basic abc"
    assert "authorization" not in second.headers


async def test_another_allowed_origin_gets_the_token_only() -> None:
    """The next hop earns the token by itself; keys meant for the first host stay there."""
    _, second = await follow({START: f"{OTHER}/x"}, SECRETS)
    assert second.headers["authorization"] == "Bearer access-token"
    assert not set(map(str.lower, SECRETS)) & set(second.headers)


async def test_same_origin_and_allowed_keeps_the_callers_headers() -> None:
    """Inside the allowed path a redirect is like in plain httpx (which drops Cookie)."""
    _, second = await follow({START: "/v1/next"}, {**SECRETS, "authorization": "Basic abc"})
    assert second.headers["authorization"] == "Basic abc"
    assert second.headers["x-api-key"] == "key"


async def test_own_authorization_is_not_replaced_on_the_way() -> None:
    """Who came with credentials of their own does not turn into the signed-in user."""
    _, second = await follow({START: f"{OTHER}/x"}, {"authorization": "Basic abc"})
    assert "authorization" not in second.headers


async def test_upgrade_to_https_carries_nothing_over() -> None:
    """httpx keeps Authorization from http to https of one host; here it is dropped."""
    start = "http://api.example.com/v1/a"
    first, second = await follow(
        {start: f"{API}/v1/a"}, {"authorization": "Basic abc"}, start=start
    )
    assert first.headers["authorization"] == "Basic abc"
    assert "authorization" not in second.headers


async def test_back_and_forth() -> None:
    """Allowed, not allowed, allowed again: each hop by its own URL."""
    hops = await follow({START: f"{EVIL}/x", f"{EVIL}/x": f"{API}/v1/end"}, {})
    assert ["authorization" in hop.headers for hop in hops] == [True, False, True]


async def test_the_method_after_the_redirect_counts() -> None:
    """303 turns POST into GET, and the entry is asked about GET."""
    recorder = Recorder({START: "/v1/end"}, status=303)
    allowed = AllowedList([AllowedRoute(f"{API}/v1/*", http_method="POST")])
    async with build_client(AccessTokenTransport(allowed, TokenProvider(), recorder)) as client:
        await client.post(START, follow_redirects=True)
    assert [sent.method for sent in recorder.sent] == ["POST", "GET"]
    assert ["authorization" in sent.headers for sent in recorder.sent] == [True, False]


async def test_not_followed_unless_asked() -> None:
    """A redirect is an answer; sending its next request by hand is judged as a redirect."""
    recorder = Recorder({START: f"{EVIL}/x"})
    async with build_client(AccessTokenTransport(ALLOWED, TokenProvider(), recorder)) as client:
        response = await client.get(START, headers=SECRETS)
        assert response.status_code == 307
        assert len(recorder.sent) == 1
        assert response.next_request is not None
        await client.send(response.next_request)
    assert not {"authorization", *map(str.lower, SECRETS)} & set(recorder.sent[1].headers)


async def test_hops_are_capped() -> None:
    """A loop ends soon."""
    with pytest.raises(httpx.TooManyRedirects):
        await follow({START: START}, {})
    recorder = Recorder({START: START})
    async with build_client(AccessTokenTransport(ALLOWED, TokenProvider(), recorder)) as client:
        with pytest.raises(httpx.TooManyRedirects):
            await client.get(START, follow_redirects=True)
    assert len(recorder.sent) == MAX_REDIRECTS + 1


async def test_callers_extensions_are_not_marked() -> None:
    """A dictionary of extensions that a caller reuses does not make the next call a redirect."""
    extensions = {"timeout": httpx.Timeout(3).as_dict()}
    recorder = Recorder()
    async with build_client(AccessTokenTransport(ALLOWED, TokenProvider(), recorder)) as client:
        for _ in range(2):
            await client.get(f"{EVIL}/", headers={"X-Api-Key": "k"}, extensions=extensions)
    assert [sent.headers["x-api-key"] for sent in recorder.sent] == ["k", "k"]
    assert list(extensions) == ["timeout"]
