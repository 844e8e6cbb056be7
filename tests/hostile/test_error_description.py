"""The provider's own sentence about a refused login, where an app shows it."""

from __future__ import annotations

from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from ..flow.world import Clock
from .provider import HostileProvider
from .relying_party import APP, RelyingParty, relying_party
from .test_authorization_response import refused

WORDS = "<a href=https://evil.example>Call 555</a>\n\u202eService not found: x" + "y" * 1000


async def failed(party: RelyingParty, query: str = "display=popup") -> str:
    """The address of the page that a refused login ends on."""
    response = await party.begin(query)
    response = await party.browser.get(response.headers["location"])
    return (await party.browser.get(response.headers["location"])).headers["location"]


async def shown(browser: httpx.AsyncClient, address: str) -> str:
    """The page at this address, as it is sent."""
    return (await browser.get(address)).text


async def test_shown_where_it_is_allowed(provider: HostileProvider, clock: Clock) -> None:
    """The sentence is text of one line, escaped, shortened, and never a link; the address has it
    sealed. Ten minutes later, and in another browser, the address shows nothing of it."""
    provider.bend.authorization_response = refused("access_denied", ("error_description", WORDS))
    async with relying_party(provider, clock, APP_SHOW_ERROR_DESCRIPTION="1") as party:
        address = await failed(party)
        assert "555" not in address
        page = await shown(party.browser, address)
        assert "The login was declined" in page  # the page's own words stay
        sentence = unescape(page.partition('<q dir="auto">')[2].partition("</q>")[0])
        assert sentence.startswith("<a href=https://evil.example>Call 555</a> Service not found")
        assert len(sentence) == 300
        assert sentence.isprintable()
        assert "<a href=https" not in page
        stranger = httpx.AsyncClient(mounts={APP: party._app}, trust_env=False)
        assert "555" not in await shown(stranger, address)
        clock.now += 600
        assert "555" not in await shown(party.browser, address)


async def test_not_shown_by_default(
    party: RelyingParty, provider: HostileProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """Unless the app allows it, the page and its address have nothing of the sentence. The log has
    it, and says which setting it is about, under the same id."""
    provider.bend.authorization_response = refused("access_denied", ("error_description", WORDS))
    address = await failed(party)
    assert "reason" not in parse_qs(urlsplit(address).query)
    assert "555" not in await shown(party.browser, address)
    (error_id,) = parse_qs(urlsplit(address).query)["id"]
    hint = next(text for text in caplog.messages if "AUTH0_AUDIENCE" in text)
    assert hint.startswith(f"[{error_id}]")
    assert "555" not in hint


@pytest.mark.parametrize("reason", ["Call 555", "Q2FsbCA1NTU", "A" * 5000, "\u00e9"])
async def test_sentence_of_a_stranger(provider: HostileProvider, clock: Clock, reason: str) -> None:
    """Nobody else can make the page say a sentence: not by a link to the page, and not by a link to
    the callback, which is of no login that this browser has begun."""
    async with relying_party(provider, clock, APP_SHOW_ERROR_DESCRIPTION="1") as party:
        await party.begin("display=popup")
        for state in ("", "guessed"):
            answer = {"error": "access_denied", "error_description": "Call 555", "state": state}
            response = await party.browser.get(f"{APP}/auth/callback?{urlencode(answer)}")
            assert "reason" not in parse_qs(urlsplit(response.headers["location"]).query)
        query = urlencode({"code": "access_denied", "id": "0123abcd", "reason": reason})
        page = await shown(party.browser, f"{APP}/auth/popup?{query}")
        assert "<q" not in page
        assert "555" not in page
