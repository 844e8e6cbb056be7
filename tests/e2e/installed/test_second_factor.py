"""A second factor in a browser: the way there and back, and the form that was filled in."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from ..conftest import NewPerson
from ..stack import Stack
from ..walk import ALICE, BOB, by_test_id, enter_password

CAROL = "carol@example.com"
STORED = "() => sessionStorage.getItem('auth_form')"


def finish(page: Page, notes: Stack, email: str | None, *, code: bool = False) -> None:
    """Go through the tenant's pages: the password (unless `email` is None), the code, consent."""
    if email:
        enter_password(page, email, "password")
    if code:
        page.wait_for_url("**/u/second-step**")
        page.fill("input[name=code]", "123456")
        by_test_id(page, "tenant-second-step").click()
    page.wait_for_url(re.compile(rf"^{notes.url}/|/u/consent"))
    if "/u/consent" in page.url:
        by_test_id(page, "tenant-accept").click()
    page.wait_for_url(f"{notes.url}/**")


def arrive(page: Page, notes: Stack, email: str, path: str = "/transfer") -> None:
    """Log in, and open a page."""
    page.goto(f"{notes.url}/transfer")
    page.get_by_role("link", name="log in").click()
    finish(page, notes, email)
    page.goto(f"{notes.url}{path}")
    expect(page.locator("#ready")).to_have_text("ready")


def fill(page: Page) -> None:
    """Fill in every field, those that are secret included."""
    page.fill("#amount", "12")
    page.click("[name=urgent]")  # a controlled one changes when the State says so
    expect(page.locator("[name=urgent]")).to_be_checked()
    page.select_option("[name=plan]", "fast")
    page.fill("[name=reason]", "rent\nof May")
    page.locator("[name=plain]").nth(1).fill("second")
    page.check("[name=side][value=right]")
    for secret in ("pin", "code", "note"):
        page.fill(f"[name={secret}]", f"secret-{secret}")
    expect(page.locator("#heard")).to_have_text("rent\nof May")


def expect_filled(page: Page) -> None:
    """What may be kept is back, in the State as well, and nothing secret is."""
    expect(page.locator("#heard")).to_have_text("rent\nof May")
    expect(page.locator("#amount")).to_have_value("12")
    expect(page.locator("[name=urgent]")).to_be_checked()
    expect(page.locator("[name=plan]")).to_have_value("fast")
    expect(page.locator("[name=reason]")).to_have_value("rent\nof May")
    expect(page.locator("[name=plain]").nth(0)).to_have_value("")
    expect(page.locator("[name=plain]").nth(1)).to_have_value("second")
    expect(page.locator("[name=side][value=right]")).to_be_checked()
    for secret in ("pin", "code", "note"):
        expect(page.locator(f"[name={secret}]")).to_have_value("")
    assert page.evaluate(STORED) is None


def expect_empty(page: Page) -> None:
    """The form is as it was when the page was made."""
    expect(page.locator("#ready")).to_have_text("ready")
    page.wait_for_timeout(1000)  # in which nothing comes back
    expect(page.locator("[name=plain]").last).to_have_value("")
    expect(page.locator("[name=reason]")).to_have_value("")
    expect(page.locator("#amount")).to_have_value("")
    expect(page.locator("[name=urgent]")).not_to_be_checked()


def test_step_up_from_a_form(person: Page, notes: Stack) -> None:
    """A handler that wants a second factor sends the user to it and back, and the form is filled in
    as before, once. The handler then runs."""
    arrive(person, notes, CAROL)
    fill(person)
    person.get_by_role("button", name="send").click()
    person.wait_for_url("**/u/second-step**")
    finish(person, notes, None, code=True)
    assert person.url == f"{notes.url}/transfer"
    expect_filled(person)
    person.get_by_role("button", name="send").click()
    expect(person.locator("#sent")).to_have_text("12 fast True")
    person.reload()
    expect(person.locator("#ready")).to_have_text("ready")
    expect(person.locator("[name=plain]").nth(1)).to_have_value("")


def test_visitors_form(person: Page, notes: Stack) -> None:
    """What a visitor typed before the login is there after it: it was typed in this tab."""
    person.goto(f"{notes.url}/transfer")
    expect(person.locator("#ready")).to_have_text("ready")
    person.locator("[name=plain]").last.fill("as a visitor")
    person.fill("[name=reason]", "as a visitor")  # whose handler sends the user to the login
    finish(person, notes, ALICE)
    expect(person.locator("#email")).to_have_text(ALICE)
    expect(person.locator("[name=plain]").last).to_have_value("as a visitor")
    expect(person.locator("[name=reason]")).to_have_value("as a visitor")


def test_form_of_another_user(person: Page, notes: Stack) -> None:
    """What a user typed is not given to another one who logs in in the same tab."""
    arrive(person, notes, CAROL)
    fill(person)
    person.get_by_role("button", name="send").click()
    person.wait_for_url("**/u/second-step**")
    assert "rent" in (kept_by(person, notes) or "")
    person.goto(f"{notes.url}/transfer?other")
    person.get_by_role("button", name="log out").click()
    expect(person.locator("#ready")).to_have_text("ready")
    person.goto(f"{notes.url}/")
    person.get_by_role("link", name="log in").click()
    finish(person, notes, BOB)
    person.goto(f"{notes.url}/transfer")
    expect(person.locator("#email")).to_have_text(BOB)
    expect_empty(person)
    assert person.evaluate(STORED) is None


@pytest.mark.parametrize("email", [CAROL, BOB])
def test_typed_while_sessions_cannot_be_read(person: Page, notes: Stack, email: str) -> None:
    """What is typed while it is not known whom the page shows is kept for the user whom it showed
    before, and for no other."""
    arrive(person, notes, CAROL)
    person.evaluate("document.querySelector('meta[name=auth-owner]').content = ''")
    person.locator("[name=plain]").nth(1).fill("unknown")
    person.evaluate("dispatchEvent(new Event('auth-leave'))")
    person.goto(f"{notes.api_url}/auth/login?return_to=/transfer&prompt=login")
    finish(person, notes, email)
    expect(person.locator("#email")).to_have_text(email)
    if email == BOB:
        expect_empty(person)
    else:
        expect(person.locator("[name=plain]").nth(1)).to_have_value("unknown")


def kept_by(page: Page, notes: Stack) -> str | None:
    """What the tab has stored for the app, seen from a page of it."""
    page.goto(f"{notes.url}/?look")
    stored: str | None = page.evaluate(STORED)
    return stored


def test_same_user_after_the_session_ended(person: Page, notes: Stack) -> None:
    """A session that ends while the form is filled in takes its page away; when the same user has
    logged in again, the form is as it was."""
    arrive(person, notes, CAROL)
    fill(person)
    other = person.context.new_page()
    other.goto(f"{notes.url}/")
    other.get_by_role("button", name="log out").click()
    expect(person.locator("#email")).to_have_text("")
    person.get_by_role("link", name="log in").click()
    finish(person, notes, CAROL)
    expect(person.locator("#email")).to_have_text(CAROL)
    expect(person.locator("[name=reason]")).to_have_value("rent\nof May")
    expect(person.locator("#amount")).to_have_value("12")


@pytest.mark.parametrize("minutes", [14, 16])
def test_old_form(person: Page, notes: Stack, minutes: int) -> None:
    """A form that was left more than a quarter of an hour ago stays empty."""
    person.goto(f"{notes.url}/transfer")
    expect(person.locator("#ready")).to_have_text("ready")
    person.locator("[name=plain]").last.fill("some time ago")
    person.get_by_role("link", name="log in").click()
    person.wait_for_url("**/u/login**")
    person.clock.install()
    person.clock.fast_forward(minutes * 60_000)
    finish(person, notes, ALICE)
    expect(person.locator("#email")).to_have_text(ALICE)
    if minutes < 15:
        expect(person.locator("[name=plain]").last).to_have_value("some time ago")
    else:
        expect_empty(person)
    assert person.evaluate(STORED) is None


def test_guarded_page(person: Page, notes: Stack) -> None:
    """A page that wants a second factor sends the user to it, and is shown after it."""
    person.goto(f"{notes.url}/vault")
    finish(person, notes, CAROL, code=False)
    finish(person, notes, None, code=True)
    expect(person.locator("#email")).to_have_text(CAROL)
    assert person.url == f"{notes.url}/vault"


def test_provider_did_not_do_it(new_person: NewPerson, notes: Stack) -> None:
    """Where the provider does not ask for it, the user reads so, stays logged in, and can try again
    or go on elsewhere. The page does not send the browser round in a circle."""
    person = new_person(locale="en")
    arrive(person, notes, BOB)
    person.goto(f"{notes.url}/vault")
    person.wait_for_url("**/error?**")
    expect(by_test_id(person, "auth-error")).to_contain_text("did not ask for a second factor")
    expect(person.get_by_role("link", name="Log in without a second factor")).to_have_count(0)
    by_test_id(person, "try-again").click()
    person.wait_for_url("**/error?**")
    person.goto(f"{notes.url}/vault")
    expect(by_test_id(person, "auth-error")).to_have_text("This page still requires another login")
    person.reload()
    expect(by_test_id(person, "auth-error")).to_have_text("This page still requires another login")
    with person.expect_navigation(url="**/error?**"):
        person.get_by_role("button", name="Try again").click()
    person.goto(f"{notes.url}/transfer")
    expect(person.locator("#email")).to_have_text(BOB)


def test_visitor_goes_on_without(new_person: NewPerson, notes: Stack) -> None:
    """A visitor whose login was refused for that may log in without it."""
    person = new_person(locale="en")
    person.goto(f"{notes.url}/auth/login?return_to=/transfer&acr_values=urn:unknown")
    finish(person, notes, BOB)
    expect(by_test_id(person, "auth-error")).to_contain_text("did not ask for a second factor")
    person.get_by_role("link", name="Log in without a second factor").click()
    expect(person.locator("#email")).to_have_text(BOB)
