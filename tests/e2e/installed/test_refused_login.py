"""A login that the app's hook refuses, as the person sees it."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from playwright.sync_api import Page, expect

from ...cookies import session_cookie
from ..conftest import NewPerson
from ..stack import Stack
from ..walk import ALICE, by_test_id, sign_in

MARKUP = "<img src=x onerror='window.hacked = 1'><h1>Call 555</h1> & more"


def refused(page: Page, notes: Stack) -> str:
    """A login with a sentence of markup; the result is the address of the error page."""
    page.goto(f"{notes.url}/auth/login?refuse={quote(MARKUP)}")
    sign_in(page, notes, ALICE)
    page.wait_for_url(re.compile(r"/error\?"))
    return page.url


def test_sentence(new_person: NewPerson, notes: Stack) -> None:
    """The error page shows the app's sentence as text, and the reference; markup in it does
    nothing. There is no session. In another browser, the same address shows no sentence."""
    person = new_person()
    address = refused(person, notes)
    expect(person.get_by_text(f"No entry: {MARKUP}", exact=True)).to_be_visible()
    expect(by_test_id(person, "auth-error")).to_have_text("You cannot log in here")
    expect(person.get_by_role("heading", name="Call 555")).to_have_count(0)
    assert person.evaluate("window.hacked") is None
    query = {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
    expect(person.get_by_text(query["id"])).to_be_visible()
    assert "555" not in address
    again = by_test_id(person, "try-again").get_attribute("href")
    assert again
    assert "prompt=login" in again  # else the provider would log in the same user
    cookies = [cookie["name"] for cookie in person.context.cookies()]
    assert session_cookie(notes.url) not in cookies

    other = new_person()
    other.goto(address)
    expect(by_test_id(other, "auth-error")).to_have_text("The login failed")
    expect(other.get_by_text("555")).to_have_count(0)


def test_link_of_a_stranger(person: Page, notes: Stack) -> None:
    """A link to the error page shows no sentence that its author wrote into it."""
    refused(person, notes)
    for forged in ({"reason": "Call 555"}, {"message": "Call 555"}, {"text": "Call 555"}):
        query = urlencode({"code": "no_entry", "id": "0123abcd", **forged})
        person.goto(f"{notes.url}/error?{query}")
        expect(by_test_id(person, "auth-error")).to_have_text("The login failed")
        expect(person.get_by_text("555")).to_have_count(0)
