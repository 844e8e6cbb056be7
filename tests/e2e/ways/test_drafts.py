"""A text that is not saved, in an app with a plain form, when the backend loses its States."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from ..stack import Stack
from ..tabs import expect_in_place
from ..walk import sign_in


def type_in(tab: Page, ways: Stack, text: str) -> None:
    """Open the editor, and type."""
    tab.goto(f"{ways.url}/note")
    tab.get_by_role("button", name="Edit").click()
    tab.locator("#editor").fill(text)
    tab.evaluate("window.mark = 1")


def test_restart(person: Page, ways: Stack) -> None:
    """When the backend comes back without its States, what was typed is there again, as not saved.
    What was sent while it was away is saved by the new backend, slowly, and does not come back."""
    person.goto(f"{ways.url}/note")
    sign_in(person, ways)
    other = person.context.new_page()
    type_in(person, ways, "half of a")
    type_in(other, ways, "coffee")
    ways.app.stop()
    other.get_by_role("button", name="Save").click()
    ways.app.start()
    expect(person.locator("#editor")).to_have_value("half of a")
    expect(person.locator("#problem")).to_have_text("Not saved.")
    expect(other.locator("#text")).to_have_text("coffee")
    other.wait_for_timeout(500)  # in which nothing comes back
    expect(other.locator("#editor")).to_have_count(0)
    assert other.evaluate("sessionStorage.getItem('auth_drafts')") is None
    for tab in (person, other):
        expect_in_place(tab)
    person.reload()
    expect(person.locator("#editor")).to_have_value("half of a")
    person.get_by_role("button", name="Save").click()
    expect(person.locator("#text")).to_have_text("half of a")
    person.reload()
    expect(person.locator("#text")).to_have_text("half of a")
