"""A bad allowed list stops the start, with every problem named at once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.auth.errors import ConfigError
from app.auth.interceptor import AllowedList, AllowedRoute

API = "https://api.example.com"


def problems(entries: Sequence[str | AllowedRoute], base_url: str | None = None) -> tuple[str, ...]:
    """What the start-up check says."""
    with pytest.raises(ConfigError) as caught:
        AllowedList(entries, base_url=base_url)
    return caught.value.problems


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("*", "does not start with 'https://'"),
        ("https://*", "'*' in its host"),
        ("https://*.example.com/*", "'*' in its host"),
        ("https://api.*", "a host that is not a plain name"),
        (f"{API}:*", "'*' in its port"),
        (f"{API}:8*0/", "'*' in its port"),
        ("http*://api.example.com/*", "'*' in its scheme"),
        (f"{API}/a*b", "not its last character"),
        (f"{API}/a/**", "not its last character"),
        ("api.example.com/*", "does not start with 'https://'"),
        ("api.example.com:443/*", "does not start with 'https://'"),
        ("//api.example.com/*", "does not start with 'https://'"),
        ("ftp://api.example.com/*", "does not start with 'https://'"),
        ("https:api.example.com/*", "no '//'"),
        ("/api/*", "without a base_url"),
        ("http://api.example.com/*", "plain http"),
        ("http://127.0.0.1.nip.io/*", "plain http"),
        ("http://[::2]/*", "plain http"),
        ("http://128.0.0.1/*", "plain http"),
        ("https://user@api.example.com/*", "userinfo"),
        (f"{API}/v1?x=1", "has a query"),
        (f"{API}/v1?*", "has a query"),
        (f"{API}/v1#top", "has a fragment"),
        (f"{API}/v1/../x", "'.' or '..' segment"),
        (f"{API}/v1/%2e%2e/x", "disguised"),
        (f"{API}\\v1", "backslash"),
        (f"{API}/v1/%00", "control character"),
        (f"{API}/v1/%", "starts no percent-encoding"),
        (f" {API}/v1", "does not start with 'https://'"),
        (f"{API}/v1 ", "blanks"),
        ("https://api.example.com./*", "not a plain name"),
        ("https://api.example.com:0/*", "port outside"),
        ("https://api.example.com:x/*", "malformed host or port"),
        ("https://127.1/*", "unusual notation"),
        ("https:///v1/*", "malformed host"),
    ],
)
def test_bad_uri(entry: str, words: str) -> None:
    """Each bad entry is one sentence that quotes it and says how to write it."""
    (problem,) = problems([entry])
    assert repr(entry) in problem
    assert words in problem
    assert "; " in problem or " or " in problem


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (AllowedRoute(), "neither of uri and uri_matcher"),
        (AllowedRoute(f"{API}/", uri_matcher=lambda url: True), "both of uri and uri_matcher"),
        (AllowedRoute(uri_matcher="x"), "cannot be called"),  # type: ignore[arg-type]
        (AllowedRoute(5), "not text"),  # type: ignore[arg-type]
        (AllowedRoute(f"{API}/", http_method="GTE"), "unknown http_method 'GTE'"),
        (AllowedRoute(f"{API}/", http_method="GET,POST"), "unknown http_method 'GET,POST'"),
        (AllowedRoute(f"{API}/", http_method=""), "unknown http_method ''"),
        (AllowedRoute(f"{API}/", http_method=[]), "http_method is empty"),
        (AllowedRoute(f"{API}/", http_method=["TRACE"]), "can never match TRACE"),
        (AllowedRoute(f"{API}/", http_method=[1]), "not text"),  # type: ignore[list-item]
    ],
)
def test_bad_route(route: AllowedRoute, words: str) -> None:
    """Fields that contradict each other or mean nothing are named."""
    assert words in " ".join(problems([route]))


async def _async_matcher(url: str) -> bool:
    return True


def test_async_matcher() -> None:
    """An async uri_matcher would always look true, so it is refused."""
    route = AllowedRoute(uri_matcher=_async_matcher)  # type: ignore[arg-type]
    assert "async uri_matcher" in problems([route])[0]


def test_entry_of_another_type() -> None:
    """Neither a string nor a route: said, not a traceback."""
    assert "neither a string" in problems([None])[0]  # type: ignore[list-item]


def test_a_string_is_not_a_list() -> None:
    """One string is not taken apart into letters."""
    assert "list of entries" in problems(f"{API}/*")[0]


def test_all_problems_at_once() -> None:
    """A person fixes the list in one go: each entry, and each fault of one entry, is there."""
    entries: list[str | AllowedRoute] = [
        "http://u:pw@api.example.com/a*b?x#y",
        "",
        AllowedRoute(f"{API}/", http_method="X"),
    ]
    found = problems(entries, base_url="/sub")
    assert len(found) == 7
    assert [problem.split()[0] for problem in found] == [
        "base_url",
        *["allowed_list[0]"] * 4,
        "allowed_list[1]",
        "allowed_list[2]",
    ]


def test_a_password_is_not_printed() -> None:
    """Errors get into logs; a password in an entry does not."""
    (problem,) = problems(["https://user:hunter2@api.example.com/*"])
    assert "hunter2" not in problem
    assert "https://user:***@api.example.com/*" in problem


@pytest.mark.parametrize(
    "base_url",
    ["", "/sub", "app.example.com", "https://a@b.example", "https://a.example/?x", "https://a/*"],
)
def test_bad_base_url(base_url: str) -> None:
    """A base_url that is no plain absolute URL is one problem; sound entries are not blamed."""
    (problem,) = problems(["/api/*", f"{API}/*"], base_url=base_url)
    assert problem.startswith(f"base_url {base_url!r}")


def test_http_base_url() -> None:
    """A relative entry under an http base is plain http like any other."""
    assert "plain http" in problems(["/api/*"], base_url="http://app.example.com")[0]
    assert AllowedList([f"{API}/*"], base_url="http://app.example.com")
    assert AllowedList(["/api/*"], base_url="http://localhost:8000")


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ([f"{API}/v1/me"], f"{API}/v1/me"),
        ([f"{API}/v1/*"], f"{API}/v1/me"),
        ([f"{API}/v1*"], f"{API}/v1"),
        ([f"{API}/v1*"], f"{API}/v1/*"),
        ([f"{API}/v1*"], f"{API}/v1/a/b*"),
        ([f"{API}*"], "HTTPS://API.EXAMPLE.COM:443/*"),
        ([f"{API}/v1/*"], AllowedRoute(f"{API}/v1/x", http_method="GET")),
        (
            [
                AllowedRoute(f"{API}/a", http_method="GET"),
                AllowedRoute(f"{API}/*", http_method="PUT"),
            ],
            AllowedRoute(f"{API}/a", http_method=["get", "put"]),
        ),
    ],
)
def test_shadowed_entry(earlier: list[str | AllowedRoute], later: str | AllowedRoute) -> None:
    """An entry that no request can reach is a mistake in the order, and the error says whose."""
    (problem,) = problems([*earlier, later])
    assert problem.startswith(f"allowed_list[{len(earlier)}]")
    assert "is never reached" in problem
    assert all(f"allowed_list[{n}]" in problem for n in range(len(earlier)))


def test_shadowed_matcher() -> None:
    """The same function twice, the second without a method of its own."""

    def matcher(url: str) -> bool:
        return True

    twice = [AllowedRoute(uri_matcher=matcher), AllowedRoute(uri_matcher=matcher)]
    assert "is never reached" in problems(twice)[0]


@pytest.mark.parametrize(
    "entries",
    [
        [f"{API}/v1/*", f"{API}/v1"],
        [f"{API}/v1/*", f"{API}/v1*"],
        [f"{API}/v1*", f"{API}/v10*"],
        [f"{API}/v1", f"{API}/v1*"],
        [f"{API}/*", "https://api.example.com:8443/*"],
        [AllowedRoute(f"{API}/*", http_method="GET"), f"{API}/*"],
        [AllowedRoute(f"{API}/*", http_method="GET"), AllowedRoute(f"{API}/*", http_method="PUT")],
        ["http://localhost:3001/*", "http://127.3.4.5/*", "http://[::1]:3001*"],
    ],
)
def test_sound_lists(entries: list[str | AllowedRoute]) -> None:
    """What only looks like a shadow, or like a danger, is accepted."""
    AllowedList(entries)
