"""When a request is sent again: after 401 with another token, after 429 and 503 when it is time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.utils import formatdate

import httpx
import pytest

from app.auth.errors import ProviderUnavailable, SessionEnded, StoreUnavailable
from app.auth.interceptor import (
    AccessTokenTransport,
    AllowedList,
    RetryPolicy,
    TokenOptions,
    build_client,
)

from .fakes import TokenProvider, chunks

API = "https://api.example.com/v1/me"
NOW = 1_800_000_000.0


class Script(httpx.AsyncBaseTransport):
    """A network that gives its answers in order; `tokens` and `bodies` keep what came."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.tokens: list[str | None] = []
        self.bodies: list[bytes] = []
        self.let_go: list[bool] = []
        self._given: list[httpx.Response] = []
        self._answers = iter(answers)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The next answer."""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        self.bodies.append(b"".join([part async for part in request.stream]))
        self.tokens.append(request.headers.get("authorization"))
        self.let_go = [answer.is_closed for answer in self._given]
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        self._given.append(answer)
        return answer


@dataclass
class Refresher:
    """Hands out `token` in place of a refused one, or raises it; `refused` keeps those."""

    token: str | Exception | None
    refused: list[str] = field(default_factory=list)

    async def __call__(self, options: TokenOptions, refused: str) -> str | None:
        self.refused.append(refused)
        if isinstance(self.token, Exception):
            raise self.token
        return self.token


@dataclass
class Nap:
    """Sleeps without taking time; `seconds` keeps how long."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def unread(status: int, **headers: str) -> httpx.Response:
    """An answer whose body has not been read yet, as a real pool gives it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, content=chunks(b"an", b"swer"))


def client(
    network: Script, nap: Nap | None = None, refresher: Refresher | None = None, jitter: float = 0.0
) -> httpx.AsyncClient:
    """A client of a signed-in user."""
    transport = AccessTokenTransport(
        AllowedList(["https://api.example.com/v1/*"]),
        TokenProvider("first"),
        network,
        refresh_access_token=refresher,
        retry=RetryPolicy(clock=lambda: NOW, sleep=nap or Nap(), jitter=lambda: jitter),
    )
    return build_client(transport)


async def test_refused_token() -> None:
    """After a 401 another token is asked for, once, and the request is sent with it."""
    network, refresher = Script(unread(401), unread(200)), Refresher("second")
    async with client(network, refresher=refresher) as http:
        response = await http.post(API, content=b"body")
    assert response.status_code == 200
    assert network.tokens == ["Bearer first", "Bearer second"]
    assert network.bodies == [b"body", b"body"]
    assert network.let_go == [True]
    assert refresher.refused == ["first"]


async def test_refused_twice() -> None:
    """When the other token is refused as well, that is the answer."""
    network = Script(unread(401), unread(401))
    async with client(network, refresher=Refresher("second")) as http:
        assert (await http.get(API)).status_code == 401
    assert len(network.tokens) == 2


@pytest.mark.parametrize(
    "token", [None, "first", ProviderUnavailable("down"), StoreUnavailable("down")]
)
async def test_no_other_token(token: str | Exception | None) -> None:
    """When there is no other token, for whatever passing reason, the 401 is the answer."""
    network = Script(unread(401))
    async with client(network, refresher=Refresher(token)) as http:
        response = await http.get(API)
    assert (response.status_code, response.content) == (401, b"answer")


async def test_session_ended() -> None:
    """When the session turns out to have ended, the caller gets that error."""
    network = Script(unread(401))
    async with client(network, refresher=Refresher(SessionEnded("over"))) as http:
        with pytest.raises(SessionEnded):
            await http.get(API)


async def parts() -> AsyncIterator[bytes]:
    """A body that can be read once."""
    yield b"body"


async def test_body_that_cannot_be_repeated() -> None:
    """A body that streams is sent once, whatever the answer."""
    for status in (401, 503):
        network, refresher = Script(unread(status, retry_after="0")), Refresher("second")
        async with client(network, refresher=refresher) as http:
            assert (await http.put(API, content=parts())).status_code == status
        assert refresher.refused == []


async def test_401_without_our_token() -> None:
    """A 401 to a request that carried no token of ours is left alone."""
    for url, headers in ((API, {"Authorization": "Basic eA=="}), ("https://other.example/", {})):
        network, refresher = Script(unread(401)), Refresher("second")
        async with client(network, refresher=refresher) as http:
            assert (await http.get(url, headers=headers)).status_code == 401
        assert refresher.refused == []


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "2"}, 2),
        ({"retry_after": "0"}, 0),
        ({"retry_after": formatdate(NOW + 3, usegmt=True)}, 3),
        ({"retry_after": formatdate(NOW - 3, usegmt=True)}, 0),
        ({"x_ratelimit_reset": str(int(NOW) + 4)}, 4),
        ({"x_ratelimit_reset": str(int(NOW) - 4)}, 0),
        ({"retry_after": "1", "x_ratelimit_reset": str(int(NOW) + 9)}, 1),
        ({"retry_after": "soon", "x_ratelimit_reset": str(int(NOW) + 1)}, 1),
    ],
    ids=["seconds", "at once", "date", "past date", "reset", "past reset", "both", "nonsense"],
)
async def test_wait(status: int, headers: dict[str, str], seconds: float) -> None:
    """An API that says when gets the request again then: Retry-After, else X-RateLimit-Reset."""
    network, nap = Script(unread(status, **headers), unread(200)), Nap()
    async with client(network, nap) as http:
        assert (await http.get(API)).status_code == 200
    assert nap.seconds == [seconds]
    assert network.let_go == [True]
    assert network.tokens == ["Bearer first", "Bearer first"]


@pytest.mark.parametrize(
    "headers",
    [{}, {"retry_after": "soon"}, {"retry_after": "-1"}, {"x_ratelimit_reset": "1e3"}],
)
async def test_no_time_named(headers: dict[str, str]) -> None:
    """An API that does not say when gives its answer to the caller."""
    network = Script(unread(429, **headers))
    async with client(network) as http:
        response = await http.get(API)
    assert (response.status_code, response.content) == (429, b"answer")


@pytest.mark.parametrize("method", ["POST", "PATCH", "LOCK"])
async def test_not_idempotent(method: str) -> None:
    """What might be done twice is not repeated (RFC 9110 section 9.2.2)."""
    network = Script(unread(503, retry_after="0"))
    async with client(network) as http:
        assert (await http.request(method, API)).status_code == 503


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
async def test_idempotent(method: str) -> None:
    """The others are, body included."""
    network = Script(unread(503, retry_after="0"), unread(200))
    async with client(network) as http:
        assert (await http.request(method, API, content=b"body")).status_code == 200
    assert network.bodies == [b"body", b"body"]


@pytest.mark.parametrize(
    ("limits", "sent"),
    [
        ({"timeout": 5.0}, 1),
        ({"timeout": 7.0}, 2),
        ({"timeout": None}, 2),
        ({"timeout": 5.0, "extensions": {"deadline": 7.0}}, 2),
        ({"timeout": 7.0, "extensions": {"deadline": 5.0}}, 1),
    ],
)
async def test_deadline(limits: dict[str, object], sent: int) -> None:
    """No request waits beyond the caller's deadline: the answer comes at once instead."""
    network, nap = Script(unread(429, retry_after="6"), unread(200)), Nap()
    async with client(network, nap) as http:
        await http.get(API, **limits)  # type: ignore[arg-type]
    assert (len(network.tokens), len(nap.seconds)) == (sent, sent - 1)


async def test_deadline_is_for_all_waits() -> None:
    """The waits of one request count together, and two repeats are the most."""
    network, nap = Script(*(unread(429, retry_after="3") for _ in range(5))), Nap()
    async with client(network, nap) as http:
        assert (await http.get(API, timeout=5.0)).status_code == 429
        assert nap.seconds == [3]
        assert (await http.get(API, timeout=500.0)).status_code == 429
    assert nap.seconds == [3, 3, 3]


async def test_jitter() -> None:
    """Requests that were given the same moment spread a little, always to later."""
    network, nap = Script(unread(429, retry_after="2"), unread(200)), Nap()
    async with client(network, nap, jitter=0.5) as http:
        await http.get(API)
    assert nap.seconds == [2.2]


async def test_error_at_a_repeat() -> None:
    """An error at a repeat is the caller's, and names the caller's request without the token."""
    network = Script(unread(429, retry_after="0"), httpx.ReadTimeout("slow"))
    async with client(network) as http:
        with pytest.raises(httpx.ReadTimeout) as raised:
            await http.get(API)
    assert "authorization" not in raised.value.request.headers


async def test_elsewhere() -> None:
    """A request that is on no list is plain httpx: nothing is repeated."""
    network = Script(unread(503, retry_after="0"))
    async with client(network) as http:
        assert (await http.get("https://other.example/")).status_code == 503
