"""The journeys of the product, in a real browser against the production build."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from ..cookies import session_cookie
from .conftest import NewPerson
from .stack import Stack
from .walk import (
    ALICE,
    BOB,
    by_test_id,
    enter_password,
    log_in,
    log_out,
    open_profile,
    shown_metadata,
    sign_in,
)

ALICES = {"theme": "light", "newsletter": {"weekly": True}}


@pytest.fixture(autouse=True)
def known_metadata(stack: Stack) -> None:
    """Every journey starts from the same metadata."""
    stack.tenant.set_metadata(ALICE, json.dumps(ALICES))
    stack.tenant.set_metadata(BOB, None)


def test_first_login_to_metadata(person: Page, stack: Stack) -> None:
    """Log in, consent, open Profile: the name and the metadata that the API holds are there."""
    stack.tenant.forget_consents()
    person.goto(stack.url)
    by_test_id(person, "login").click()
    enter_password(person, ALICE, "password")
    expect(person.get_by_text("read:current_user", exact=True)).to_be_visible()
    by_test_id(person, "tenant-accept").click()
    person.wait_for_url(f"{stack.url}/")
    open_profile(person, stack)
    expect(by_test_id(person, "user-name")).to_contain_text("Alice")
    assert shown_metadata(person) == ALICES


def test_checkpoint(person: Page, stack: Stack) -> None:
    """Metadata edited in the tenant's dashboard is there after a refresh of the profile."""
    log_in(person, stack)
    open_profile(person, stack)
    assert shown_metadata(person) == ALICES
    dashboard = person.context.new_page()
    dashboard.goto(f"{stack.tenant.url}/dashboard")
    dashboard.get_by_role("link", name="alice@example.com").click()
    dashboard.get_by_test_id("metadata-json").fill('{"theme": "dark"}')
    dashboard.get_by_test_id("metadata-save").click()
    dashboard.wait_for_load_state()
    person.reload()
    expect(by_test_id(person, "user-metadata")).to_contain_text("dark")
    assert shown_metadata(person) == {"theme": "dark"}


def test_no_metadata_yet(person: Page, stack: Stack) -> None:
    """Somebody without metadata sees {} and a sentence about it, not an error."""
    log_in(person, stack, BOB)
    open_profile(person, stack)
    assert shown_metadata(person) == {}
    expect(person.get_by_text("no metadata about you yet")).to_be_visible()


def test_consent_denied(person: Page, stack: Stack) -> None:
    """Declining the consent leads to a page that says so and offers a way on, without a session."""
    stack.tenant.forget_consents()
    person.goto(stack.url)
    by_test_id(person, "login").click()
    enter_password(person, ALICE, "password")
    by_test_id(person, "tenant-decline").click()
    expect(by_test_id(person, "auth-error")).to_have_text("The login was declined")
    assert session_cookie(stack.url) not in {cookie["name"] for cookie in person.context.cookies()}
    person.get_by_role("link", name="Try again").click()
    by_test_id(person, "tenant-accept").click()
    person.wait_for_url(f"{stack.url}/")
    expect(by_test_id(person, "user-name")).to_contain_text("Alice")


def test_wrong_password(person: Page, stack: Stack) -> None:
    """A wrong password is a message on the same page, and the right one then works."""
    person.goto(stack.url)
    by_test_id(person, "login").click()
    enter_password(person, ALICE, "wrong")
    expect(person.get_by_role("alert")).to_be_visible()
    assert person.input_value("input[name=username]") == ALICE
    sign_in(person, stack)
    expect(by_test_id(person, "user-name")).to_contain_text("Alice")


def test_profile_while_logged_out(person: Page, stack: Stack) -> None:
    """Visiting /profile without a session leads through the login back to /profile."""
    person.goto(f"{stack.url}/profile")
    sign_in(person, stack)
    person.wait_for_url(f"{stack.url}/profile")
    assert shown_metadata(person) == ALICES


def test_logout_ends_it_here_and_at_the_tenant(person: Page, stack: Stack) -> None:
    """After logout Back shows no profile, and the next login asks for the password again."""
    log_in(person, stack)
    open_profile(person, stack)
    shown_metadata(person)
    log_out(person, stack)
    person.go_back()
    expect(by_test_id(person, "user-metadata")).to_have_count(0)
    person.wait_for_url("**/u/login**")
    expect(person.locator("input[name=password]")).to_be_visible()


@pytest.mark.parametrize("start", ["/profile", "/"], ids=["guarded page", "link"])
def test_place_in_the_page(person: Page, stack: Stack, start: str) -> None:
    """A login returns to the place in the page that the address names."""
    person.goto(f"{stack.url}{start}#metadata")
    if start == "/":
        by_test_id(person, "login").click()
    sign_in(person, stack)
    person.wait_for_url(f"{stack.url}{start}#metadata")


def test_other_name_of_this_machine(person: Page, stack: Stack) -> None:
    """A page that is opened as 127.0.0.1, to which the backend does not answer, goes to the name
    that it answers to."""
    person.goto(f"{stack.url.replace('localhost', '127.0.0.1')}/?a=b#c")
    person.wait_for_url(f"{stack.url}/?a=b#c")
    expect(by_test_id(person, "login")).to_be_visible()


def test_two_people(new_person: NewPerson, stack: Stack) -> None:
    """Two people at the same time each see their own name and metadata, and nothing else's."""
    stack.tenant.set_metadata(BOB, '{"secret_of": "bob"}')
    alice, bob = new_person(), new_person()
    log_in(alice, stack, ALICE)
    log_in(bob, stack, BOB)
    for page in (alice, bob):
        open_profile(page, stack)
    assert shown_metadata(alice) == ALICES
    assert shown_metadata(bob) == {"secret_of": "bob"}
    assert "Bob" not in alice.content()
    assert "Alice" not in bob.content()
    log_out(bob, stack)
    alice.reload()
    assert shown_metadata(alice) == ALICES


def test_two_tabs_log_in_at_once(person: Page, stack: Stack) -> None:
    """Two tabs of one browser that began a login each both finish it."""
    other = person.context.new_page()
    for page in (person, other):
        page.goto(f"{stack.api_url}/auth/login?return_to={quote('/profile')}")
        page.wait_for_url("**/u/login**")
    sign_in(person, stack)
    enter_password(other, ALICE, "password")
    for page in (person, other):
        page.wait_for_url(f"{stack.url}/profile")
        assert shown_metadata(page) == ALICES


def test_logout_is_seen_by_every_tab(person: Page, stack: Stack) -> None:
    """Logging out in one tab takes the profile off another open tab without a reload."""
    log_in(person, stack)
    other = person.context.new_page()
    other.goto(f"{stack.url}/profile")
    shown_metadata(other)
    log_out(person, stack)
    expect(by_test_id(other, "user-metadata")).to_have_count(0)
    expect(other.get_by_text("You are not logged in.")).to_be_visible()


def test_login_as_someone_else(person: Page, stack: Stack) -> None:
    """After one person leaves, the next one in the same tab sees nothing of the first."""
    log_in(person, stack, ALICE)
    open_profile(person, stack)
    shown_metadata(person)
    log_out(person, stack)
    log_in(person, stack, BOB)
    open_profile(person, stack)
    assert shown_metadata(person) == {}
    assert "Alice" not in person.content()


def test_not_found(person: Page, stack: Stack) -> None:
    """An address that belongs to no page says so and offers the way home."""
    person.goto(f"{stack.url}/nowhere")
    expect(person.get_by_role("heading", name="There is nothing here")).to_be_visible()
    person.get_by_role("link", name="Go to the start page").click()
    expect(by_test_id(person, "login")).to_be_visible()


def test_phone(new_person: NewPerson, stack: Stack) -> None:
    """The way from login to metadata works on a phone, and nothing is wider than its screen."""
    phone = new_person(
        viewport={"width": 375, "height": 740}, is_mobile=True, has_touch=True, color_scheme="dark"
    )
    log_in(phone, stack)
    open_profile(phone, stack)
    assert shown_metadata(phone) == ALICES
    width = phone.evaluate("document.documentElement.scrollWidth")
    assert width <= 375
