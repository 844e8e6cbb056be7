"""The installed library in another app: guards of every kind, and what a subscriber is told."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from ..conftest import NewPerson
from ..stack import Stack
from ..walk import ALICE, BOB, sign_in


def enter(page: Page, notes: Stack, email: str) -> None:
    """Log in at the notes app."""
    page.goto(notes.url)
    page.get_by_role("link", name="log in").click()
    sign_in(page, notes, email)
    expect(page.locator("#ready")).to_have_text("ready")


def test_guarded_handlers(person: Page, notes: Stack) -> None:
    """Signed in, a guarded handler of each kind runs, with its arguments and what it chains."""
    enter(person, notes, ALICE)
    done = person.locator("#done")
    for name, result in (
        ("plain", "plain x"),
        ("coroutine", "plain x,coroutine,plain chained"),
        ("generator", "plain chained,generator,generator again,plain returned"),
        ("async generator", "plain returned,async generator"),
        ("background", "async generator,background"),
    ):
        person.get_by_role("button", name=name, exact=True).click()
        expect(done).to_contain_text(result)


@pytest.mark.parametrize(
    "name", ["plain", "coroutine", "generator", "async generator", "background"]
)
def test_guarded_handlers_without_login(person: Page, notes: Stack, name: str) -> None:
    """Signed out, none of them runs, and the browser is sent to the login."""
    person.goto(notes.url)
    expect(person.locator("#ready")).to_have_text("ready")
    person.get_by_role("button", name=name, exact=True).click()
    person.wait_for_url("**/u/login**")
    person.goto(notes.url)
    expect(person.locator("#ready")).to_have_text("ready")
    expect(person.locator("#done")).to_have_text("")


def test_clicked_before_the_login(person: Page, notes: Stack) -> None:
    """What a visitor clicked is done after the login, on the page where it was clicked; and not
    again when the page is loaded again, nor for the next user."""
    person.goto(f"{notes.url}/?from=here")
    expect(person.locator("#ready")).to_have_text("ready")
    person.get_by_role("button", name="add to basket").click()
    sign_in(person, notes, ALICE)
    person.wait_for_url(f"{notes.url}/?from=here")
    expect(person.locator("#basket")).to_have_text("tea")
    for _ in range(2):
        person.reload()
        expect(person.locator("#ready")).to_have_text("ready")
    expect(person.locator("#basket")).to_have_text("tea")
    person.get_by_role("button", name="log out").click()
    expect(person.locator("#basket")).to_have_text("")
    enter(person, notes, BOB)
    expect(person.locator("#basket")).to_have_text("")


def test_subscription(person: Page, notes: Stack) -> None:
    """A subscriber is told of each user that comes and goes, though each run fails. What it wrote
    for one user is not there for the next."""
    runs = person.locator("#runs")
    enter(person, notes, ALICE)
    expect(runs).to_have_text("alice")
    person.get_by_role("button", name="log out").click()
    expect(person.locator("#ready")).to_have_text("ready")
    expect(runs).to_have_text("nobody")
    enter(person, notes, BOB)
    expect(runs).to_have_text("bob")


def test_scoped_state_is_reset(person: Page, notes: Stack) -> None:
    """What one person left in a user-scoped state is not there for the next one."""
    enter(person, notes, ALICE)
    person.get_by_role("button", name="plain", exact=True).click()
    expect(person.locator("#done")).to_have_text("plain x")
    person.get_by_role("button", name="log out").click()
    expect(person.locator("#done")).to_have_text("")
    enter(person, notes, BOB)
    expect(person.locator("#done")).to_have_text("")


def test_download(person: Page, notes: Stack) -> None:
    """A link to a guarded route leads to the login, back to its page, and then to the download."""
    person.goto(notes.url)
    person.get_by_role("link", name="export").click()
    sign_in(person, notes, ALICE)
    expect(person.locator("#ready")).to_have_text("ready")
    with person.expect_download() as download:
        person.get_by_role("link", name="export").click()
    assert download.value.path().read_text() == "name\nalice\n"
    expect(person.locator("#ready")).to_have_text("ready")


def test_page_with_a_check(new_person: NewPerson, notes: Stack) -> None:
    """A page for some is shown to them; others are told that it is not for them; and who is not
    signed in logs in first and comes back to it."""
    alice, bob = new_person(), new_person()
    alice.goto(f"{notes.url}/alices")
    sign_in(alice, notes, ALICE)
    alice.wait_for_url(f"{notes.url}/alices**")
    expect(alice.locator("#alices")).to_be_visible()
    enter(bob, notes, BOB)
    bob.goto(f"{notes.url}/alices")
    expect(bob.get_by_test_id("auth-error")).to_have_text("This page is not for you")
    expect(bob.locator("#alices")).to_have_count(0)
