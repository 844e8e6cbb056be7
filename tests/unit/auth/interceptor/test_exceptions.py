"""Entries with `attach=False`, and what the allowed list says about a request."""

from __future__ import annotations

import httpx
import pytest

from app.auth.interceptor import (
    AccessTokenTransport,
    AllowedList,
    AllowedRoute,
    RequestEvent,
    TokenOptions,
    build_client,
)

from .fakes import Recorder, TokenProvider
from .test_validation import problems

API = "https://api.example.com"
PUBLIC = AllowedRoute(f"{API}/v1/public/*", attach=False)
ALL = AllowedRoute(f"{API}/v1/*")
EXCEPTED = f"{API}/v1/public/logo"


def test_first_match_wins() -> None:
    """An exception keeps the token from what an entry below it covers, and from nothing else."""
    allowed = AllowedList([PUBLIC, ALL])
    assert allowed.match("GET", EXCEPTED) is None
    assert allowed.find("GET", EXCEPTED) is PUBLIC
    assert allowed.match("GET", f"{API}/v1/me") is ALL
    above = AllowedRoute(EXCEPTED)
    assert AllowedList([above, PUBLIC, ALL]).match("GET", EXCEPTED) is above


def test_methods() -> None:
    """An exception may be for some methods only."""
    allowed = AllowedList([AllowedRoute(f"{API}/v1/*", http_method="DELETE", attach=False), ALL])
    assert allowed.match("delete", f"{API}/v1/me") is None
    assert allowed.match("GET", f"{API}/v1/me") is ALL


@pytest.mark.parametrize(
    "path",
    [
        "/v1/%70ublic/logo",
        "/v1/%2570ublic/logo",
        "/v1//public/logo",
        "/v1/public%2Flogo",
        "/v1/public;a=b/logo",
        "/v1/public%3Ba/logo",
        "/v1/PUBLIC/logo",
        "/v1/\uff50ublic/logo",
        "/v1/public%20/logo",
    ],
)
def test_every_spelling(path: str) -> None:
    """An exception keeps the token from its paths in every spelling that a server may decode."""
    allowed = AllowedList([PUBLIC, ALL])
    assert allowed.match("GET", f"{API}{path}") is None
    assert allowed.explain("GET", f"{API}{path}").reason == "excepted"
    above = AllowedRoute(f"{API}/v1*", http_method="GET")
    assert AllowedList([above, PUBLIC]).match("GET", f"{API}{path}") is above


def test_encoded_exception() -> None:
    """An exception may be written with percent-encoding, and excepts nothing beside its paths."""
    allowed = AllowedList([AllowedRoute(f"{API}/v1/caf%C3%A9;a/*", attach=False), ALL])
    for spelling in ("caf%C3%A9;a", "caf\u00e9;a", "%63af%C3%A9%3Ba"):
        assert allowed.match("GET", f"{API}/v1/{spelling}/x") is None
    for other in ("caf%C3%A9/x", "caf%C3%A9;b/x", "caf%C3%A9;a", "cafe/x"):
        assert allowed.match("GET", f"{API}/v1/{other}") is ALL


async def _coroutine(url: str) -> bool:
    return False


def _raises(url: str) -> bool:
    raise RuntimeError("broken")


@pytest.mark.parametrize("matcher", [_raises, lambda url: _coroutine(url), lambda url: True])
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_a_matcher_that_fails(matcher: object) -> None:
    """When the matcher of an exception gives no answer, the request has no token."""
    exception = AllowedRoute(uri_matcher=matcher, attach=False)  # type: ignore[arg-type]
    assert AllowedList([exception, ALL]).match("GET", f"{API}/v1/me") is None


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([ALL, PUBLIC], "is never reached"),
        ([AllowedRoute(API, attach=False, allow_anonymous=True)], "say what to attach"),
        ([AllowedRoute(API, attach=False, token_options=TokenOptions())], "say what to attach"),
        ([AllowedRoute(API, attach="no")], "neither True nor False"),  # type: ignore[arg-type]
    ],
)
def test_bad_exceptions(entries: list[AllowedRoute], words: str) -> None:
    """An exception that an entry above hides, or that contradicts itself, stops the start."""
    (problem,) = problems(entries)
    assert words in problem


async def test_requests() -> None:
    """A request of an exception has no token, whatever it asks for itself, and its event says so;
    nor does it keep a caller's credentials after a redirect to it."""
    network = Recorder({f"{API}/v1/old": EXCEPTED})
    events: list[RequestEvent] = []
    transport = AccessTokenTransport(
        AllowedList([PUBLIC, ALL]), TokenProvider(), network, observers=[events.append]
    )
    async with build_client(transport) as http:
        await http.get(EXCEPTED, extensions={"auth": TokenOptions("https://api.example.com/")})
        await http.get(f"{API}/v1/old", headers={"X-Api-Key": "secret"}, follow_redirects=True)
    assert [(event.reason, event.entry) for event in events] == [
        ("excepted", PUBLIC.uri),
        ("attached", ALL.uri),
        ("excepted", PUBLIC.uri),
    ]
    assert ["authorization" in request.headers for request in network.sent] == [False, True, False]
    assert "x-api-key" not in network.sent[-1].headers


@pytest.mark.parametrize(
    ("method", "url", "attach", "reason", "words"),
    [
        ("GET", f"{API}/v1/me", True, "attached", "allowed_list[1]"),
        ("GET", EXCEPTED, False, "excepted", "allowed_list[0]"),
        (
            "GET",
            f"{API}/v2",
            False,
            "not_on_list",
            "No entry covers GET https://api.example.com/v2",
        ),
        ("PUT", f"{API}/v3", False, "not_on_list", "(GET, POST)"),
        ("TRACE", f"{API}/v1/me", False, "method_without_token", "TRACE"),
        ("BAD METHOD", f"{API}/v1/me", False, "method_without_token", "BAD METHOD"),
        ("GET", "http://api.example.com/v1/me", False, "not_confidential", "use https"),
        ("GET", "https://u:p@api.example.com/v1/me", False, "odd_url", "userinfo"),
        ("GET", f"{API}/v1/%2e%2e/admin", False, "odd_url", "disguised"),
        ("GET", f"{API}\\v1\\me", False, "odd_url", "backslash"),
        ("GET", "/v1/me", False, "odd_url", "no base_url"),
    ],
)
def test_explain(method: str, url: str, attach: bool, reason: str, words: str) -> None:
    """The list names the entry that decides, or the rule that the request fails; and it decides
    like `match`."""
    allowed = AllowedList([PUBLIC, ALL, AllowedRoute(f"{API}/v3", http_method=["GET", "POST"])])
    explanation = allowed.explain(method, url)
    assert (explanation.attach, explanation.reason) == (attach, reason)
    assert words in explanation.text
    assert (allowed.match(method, url) is not None) == attach
    assert "u:p" not in explanation.text
    assert allowed.find(method, url) is explanation.entry


def test_explain_takes_what_match_takes() -> None:
    """An `httpx.URL` is explained like its text."""
    assert AllowedList([ALL]).explain("GET", httpx.URL(f"{API}/v1/me")).entry is ALL
