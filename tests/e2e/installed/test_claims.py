"""A role is withdrawn at the provider while tabs are open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from ..conftest import NewPerson
from ..stack import Stack
from ..tabs import RunAsync, expire_tokens_in_store, session_of
from ..walk import BOB
from .test_installed import enter


@pytest.fixture
def bob(notes: Stack) -> Iterator[Stack]:
    """Bob is an administrator."""
    notes.tenant.set_user(BOB, name="Bob Builder", roles=["admin"])
    yield notes
    notes.tenant.set_user(BOB, name="Bob Builder", roles=[])


def test_role_is_withdrawn(new_person: NewPerson, bob: Stack, run_async: RunAsync) -> None:
    """Two tabs show an administrator's page. At the next refresh of a token both show in place that
    the page is not for this user, and have forgotten what it showed; a handler of that page is
    refused. Once the role is granted again, both show the page, with the new name."""
    first = new_person()
    enter(first, bob, BOB)
    second = first.context.new_page()
    for tab in (first, second):
        tab.goto(f"{bob.url}/admins")
        expect(tab.locator("#admins")).to_be_visible()
        tab.evaluate("window.mark = 1")
    first.get_by_role("button", name="plan", exact=True).click()
    expect(first.locator("#plan")).to_have_text("to the moon")

    bob.tenant.set_user(BOB, name="Bob Builder", roles=["reader"])
    _refresh(first, bob, run_async)
    for tab in (first, second):
        expect(tab.get_by_text("This page is not for you")).to_be_visible()
        expect(tab.locator("#admins")).to_have_count(0)
        assert "to the moon" not in tab.content()

    bob.tenant.set_user(BOB, name="Bob B.", roles=["admin"])
    third = first.context.new_page()  # the button of the other two is gone
    third.goto(bob.url)
    _refresh(third, bob, run_async)
    for tab in (first, second):
        expect(tab.locator("#name")).to_have_text("Bob B.")
        assert tab.evaluate("window.mark") == 1
    expect(first.locator("#plan")).to_have_text("to the moon")
    # The subscriber ran for each page load and for the new name, but not for roles alone, which
    # are not public.
    expect(second.locator("#runs")).to_have_text("bob,bob")


def _refresh(tab: Page, stack: Stack, run_async: RunAsync) -> None:
    run_async(expire_tokens_in_store(stack, session_of(tab, stack)))
    tab.get_by_role("button", name="ask for a token", exact=True).click()
