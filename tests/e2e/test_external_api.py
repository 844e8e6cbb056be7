"""The page that calls an API of one's own, in a real browser."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from .stack import Stack
from .walk import ALICE, by_test_id, log_in, sign_in


@pytest.fixture
def asked_anew(stack: Stack) -> None:
    """Nobody has allowed anything yet."""
    stack.tenant.forget_consents()


def answer(page: Page) -> dict[str, object]:
    """The API's answer, once the page shows one."""
    shown = by_test_id(page, "external-answer")
    expect(shown).to_be_visible()
    return dict(json.loads(shown.inner_text()))


def open_external(page: Page, stack: Stack) -> None:
    """Follow the app's own link."""
    page.get_by_role("link", name="External API").click()
    page.wait_for_url(f"{stack.url}/external")


def allow(page: Page, stack: Stack) -> None:
    """Press the button that asks for what is missing, consent, and be back."""
    by_test_id(page, "ask-for-scope").click()
    page.wait_for_url("**/u/consent**")
    by_test_id(page, "tenant-accept").click()
    page.wait_for_url(f"{stack.url}/external")


def steps(page: Page) -> list[str]:
    """The states of the steps that the page draws."""
    return [
        str(each.get_attribute("class")) for each in by_test_id(page, "steps").locator("li").all()
    ]


def test_public_endpoint(person: Page, stack: Stack) -> None:
    """Somebody who is not logged in may call the public endpoint, without a token."""
    person.goto(f"{stack.url}/external")
    expect(by_test_id(person, "call-external")).to_have_count(0)
    by_test_id(person, "call-public").click()
    assert answer(person)["authenticated"] is False


@pytest.mark.usefixtures("asked_anew")
def test_missing_audience_and_scope(person: Page, stack: Stack) -> None:
    """A provider with a refresh token for each API: the page asks for the audience, then for the
    scope that the API's 403 names. Each time that the user comes back, it makes the call again by
    itself. The profile still works."""
    log_in(person, stack)
    open_external(person, stack)
    by_test_id(person, "call-external").click()
    expect(by_test_id(person, "auth-error")).to_contain_text("more than you have allowed")
    assert steps(person) == ["refused", "here"]
    allow(person, stack)
    expect(by_test_id(person, "auth-error")).to_contain_text("status 403")
    assert steps(person) == ["refused", "done", "refused", "here"]
    allow(person, stack)
    assert answer(person)["msg"] == "Your access token was successfully validated!"
    assert steps(person) == ["refused", "done", "refused", "done", "done"]
    by_test_id(person, "call-public").click()
    expect(by_test_id(person, "external-answer")).to_contain_text("true")
    person.get_by_role("link", name="Profile", exact=True).click()
    expect(by_test_id(person, "user-metadata")).to_be_visible()


def test_missing_scope_with_one_refresh_token(person: Page, development: Stack) -> None:
    """With multi-resource refresh tokens only the scope is missing; the panel says what happened,
    in another tab too."""
    log_in(person, development)
    other = person.context.new_page()
    other.goto(f"{development.url}/profile")
    expect(by_test_id(other, "user-metadata")).to_be_visible()
    open_external(person, development)
    by_test_id(person, "call-external").click()
    expect(by_test_id(person, "auth-error")).to_contain_text("status 403")
    for page in (person, other):
        panel = by_test_id(page, "request-inspector")
        panel.locator("summary").click()
        newest = panel.locator("li").first
        expect(newest).to_contain_text("/api/external")
        expect(newest).to_contain_text("with a token")
        expect(newest).to_contain_text("403")
    allow(person, development)
    assert answer(person)["messages"]
    calls = by_test_id(person, "request-inspector").locator("li", has_text="/api/external")
    expect(calls).to_have_count(1)  # of the session that this login has begun
    person.reload()
    assert answer(person)["messages"]
    expect(calls).to_have_count(1)


def test_no_call_without_more_rights(person: Page, development: Stack) -> None:
    """Who comes back to the page without having allowed anything makes no call by that."""
    development.tenant.forget_consents()
    log_in(person, development)
    open_external(person, development)
    by_test_id(person, "call-external").click()
    expect(by_test_id(person, "ask-for-scope")).to_be_visible()
    person.reload()
    expect(by_test_id(person, "ask-for-scope")).to_be_visible()
    calls = by_test_id(person, "request-inspector").locator("li", has_text="/api/external")
    expect(calls).to_have_count(1)
    by_test_id(person, "call-public").click()
    assert answer(person)["authenticated"] is True
    expect(calls).to_have_count(1)


def test_panel_is_a_users_own(person: Page, development: Stack) -> None:
    """The panel of one person's requests is empty for the next, and holds no token."""
    log_in(person, development)
    person.goto(f"{development.url}/profile")
    panel = by_test_id(person, "request-inspector")
    expect(panel.locator(".count")).not_to_have_text("0")
    assert "eyJ" not in panel.inner_html()
    by_test_id(person, "logout").click()
    expect(by_test_id(person, "login")).to_be_visible()
    expect(by_test_id(person, "request-inspector").locator(".count")).to_have_text("0")


def test_reload_asks_once(person: Page, development: Stack) -> None:
    """Each reload of the profile shows the metadata of that time, asks the API for it once, and
    lists that request, which began before the page had loaded."""
    development.tenant.set_metadata(ALICE, '{"n": 0}')
    log_in(person, development)
    person.goto(f"{development.url}/profile")
    metadata = by_test_id(person, "user-metadata")
    expect(metadata).to_contain_text('"n": 0')
    count = by_test_id(person, "request-inspector").locator(".count")
    asked = int(count.inner_text())
    for reload in (1, 2, 3):
        development.tenant.set_metadata(ALICE, f'{{"n": {reload}}}')
        person.reload()
        expect(metadata).to_contain_text(f'"n": {reload}')
        expect(count).to_have_text(str(asked + reload))
    newest = by_test_id(person, "request-inspector").locator("li").first
    expect(newest).to_contain_text("/api/v2/users/")
    expect(newest).to_contain_text("with a token")


def test_no_panel_in_production(person: Page, stack: Stack) -> None:
    """A production page has no panel unless it is switched on."""
    log_in(person, stack)
    expect(by_test_id(person, "request-inspector")).to_have_count(0)


def test_visiting_logged_out(person: Page, stack: Stack) -> None:
    """Logging in from the page comes back to it."""
    person.goto(f"{stack.url}/external")
    by_test_id(person, "login").click()
    sign_in(person, stack)
    person.wait_for_url(f"{stack.url}/external")
