"""What a person does, as functions over a page."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Locator, Page, expect

from .stack import Stack

ALICE = "alice@example.com"
BOB = "bob@example.com"
PASSWORD = "password"


def by_test_id(page: Page, name: str) -> Locator:
    """The visible element with this test id."""
    return page.get_by_test_id(name)


def log_in(page: Page, stack: Stack, email: str = ALICE, *, start: str = "/") -> None:
    """From the app's log-in link through the tenant's pages and back, consenting if asked."""
    page.goto(f"{stack.url}{start}")
    by_test_id(page, "login").click()
    sign_in(page, stack, email)


def sign_in(page: Page, stack: Stack, email: str = ALICE) -> None:
    """At the tenant: password, then consent if it asks."""
    enter_password(page, email, PASSWORD)
    page.wait_for_url(re.compile(rf"^{stack.url}/|/u/consent"))
    if "/u/consent" in page.url:
        by_test_id(page, "tenant-accept").click()
    page.wait_for_url(f"{stack.url}/**")


def enter_password(page: Page, email: str, password: str) -> None:
    """Fill and send the tenant's login form."""
    page.wait_for_url("**/u/login**")
    page.fill("input[name=username]", email)
    page.fill("input[name=password]", password)
    by_test_id(page, "tenant-login").click()


def open_profile(page: Page, stack: Stack) -> None:
    """Follow the app's own link, as a person would."""
    page.get_by_role("link", name="Profile", exact=True).click()
    page.wait_for_url(f"{stack.url}/profile")


def on_profile(page: Page, stack: Stack, email: str) -> None:
    """Log in, and have the metadata in view."""
    log_in(page, stack, email)
    open_profile(page, stack)
    shown_metadata(page)


def expect_editor(page: Page, name: str, color: str) -> None:
    """The editor is open, for the person of this name and with their metadata in it."""
    text = json.dumps({"color": color}, indent=2)
    expect(by_test_id(page, "metadata-editor")).to_have_value(text)
    expect(by_test_id(page, "user-name")).to_contain_text(name)


def shown_metadata(page: Page) -> object:
    """The JSON that the profile shows, once it shows one."""
    pre = by_test_id(page, "user-metadata")
    expect(pre).to_be_visible()
    return json.loads(pre.inner_text())


def log_out(page: Page, stack: Stack) -> None:
    """Press the button and arrive back, logged out."""
    by_test_id(page, "logout").click()
    expect(by_test_id(page, "login")).to_be_visible()
