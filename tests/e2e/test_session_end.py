"""The end of a session, as a person meets it: the warning before it, and a logout that leads on."""

from __future__ import annotations

import re
import time

import httpx
import pytest
from playwright.sync_api import Page, expect

from .conftest import NewPerson
from .stack import Stack
from .tabs import RunAsync, expect_signed_out, leave_in_store, mark, open_tab, session_of
from .walk import ALICE, by_test_id, log_in, on_profile

pytestmark = pytest.mark.usefixtures("known_metadata")

OPEN = "auth-expiry[open]"


def expect_seconds(page: Page, stack: Stack, *, more_than: float) -> None:
    """The backend says that the session lasts for longer than so many seconds."""
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies(stack.url)}
    answer = httpx.get(f"{stack.url}/auth/session", cookies=cookies)
    assert answer.json()["expires_in"] > more_than


def let_it_ask(tab: Page) -> None:
    """The tab was told a minute ago that its session has two minutes left."""
    expires_at = time.time() + 61
    tab.evaluate(
        "(at) => document.querySelector('auth-expiry').setAttribute('data-expires-at', at)",
        expires_at,
    )


def test_stay(person: Page, stack: Stack, run_async: RunAsync) -> None:
    """A minute before the end the bar is there, and is read out; one click, and the session goes
    on in every tab of the browser."""
    on_profile(person, stack, ALICE)
    other = open_tab(person, stack)
    expect(person.locator(OPEN)).to_have_count(0)
    run_async(leave_in_store(stack, session_of(person, stack), 50))
    for tab in (person, other):
        let_it_ask(tab)
        expect(tab.locator(OPEN)).to_have_count(1)
    text = re.compile(r"^You will be logged out at \d{1,2}:\d\d.*\.$")
    expect(person.get_by_role("status").filter(has_text="logged out")).to_have_text(text)
    expect(by_test_id(person, "log-in-again")).to_be_hidden()
    by_test_id(person, "edit-metadata").focus()
    by_test_id(person, "stay-signed-in").click()
    for tab in (person, other):  # the other one asks every five seconds
        expect(tab.locator(OPEN)).to_have_count(0, timeout=15_000)
    expect(by_test_id(person, "stay-signed-in")).to_be_hidden()
    expect(by_test_id(person, "edit-metadata")).to_be_focused()
    expect_seconds(person, stack, more_than=60)


def test_used_elsewhere(person: Page, stack: Stack) -> None:
    """A tab that was left alone asks before it warns: another one has used the session."""
    on_profile(person, stack, ALICE)
    with person.expect_response("**/auth/session"):
        let_it_ask(person)
    person.wait_for_timeout(100)
    expect(person.locator(OPEN)).to_have_count(0)


def test_absolute_end(person: Page, stack: Stack, run_async: RunAsync) -> None:
    """Where staying does not help, the bar offers a login that comes back here; after the end the
    tab follows at once, in place."""
    on_profile(person, stack, ALICE)
    mark(person)
    run_async(leave_in_store(stack, session_of(person, stack), 6, is_final=True))
    let_it_ask(person)
    again = by_test_id(person, "log-in-again")
    expect(again).to_be_visible()
    expect(by_test_id(person, "stay-signed-in")).to_be_hidden()
    assert "return_to=%2Fprofile" in str(again.get_attribute("href"))
    expect(person.locator(OPEN)).to_have_count(0, timeout=15_000)
    expect_signed_out(person)


def test_on_a_phone(new_person: NewPerson, stack: Stack, run_async: RunAsync) -> None:
    """On a phone the bar fits."""
    phone = new_person(viewport={"width": 360, "height": 640}, color_scheme="dark")
    on_profile(phone, stack, ALICE)
    run_async(leave_in_store(stack, session_of(phone, stack), 50))
    let_it_ask(phone)
    expect(phone.locator(OPEN)).to_have_count(1)
    bar = phone.locator(".auth-expiry-bar")
    expect(bar).to_be_in_viewport(ratio=1)
    box = bar.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360


def test_logout_that_leads_on(person: Page, stack: Stack) -> None:
    """A logout link asks, logs out here and at the tenant, and comes back to the page it names."""
    log_in(person, stack)
    person.goto(f"{stack.api_url}/auth/logout?return_to=/%3Fleft=1")
    person.get_by_role("button", name="Log out").click()
    person.wait_for_url(f"{stack.url}/?left=1")
    expect(by_test_id(person, "login")).to_be_visible()
    by_test_id(person, "login").click()
    person.wait_for_url("**/u/login**")


def test_local_logout(person: Page, stack: Stack) -> None:
    """After a local logout, the tenant logs the person in again without a password."""
    log_in(person, stack)
    person.goto(f"{stack.api_url}/auth/logout?return_to=/&local=1")
    person.get_by_role("button", name="Log out").click()
    by_test_id(person, "login").click()
    expect(by_test_id(person, "logout")).to_be_visible()
    assert person.url.startswith(stack.url)
