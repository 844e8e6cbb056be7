"""Two providers with the same users, and two host names, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from ..tabs import expect_in_place
from ..walk import ALICE, PASSWORD, by_test_id, enter_password, sign_in
from .conftest import Several


def at_provider(page: Page, several: Several, name: str) -> None:
    """The browser is at this provider's login page."""
    page.wait_for_url(f"{several.providers[name].url}/u/login**")


def expect_user(page: Page, provider: str) -> None:
    """Alice is shown as the user of this provider."""
    expect(page.locator("#who")).to_have_text(f"{provider} {ALICE}")


def log_in(page: Page, several: Several, name: str, path: str = "/notes") -> None:
    """Open a guarded page, choose the provider, and log in there as Alice."""
    page.goto(f"{several.stack.url}{path}")
    page.wait_for_url(re.compile(r"/login\?return_to="))
    by_test_id(page, f"login-{name}").click()
    at_provider(page, several, name)
    sign_in(page, several.stack)
    page.wait_for_url(f"{several.stack.url}{path}")


def test_choice(person: Page, several: Several) -> None:
    """A visitor of a guarded page chooses a provider by its title, and comes back to the page."""
    person.goto(f"{several.stack.url}/notes")
    links = person.locator(".auth-providers a")
    expect(links).to_have_text(["Log in with work", "Log in with Café Club"])
    by_test_id(person, "login-club").click()
    at_provider(person, several, "club")
    sign_in(person, several.stack)
    person.wait_for_url(f"{several.stack.url}/notes")
    expect_user(person, "club")


def test_other_provider_of_the_same_name(person: Page, several: Several) -> None:
    """What a user leaves in the browser is not shown to the user of the other provider who has the
    same `sub`; the open tab follows to the new login."""
    log_in(person, several, "work")
    expect(person.locator("#text")).to_have_text("nothing")
    person.locator("#write").fill("secret of work")
    person.locator("#write").blur()
    expect(person.locator("#text")).to_have_text("secret of work")
    person.evaluate("window.mark = 1")
    other = person.context.new_page()
    other.goto(f"{several.stack.url}/auth/login?provider=club&return_to=/notes")
    sign_in(other, several.stack)
    for page in (other, person):
        expect_user(page, "club")
        expect(page.locator("#text")).to_have_text("nothing")
    expect_in_place(person)


def test_page_of_one_provider(person: Page, several: Several) -> None:
    """A page for users of one provider sends a user of the other one there, and shows itself
    afterwards."""
    log_in(person, several, "work")
    person.goto(f"{several.stack.url}/lounge")
    at_provider(person, several, "club")
    sign_in(person, several.stack)
    expect(person.get_by_role("heading", name="The lounge")).to_be_visible()
    expect_user(person, "club")


def test_popup(person: Page, several: Several) -> None:
    """In a window of its own, too, the user chooses, and the window closes itself."""
    person.goto(several.stack.url)
    expect(by_test_id(person, "login")).to_be_visible()
    with person.expect_popup() as opened:
        person.get_by_role("link", name="Log in in a window").click()
    popup = opened.value
    by_test_id(popup, "login-work").click()
    enter_password(popup, ALICE, PASSWORD)
    popup.wait_for_url("**/u/consent**")
    with popup.expect_event("close"):
        by_test_id(popup, "tenant-accept").click()
    expect_user(person, "work")


@pytest.mark.parametrize("at", ["stack", "other"])
def test_host(person: Page, several: Several, at: str) -> None:
    """At each host name the app is live: login, page and logout stay there."""
    stack = getattr(several, at)
    person.goto(f"{stack.url}/notes")
    by_test_id(person, "login-work").click()
    sign_in(person, stack)
    person.wait_for_url(f"{stack.url}/notes")
    expect_user(person, "work")
    person.locator("#write").fill(at)
    person.locator("#write").blur()
    expect(person.locator("#text")).to_have_text(at)
    by_test_id(person, "logout").click()
    person.wait_for_url(f"{stack.url}/")
    expect(by_test_id(person, "login")).to_be_visible()
