"""The app of the library's README, in development and in production."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from ..conftest import NewPerson
from ..stack import Stack
from ..walk import BOB, PASSWORD, enter_password, sign_in


def test_login(person: Page, shop: Stack) -> None:
    """The login link leads through the provider to the guarded page, which shows what the API
    answered; its handler runs; and the logout leads back to the start, signed out."""
    person.goto(shop.url)
    expect(person.get_by_text("Hello visitor")).to_be_visible()
    person.get_by_role("link", name="Log in").click()
    sign_in(person, shop)
    person.wait_for_url(f"{shop.url}/orders**")
    expect(person.get_by_text("Orders of alice@example.com")).to_be_visible()
    person.get_by_role("button", name="Add an order").click()
    expect(person.get_by_text("Orders: 1")).to_be_visible()
    person.get_by_role("button", name="Log out").click()
    person.wait_for_url(f"{shop.url}/")
    expect(person.get_by_text("Hello visitor")).to_be_visible()


def test_guarded_page(person: Page, shop: Stack) -> None:
    """A visitor who opens the guarded page logs in first and comes back to it."""
    person.goto(f"{shop.url}/orders")
    sign_in(person, shop)
    person.wait_for_url(f"{shop.url}/orders**")
    expect(person.get_by_text("Orders of alice@example.com")).to_be_visible()


def test_other_tab(person: Page, shop: Stack) -> None:
    """A second tab follows the login and the logout in place."""
    other = person.context.new_page()
    other.goto(shop.url)
    expect(other.get_by_text("Hello visitor")).to_be_visible()
    person.goto(f"{shop.url}/orders")
    sign_in(person, shop)
    expect(other.get_by_text("Hello Alice")).to_be_visible()
    person.get_by_role("button", name="Log out").click()
    expect(other.get_by_text("Hello visitor")).to_be_visible()


def test_declined_consent(person: Page, shop: Stack) -> None:
    """A login that the user declines ends on the default page, which tries again and returns to the
    page that the login was for."""
    shop.tenant.forget_consents()
    person.goto(f"{shop.url}/orders")
    enter_password(person, BOB, PASSWORD)
    person.wait_for_url("**/u/consent**")
    person.get_by_test_id("tenant-decline").click()
    person.wait_for_url(f"{shop.url}/error?**")
    expect(person.get_by_test_id("auth-error")).to_have_text("The login was declined")
    expect(person.locator("code")).to_have_text(re.compile("^[0-9a-f]{8}$"))
    person.get_by_test_id("try-again").click()
    person.wait_for_url("**/u/consent**")
    person.get_by_test_id("tenant-accept").click()
    person.wait_for_url(f"{shop.url}/orders")
    expect(person.get_by_text("Orders of bob@example.com")).to_be_visible()


def test_failed_login(person: Page, shop: Stack) -> None:
    """A callback that belongs to no login ends on the default page, and stays there; nothing of the
    URL is shown but the reference."""
    person.goto(f"{shop.api_url}/auth/callback?state=x&code=x")
    person.wait_for_url(f"{shop.url}/error?**")
    expect(person.get_by_test_id("auth-error")).to_have_text("This login is no longer open")
    person.goto(f"{shop.url}/error?code=<b>odd</b>&id=<b>odd</b>&return_to=//evil.example")
    expect(person.get_by_test_id("auth-error")).to_have_text("The login failed")
    expect(person.get_by_text("odd")).to_have_count(0)
    assert person.get_by_test_id("try-again").get_attribute("href") == (
        f"{shop.api_url}/auth/login?return_to=%2F"
    )


def test_no_page_there(person: Page, shop: Stack) -> None:
    """Reflex's page for addresses without one is shown to everybody: no login, and no circle."""
    person.goto(f"{shop.url}/nothing/here")
    expect(person.get_by_text("404")).to_be_visible()
    assert person.url == f"{shop.url}/nothing/here"


def test_german(new_person: NewPerson, shop: Stack) -> None:
    """A German browser gets German texts, from pages and from the backend's documents."""
    person = new_person(locale="de-DE")
    person.goto(f"{shop.url}/error?code=access_denied")
    expect(person.get_by_test_id("auth-error")).to_have_text("Die Anmeldung wurde abgelehnt")
    expect(person.locator("section[lang=de]")).to_be_visible()
    person.goto(f"{shop.api_url}/auth/logout")
    expect(person.get_by_role("heading")).to_have_text("Abmelden?")
