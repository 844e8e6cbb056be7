"""The event that observers get of each request, and what a single request may ask for."""

from __future__ import annotations

import httpx
import pytest

from app.auth.errors import ConsentRequired, LoginRequired
from app.auth.interceptor import (
    AccessTokenTransport,
    AllowedList,
    AllowedRoute,
    Observer,
    RequestEvent,
    TokenOptions,
    build_client,
)

from .fakes import Recorder, TokenProvider

API = "https://api.example.com/v1"
OPTIONS = TokenOptions("https://api.example.com", "read")
ENTRIES = [
    AllowedRoute(f"{API}/open", allow_anonymous=True),
    AllowedRoute(f"{API}/*", token_options=OPTIONS),
]


class Ticks:
    """A clock that is two milliseconds later each time."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 0.002
        return self._now


def client(
    *observers: Observer, network: Recorder | None = None, tokens: TokenProvider | None = None
) -> httpx.AsyncClient:
    """A client whose requests are observed."""
    transport = AccessTokenTransport(
        AllowedList(ENTRIES),
        tokens or TokenProvider("secret-token"),
        network or Recorder(),
        observers=observers,
        monotonic=Ticks(),
    )
    return build_client(transport)


@pytest.fixture
def events() -> list[RequestEvent]:
    """The events so far."""
    return []


async def test_attached(events: list[RequestEvent]) -> None:
    """The event says what went where with which token, without query, userinfo or token."""
    async with client(events.append) as http:
        await http.get(f"{API}/me?secret=1#x")
    assert events == [
        RequestEvent(
            method="GET",
            url=f"{API}/me",
            entry=f"{API}/*",
            attached=True,
            reason="attached",
            audience=OPTIONS.audience,
            scope="read",
            status=200,
            milliseconds=pytest.approx(2.0),
            token_type="Bearer",
        )
    ]
    assert "secret" not in repr(events)


@pytest.mark.parametrize(
    ("url", "options", "reason"),
    [
        ("https://other.example/", {}, "not_on_list"),
        ("https://api.example.com:8443/v1/me", {}, "not_on_list"),
        (f"{API}/%2e%2e/admin", {}, "odd_url"),
        (f"{API}/me", {"headers": {"Authorization": "Basic eA=="}}, "own_authorization"),
        (f"{API}/me", {"headers": {"Host": "evil.example"}}, "diverted"),
        (f"{API}/me", {"extensions": {"auth": "skip"}}, "skipped"),
    ],
)
async def test_not_attached(
    events: list[RequestEvent], url: str, options: dict[str, object], reason: str
) -> None:
    """Without a token the event says why."""
    network = Recorder()
    async with client(events.append, network=network) as http:
        await http.get(url, **options)  # type: ignore[arg-type]
    assert [(event.attached, event.reason, event.status) for event in events] == [
        (False, reason, 200)
    ]
    assert "secret-token" not in str(network.sent[0].headers.raw)


async def test_no_session(events: list[RequestEvent]) -> None:
    """An entry for everybody is called without a token, any other is not called at all."""
    network = Recorder()
    async with client(events.append, network=network, tokens=TokenProvider(None)) as http:
        await http.get(f"{API}/open")
        with pytest.raises(LoginRequired):
            await http.get(f"{API}/me")
    seen = [(event.reason, event.status, event.error) for event in events]
    assert seen == [("anonymous", 200, None), ("login_required", None, "LoginRequired")]
    assert len(network.sent) == 1


async def test_consent_required(events: list[RequestEvent]) -> None:
    """So is it when the user has not allowed enough; an entry for everybody is then anonymous."""
    tokens = TokenProvider(error=ConsentRequired("more"))
    async with client(events.append, tokens=tokens) as http:
        await http.get(f"{API}/open")
        with pytest.raises(ConsentRequired):
            await http.get(f"{API}/me")
    assert [event.reason for event in events] == ["anonymous", "consent_required"]


async def test_error(events: list[RequestEvent]) -> None:
    """The event of a request without an answer has the error's name."""
    network = Recorder(error=httpx.ConnectTimeout("slow"))
    async with client(events.append, network=network) as http:
        with pytest.raises(httpx.ConnectTimeout):
            await http.get(f"{API}/me")
    assert [(event.attached, event.error) for event in events] == [(True, "ConnectTimeout")]


async def test_hops(events: list[RequestEvent]) -> None:
    """Each hop of a redirect is an event with its number and its own decision."""
    network = Recorder({f"{API}/a": f"{API}/b", f"{API}/b": "https://other.example/"})
    async with client(events.append, network=network) as http:
        await http.get(f"{API}/a", follow_redirects=True)
    seen = [(event.hop, event.status, event.reason) for event in events]
    assert seen == [(0, 307, "attached"), (1, 307, "attached"), (2, 200, "not_on_list")]


async def test_own_options() -> None:
    """A request may ask for another token than its entry's, but only where an entry allows one."""
    wanted = TokenOptions("https://else.example", "write")
    tokens, network = TokenProvider(), Recorder()
    async with client(network=network, tokens=tokens) as http:
        await http.get(f"{API}/me", extensions={"auth": wanted})
        await http.get("https://other.example/", extensions={"auth": wanted})
    assert tokens.asked == [wanted]
    assert "authorization" not in network.sent[1].headers


async def test_skip_follows_redirects() -> None:
    """A request that asks for no token carries none on any hop."""
    network = Recorder({f"{API}/a": f"{API}/b"})
    async with client(network=network) as http:
        await http.get(f"{API}/a", extensions={"auth": "skip"}, follow_redirects=True)
    assert ["authorization" in request.headers for request in network.sent] == [False, False]


@pytest.mark.parametrize("options", ["always", True, {"audience": "x"}])
async def test_unknown_request_options(options: object) -> None:
    """Anything else in that extension is refused before something is sent."""
    network = Recorder()
    async with client(network=network) as http:
        with pytest.raises(TypeError, match='is "skip" or a TokenOptions'):
            await http.get(f"{API}/me", extensions={"auth": options})
    assert network.sent == []


async def test_failing_observer(
    events: list[RequestEvent], caplog: pytest.LogCaptureFixture
) -> None:
    """An observer that fails breaks no request, keeps no other from its event, and is logged."""

    def fail(event: RequestEvent) -> None:
        raise RuntimeError("broken")

    async with client(fail, events.append) as http:
        assert (await http.get(f"{API}/me")).status_code == 200
    assert len(events) == 1
    assert "An observer of requests failed." in caplog.text
