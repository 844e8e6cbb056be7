"""The app of the library's README, in development and in production."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from ..stack import Stack
from ..walk import sign_in


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
