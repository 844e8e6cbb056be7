"""What the profile says about the login: claims, and the time that is left of each token."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from .stack import Stack
from .tabs import RunAsync, expire_tokens_in_store, open_tab, session_of
from .walk import ALICE, by_test_id, on_profile

LEAVE = "(e, seconds) => (e.dataset.until = new Date(Date.now() + seconds * 1000).toISOString())"


def test_claims(person: Page, stack: Stack) -> None:
    """The public claims are listed with their names, and no token is among them."""
    on_profile(person, stack, ALICE)
    claims = by_test_id(person, "claims")
    expect(claims).to_contain_text("Email verified")
    expect(claims.locator("dt", has_text="Email").first.locator("+ dd")).to_have_text(ALICE)
    assert "eyJ" not in person.locator("main").inner_html()


def test_countdown(person: Page, stack: Stack) -> None:
    """The time that is left ticks in the browser, without a message to the server. At its end the
    page says what happens then. A reader who wants less motion gets minutes."""
    sent: list[object] = []
    person.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    on_profile(person, stack, ALICE)
    countdown = by_test_id(person, "countdown").first
    expect(countdown).to_contain_text("left")
    expect(countdown).to_have_attribute("role", "timer")
    countdown.evaluate(LEAVE, 4)
    expect(countdown).to_have_text(re.compile("^0:0[1-4] left$"))
    before, first = len(sent), countdown.inner_text()
    expect(countdown).not_to_have_text(first)
    expect(countdown).to_have_text("renewed when needed")
    assert len(sent) - before <= 1  # a ping
    person.emulate_media(reduced_motion="reduce")
    countdown.evaluate(LEAVE, 90)
    expect(countdown).to_have_text("2 min left")


def test_countdown_follows_a_renewal(person: Page, stack: Stack, run_async: RunAsync) -> None:
    """When a request in another tab has renewed the token, the open profile has the new time."""
    on_profile(person, stack, ALICE)
    countdown = by_test_id(person, "countdown").first
    before = countdown.get_attribute("data-until")
    assert before
    run_async(expire_tokens_in_store(stack, session_of(person, stack)))
    other = open_tab(person, stack)
    expect(by_test_id(other, "user-metadata")).to_be_visible()
    expect(countdown).not_to_have_attribute("data-until", before)
    expect(countdown).to_contain_text("left")
