"""The matcher against a hundred thousand made-up URLs, judged by another parser."""

from __future__ import annotations

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.auth.errors import ConfigError
from app.auth.interceptor import AllowedList, AllowedRoute

from .judge import Place, covers, is_confidential, place_of, stays_inside
from .url_strategies import ENTRIES, hostile, plain

BATCH = 40
EXAMPLES = 2_600  # times BATCH: more than 100,000 URLs
fuzz = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
ALLOWED = AllowedList(ENTRIES)


def sent_to(url: str) -> Place | None:
    """Where httpx would send it, from the request that it builds."""
    try:
        request = httpx.Request("GET", url)
    except (httpx.InvalidURL, ValueError):
        return None
    scheme = request.url.scheme + ":"
    host = request.url.raw_host.decode()
    port = str(request.url.port or {"https": 443}.get(request.url.scheme, 80))
    path = request.url.raw_path.decode().partition("?")[0]
    return Place(scheme, f"[{host}]" if ":" in host else host, port, path)


def check(url: str, route: AllowedRoute | None) -> None:
    """A URL that gets a token leads where its entry says, for every parser."""
    if route is None:
        return
    assert route.uri
    browser, wire = place_of(url), sent_to(url)
    assert browser is not None
    assert wire is not None
    assert covers(route.uri, browser), (url, route.uri, browser)
    assert place_of(f"{wire.scheme}//{wire.host}:{wire.port}{wire.path}") == browser, (url, wire)
    assert stays_inside(route.uri, wire.path), (url, route.uri)
    assert is_confidential(browser)
    assert "@" not in url.split("/")[2]


def check_parsed(url: str) -> None:
    """So does one that httpx has parsed already."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return
    route, wire = ALLOWED.match("GET", parsed), sent_to(url)
    if route is None:
        return
    assert route.uri
    assert wire is not None
    place = place_of(f"{wire.scheme}//{wire.host}:{wire.port}{wire.path}")
    assert place is not None
    assert covers(route.uri, place), (url, route.uri)
    assert stays_inside(route.uri, wire.path), (url, route.uri)
    assert is_confidential(place)
    assert not parsed.userinfo


def test_no_token_goes_astray() -> None:
    """Of a hundred thousand URLs, whatever gets a token leads, for a browser and for httpx alike,
    to where its entry says."""
    judged = []

    @fuzz
    @given(st.lists(hostile, min_size=BATCH, max_size=BATCH))
    def judge(urls: list[str]) -> None:
        judged.append(len(urls))
        for url in urls:
            check(url, ALLOWED.match("GET", url))
            check_parsed(url)

    judge()
    assert sum(judged) >= 100_000


@settings(fuzz, max_examples=3_000)
@given(plain)
def test_plain_urls_get_theirs(case: tuple[str, str]) -> None:
    """A plain URL under an entry gets a token."""
    entry, url = case
    route = AllowedList([entry]).match("GET", url)
    assert route is not None, (entry, url)


@settings(fuzz, max_examples=1_000)
@given(
    st.lists(
        st.tuples(st.sampled_from(ENTRIES), st.sampled_from((None, "get", ["POST", "Put"]))),
        unique_by=repr,
        max_size=6,
    ),
    st.sampled_from(("GET", "post", "PUT", "DELETE")),
    plain,
)
def test_the_first_entry_wins(
    entries: list[tuple[str, str | list[str] | None]], method: str, case: tuple[str, str]
) -> None:
    """Of the entries that cover a URL and its method, the first one decides."""
    routes = [AllowedRoute(uri, http_method=methods) for uri, methods in entries]
    try:
        allowed = AllowedList(routes)
    except ConfigError:
        return  # one of them shadows another: that is reported, and never decided
    place = place_of(case[1])
    assert place
    expected = [r for r in routes if covers(str(r.uri), place) and _takes(r, method)]
    found = allowed.match(method, case[1])
    assert (found.uri if found else None) == (expected[0].uri if expected else None)


def _takes(route: AllowedRoute, method: str) -> bool:
    methods = route.http_method
    listed = [methods] if isinstance(methods, str) else methods
    return listed is None or method.upper() in {name.upper() for name in listed}


@settings(fuzz, max_examples=2_000)
@given(hostile, st.sampled_from(("", "*", "/*")), hostile)
def test_odd_entries(entry: str, star: str, url: str) -> None:
    """An entry made of anything is refused when it is read, or covers what it says and no more."""
    try:
        allowed = AllowedList([entry + star])
    except ConfigError:
        return
    for candidate in (url, entry, f"{entry}/x"):
        check(candidate, allowed.match("GET", candidate))
