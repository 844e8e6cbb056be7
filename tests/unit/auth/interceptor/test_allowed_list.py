"""How entries are chosen: order, methods, matchers, and the cost of many."""

from __future__ import annotations

import logging

import httpx
import pytest

from app.auth.interceptor import AllowedList, AllowedRoute, TokenOptions

from .fakes import Asked

API = "https://api.example.com"


def test_first_match_wins() -> None:
    """An entry further up decides, also when a later one is more exact."""
    wide = AllowedRoute(f"{API}/v1*", http_method="GET")
    exact = AllowedRoute(f"{API}/v1/me", token_options=TokenOptions(audience="a"))
    assert AllowedList([wide, exact]).match("GET", f"{API}/v1/me") is wide
    assert AllowedList([exact, wide]).match("GET", f"{API}/v1/me") is exact
    assert AllowedList([wide, exact]).match("PUT", f"{API}/v1/me") is exact


def test_matchers_keep_their_place() -> None:
    """A uri_matcher wins over what stands below it and loses to what stands above."""
    route = AllowedRoute(f"{API}/v1/*")
    matcher = AllowedRoute(uri_matcher=lambda url: True)
    assert AllowedList([route, matcher]).match("GET", f"{API}/v1/me") is route
    assert AllowedList([matcher, route]).match("GET", f"{API}/v1/me") is matcher
    assert AllowedList([route, matcher]).match("GET", f"{API}/v2") is matcher


def test_a_string_becomes_a_route() -> None:
    """The answer is an AllowedRoute, however the entry was written."""
    assert AllowedList([f"{API}/v1"]).match("GET", f"{API}/v1") == AllowedRoute(f"{API}/v1")


def test_an_httpx_url_is_judged_like_its_text() -> None:
    """`match` takes the URL of a request as well as text."""
    allowed = AllowedList([f"{API}/v1/*"])
    assert allowed.match("GET", httpx.URL(f"{API}/v1/me"))
    assert not allowed.match("GET", httpx.URL("https://user:pw@api.example.com/v1/me"))
    assert not allowed.match("GET", httpx.URL(f"{API}/v1/%2e%2e/admin"))
    assert not allowed.match("GET", httpx.URL(f"{API}/v1\\me"))


def test_a_deep_wildcard_is_found_after_shallow_ones() -> None:
    """Each wildcard counts, however deep, and whatever was added after it."""
    deep = AllowedRoute(f"{API}/a/b/c/d/*")
    allowed = AllowedList([deep, f"{API}/x*"])
    assert allowed.match("GET", f"{API}/a/b/c/d/e/f") is deep
    assert allowed.match("GET", f"{API}/a/b/c/d") is None


def test_nothing_matches_an_empty_list() -> None:
    """No entries, no tokens."""
    assert AllowedList([]).match("GET", f"{API}/") is None


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        (f"{API}/a?x=1#frag", f"{API}/a?x=1"),
        ("HTTPS://API.example.com:443/a/../b", f"{API}/b"),
        ("https://münchen.example/a", "https://xn--mnchen-3ya.example/a"),
        ("https://api.example.com:8443/", "https://api.example.com:8443/"),
        ("http://[0::1]:80/", "http://[::1]/"),
        ("/rel", "https://app.example.com/rel"),
    ],
)
def test_a_matcher_gets_the_url_as_sent(url: str, seen: str) -> None:
    """A uri_matcher judges the real target, not what the caller happened to write."""
    asked = Asked()
    matcher = AllowedRoute(uri_matcher=asked)
    AllowedList([matcher], base_url="https://app.example.com").match("GET", url)
    assert asked.urls == [seen]


@pytest.mark.parametrize(
    "url", ["http://api.example.com/", "https://a@api.example.com/", f"{API}/%2e%2e/"]
)
def test_a_matcher_is_not_asked_about_unsafe_urls(url: str) -> None:
    """No uri_matcher can let a token out over plain http or to an ambiguous URL."""
    asked = Asked()
    allowed = AllowedList([AllowedRoute(uri_matcher=asked)])
    assert allowed.match("GET", url) is None
    assert asked.urls == []


def test_a_failing_matcher_is_no_match(caplog: pytest.LogCaptureFixture) -> None:
    """An exception in a uri_matcher is a warning without the query, and the next entry is tried."""

    def broken(url: str) -> bool:
        raise ValueError(url)

    route = AllowedRoute(f"{API}/*")
    allowed = AllowedList([AllowedRoute(uri_matcher=broken), route])
    with caplog.at_level(logging.WARNING):
        assert allowed.match("GET", f"{API}/a?code=secret") is route
    assert f"{API}/a" in caplog.text
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


async def test_an_awaitable_answer_is_no_match() -> None:
    """A uri_matcher whose answer would have to be awaited has not said yes."""

    async def always(url: str) -> bool:
        return True

    pending = always("")
    matcher = AllowedRoute(uri_matcher=lambda url: pending)  # type: ignore[arg-type,return-value]
    assert AllowedList([matcher]).match("GET", f"{API}/") is None
    await pending


@pytest.mark.parametrize("method", ["GET", "get", "Post", "PATCH"])
def test_no_method_means_every_method(method: str) -> None:
    """An entry without http_method allows all that may carry credentials."""
    assert AllowedList([f"{API}/*"]).match(method, f"{API}/")


@pytest.mark.parametrize("method", ["TRACE", "connect", "", "GET ", "G\nET", "PO\u017fT"])
def test_some_methods_never_match(method: str) -> None:
    """TRACE echoes headers and CONNECT asks for a tunnel; the rest are no methods."""
    assert AllowedList([f"{API}/*"]).match(method, f"{API}/") is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.evil.example/",
        "https://127.1/",
        "https://0x7f.0.0.1/",
        "https://1.2.3/",
        "https://api.example.com:0/",
        "https://api.example.com/?back\\slash",
    ],
)
def test_a_matcher_is_not_asked_about_odd_urls(url: str) -> None:
    """A uri_matcher cannot allow what no entry could: it is not even asked."""
    asked = Asked()
    assert AllowedList([AllowedRoute(uri_matcher=asked)]).match("GET", url) is None
    assert asked.urls == []


@pytest.mark.parametrize("url", ["//[fe80::1%\u00a025eth0]/", "https://[fe80::1%\u00a025]/"])
def test_a_host_that_cannot_be_sent(url: str) -> None:
    """A parsed URL whose host httpx itself cannot write out is no match, and no exception."""
    assert AllowedList([f"{API}/*"], base_url=API).match("GET", httpx.URL(url)) is None


NAMED = "https://api.example.com/users/CORP%5Cbob"


def test_encoded_backslash_has_one_entry_for_both_readings() -> None:
    """With the backslash as data and as a slash, the same entry comes first: no server's reading
    gets the token of another entry."""
    users = AllowedRoute("https://api.example.com/users/*")
    corp = AllowedRoute("https://api.example.com/users/CORP/*")
    bob = AllowedRoute("https://api.example.com/users/CORP/bob")
    assert AllowedList([users]).match("GET", NAMED) is users
    for other in (corp, bob):
        assert AllowedList([other, users]).match("GET", NAMED) is None


def test_encoded_backslash_and_a_matcher() -> None:
    """A `uri_matcher` is not asked about it, and hides the entries behind it as always."""
    users = AllowedRoute("https://api.example.com/users/*")
    everything = AllowedRoute(uri_matcher=lambda url: True)
    assert AllowedList([everything]).match("GET", NAMED) is None
    assert AllowedList([everything, users]).match("GET", NAMED) is None
    assert AllowedList([users, everything]).match("GET", NAMED) is users
