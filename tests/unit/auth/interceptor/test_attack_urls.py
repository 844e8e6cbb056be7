"""Every row of the attack corpora is decided rightly."""

from __future__ import annotations

import httpx
import pytest

from app.auth.errors import ConfigError
from app.auth.interceptor import AccessTokenTransport, AllowedList, AllowedRoute, build_client

from .attack_case import AttackCase, as_params, load_cases
from .fakes import Asked, Recorder, TokenProvider

KNOWN = load_cases("known_attacks.json")
DECISIONS = [case for case in KNOWN if not (case.refused or case.redirect_to)] + load_cases(
    "more_attacks.json"
)
# Ambiguous as text; httpx reads them in one way and sends them to the allowed place.
TIDIED = {
    "port-plus",
    "port-underscore",
    "port-wide-digits",
    "port-blank",
    "ipv6-port-without-colon",
    "trailing-blank",
    "empty-userinfo",
    "relative-double-slash",
    "relative-triple-slash",
    "relative-without-slash",
    "control-in-query",
    "last-dot",
    "last-dots",
    "dots-hidden-by-dots",
    "dot-hidden-by-dots",
    "backslash-and-plain-dots",
}
SENDABLE = [case for case in DECISIONS if case.method.isascii() and case.method.isalpha()]


def test_the_known_corpus_is_complete() -> None:
    """No row gets lost on the way into the tests."""
    assert len(KNOWN) == 75


@pytest.mark.parametrize("case", as_params(DECISIONS))
def test_decision(case: AttackCase) -> None:
    """The allowed list decides each row as its reason says."""
    assert (case.allowed_list().match(case.method, case.url) is not None) is case.attach


@pytest.mark.parametrize("case", as_params(DECISIONS))
def test_entry_as_its_own_matcher_is_no_way_around(case: AttackCase) -> None:
    """A uri_matcher that says yes to everything still gets no ambiguous and no unsafe URL."""
    asked = Asked()
    everything = AllowedRoute(uri_matcher=asked)
    AllowedList([everything], base_url=case.base_url).match(case.method, case.url)
    for url in asked.urls:
        sent = httpx.URL(url)
        assert not sent.userinfo
        assert "\\" not in url
        assert sent.scheme == "https" or sent.host in {"localhost", "::1"} or "127." in sent.host


@pytest.mark.parametrize("case", as_params([case for case in KNOWN if case.refused]))
def test_refused_entry(case: AttackCase) -> None:
    """A dangerous entry stops the start, and the error quotes it."""
    with pytest.raises(ConfigError) as caught:
        case.allowed_list()
    assert case.pattern in str(caught.value)


@pytest.mark.parametrize("case", as_params(SENDABLE))
async def test_what_is_really_sent(case: AttackCase) -> None:
    """Through a real client, no token goes where the row says none may go."""
    recorder, provider = Recorder(), TokenProvider()
    transport = AccessTokenTransport(case.allowed_list(), provider, recorder)
    async with build_client(transport, case.base_url) as client:
        try:
            await client.request(case.method, case.url)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):
            assert not case.attach
            return
    with_token = recorder.sent[0].headers.get("authorization") == "Bearer access-token"
    assert with_token is (case.attach or case.id in TIDIED)


@pytest.mark.parametrize("case", as_params([case for case in KNOWN if case.redirect_to]))
async def test_redirect(case: AttackCase) -> None:
    """A redirect is followed, and its hop decided on its own URL."""
    recorder = Recorder({case.url: case.redirect_to or ""})
    transport = AccessTokenTransport(case.allowed_list(), TokenProvider(), recorder)
    async with build_client(transport) as client:
        await client.get(case.url, follow_redirects=True)
    first, second = recorder.sent
    assert first.headers["authorization"] == "Bearer access-token"
    assert ("authorization" in second.headers) is case.attach
