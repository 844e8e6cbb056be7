"""Tabs that come back, by Back or by a new connection, and what was on its way meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from ..browser import chromium
from ..cookies import session_cookie
from .conftest import NewPerson
from .stack import Stack
from .tabs import (
    Network,
    RunAsync,
    cookie_of,
    end_in_store,
    expect_in_place,
    expect_not_done,
    expect_signed_out,
    log_in_again,
    mark,
    open_tab,
    session_of,
    start_editing,
)
from .test_attacks import tab_token
from .walk import (
    ALICE,
    BOB,
    by_test_id,
    log_in,
    log_out,
    on_profile,
    shown_metadata,
    sign_in,
)

pytestmark = pytest.mark.usefixtures("known_metadata")


def test_login_is_followed(new_person: NewPerson, stack: Stack) -> None:
    """Where a browser has logged in before, a tab without a user follows a login in another tab; a
    tab of another browser does not."""
    person, stranger = new_person(), new_person()
    for page in (person, stranger):
        log_in(page, stack, BOB)
        log_out(page, stack)
    _expect_login_followed(person, stranger, stack)


def test_first_login_is_followed(new_person: NewPerson, stack: Stack) -> None:
    """In a browser that comes for the first time, too."""
    _expect_login_followed(new_person(), new_person(), stack)


def _expect_login_followed(person: Page, stranger: Page, stack: Stack) -> None:
    person.goto(stack.url)
    mark(person)
    other = open_tab(person, stack, path="/external")
    stranger.goto(f"{stack.url}/external")
    mark(stranger)
    log_in(person, stack, ALICE)
    expect(by_test_id(other, "call-external")).to_be_visible()
    expect(by_test_id(other, "login")).to_have_count(0)
    expect_in_place(other)
    expect(by_test_id(stranger, "login")).to_be_visible()
    expect(by_test_id(stranger, "call-external")).to_have_count(0)


def test_duplicated_tab(person: Page, stack: Stack) -> None:
    """A duplicated tab gets a token of its own, and the text that is not saved; both tabs keep
    their own state when they connect again."""
    on_profile(person, stack, ALICE)
    original = open_tab(person, stack)
    start_editing(original, '{"color": "typed"}')
    with original.expect_popup() as popup:
        original.evaluate("window.open(location.href)")
    duplicate = popup.value
    mark(duplicate)
    expect(by_test_id(duplicate, "metadata-editor")).to_have_value('{"color": "typed"}')
    by_test_id(duplicate, "metadata-editor").fill('{"color": "other"}')
    tokens = [tab_token(original), tab_token(duplicate)]
    assert tokens[0] != tokens[1]
    with original.expect_websocket(), duplicate.expect_websocket():
        log_in_again(person, stack)
    by_test_id(original, "save-metadata").click()
    expect(by_test_id(original, "user-metadata")).to_contain_text("typed")
    expect(by_test_id(duplicate, "metadata-editor")).to_have_value('{"color": "other"}')
    by_test_id(duplicate, "save-metadata").click()
    expect(by_test_id(duplicate, "metadata-now")).to_contain_text("typed")
    assert [tab_token(original), tab_token(duplicate)] == tokens
    for tab in (original, duplicate):
        expect_in_place(tab)


def test_callback_once_more(person: Page, stack: Stack) -> None:
    """The callback's address, visited once more while signed in, leads to the page that the login
    was for; a browser that is not signed in gets the error page."""
    person.goto(f"{stack.url}/profile")
    with person.expect_request(f"{stack.url}/auth/callback?**") as callback:
        sign_in(person, stack)
    shown_metadata(person)
    person.goto(callback.value.url)
    person.wait_for_url(f"{stack.url}/profile")
    shown_metadata(person)
    expect(by_test_id(person, "auth-error")).to_have_count(0)
    log_out(person, stack)
    person.goto(callback.value.url)
    expect(by_test_id(person, "auth-error")).to_be_visible()


def test_event_of_an_ended_session(person: Page, stack: Stack, run_async: RunAsync) -> None:
    """A click that finds its session over does nothing, and the user is told."""
    on_profile(person, stack, ALICE)
    tab = open_tab(person, stack)
    start_editing(tab, '{"color": "late"}')
    run_async(end_in_store(stack, session_of(person, stack)))
    by_test_id(tab, "save-metadata").click()
    expect_not_done(tab)
    expect_signed_out(tab)
    assert stack.tenant.metadata(ALICE) == '{"color": "blue"}'


def test_event_and_the_next_user(new_person: NewPerson, stack: Stack, run_async: RunAsync) -> None:
    """A click of Alice that finds Bob's session in its browser is not carried out for him, nor for
    her; the tab shows Bob, and says so."""
    alice, bob = new_person(), new_person()
    on_profile(alice, stack, ALICE)
    on_profile(bob, stack, BOB)
    tab = open_tab(alice, stack)
    start_editing(tab, '{"color": "late"}')
    run_async(end_in_store(stack, session_of(alice, stack)))
    alice.context.add_cookies([cookie_of(bob, session_cookie(stack.url))])
    by_test_id(tab, "save-metadata").click()
    expect_not_done(tab)
    expect(by_test_id(tab, "user-name")).to_contain_text("Bob")
    expect(by_test_id(tab, "user-metadata")).to_contain_text("grey")
    expect_in_place(tab)
    assert stack.tenant.metadata(ALICE) == '{"color": "blue"}'
    assert stack.tenant.metadata(BOB) == '{"color": "grey"}'


@pytest.fixture
def returning(browser: Browser) -> Iterator[Page]:
    """A page in a browser with a back-forward cache, which Playwright switches off elsewhere. It
    notes when it comes out of that cache."""
    with_cache = browser.browser_type.launch(
        executable_path=chromium(),
        args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        ignore_default_args=["--disable-back-forward-cache"],
    )
    context = with_cache.new_context()
    context.set_default_timeout(15_000)
    context.add_init_script(
        "addEventListener('pageshow', e => e.persisted && sessionStorage.setItem('cached', '1'))"
    )
    yield context.new_page()
    with_cache.close()


@pytest.mark.parametrize("reloads", [True, False], ids=["as the app is", "without the script"])
def test_back_after_another_login(returning: Page, stack: Stack, reloads: bool) -> None:
    """A page that Back takes out of the browser's cache shows the user of now, even if the app did
    not load it again."""
    if not reloads:
        returning.context.route("**/reflex-oidc-*.js", lambda route: route.abort())
    on_profile(returning, stack, ALICE)
    other = open_tab(returning, stack)
    mark(returning)
    returning.goto(f"{stack.tenant.url}/dashboard")
    log_in_again(other, stack, BOB)
    returning.go_back(wait_until="commit")
    expect(by_test_id(returning, "user-name")).to_contain_text("Bob")
    expect(by_test_id(returning, "user-metadata")).to_contain_text("grey")
    assert "alice" not in returning.content().lower()
    assert returning.evaluate("window.mark") == (None if reloads else 1)
    assert returning.evaluate("sessionStorage.getItem('cached')") == "1"


def test_back_after_logout(returning: Page, stack: Stack) -> None:
    """A page that Back takes out of the browser's cache shows nothing of a user who has logged
    out."""
    returning.context.route("**/reflex-oidc-*.js", lambda route: route.abort())
    on_profile(returning, stack, ALICE)
    other = open_tab(returning, stack)
    mark(returning)
    returning.goto(f"{stack.tenant.url}/dashboard")
    log_out(other, stack)
    returning.go_back(wait_until="commit")
    expect_signed_out(returning)
    assert returning.evaluate("sessionStorage.getItem('cached')") == "1"


def test_waiting_event_and_the_next_user(person: Page, stack: Stack) -> None:
    """A click that Alice made while her tab was not connected is not carried out for Bob, whose
    login the tab finds when it is back; he is told."""
    on_profile(person, stack, ALICE)
    tab = person.context.new_page()
    with tab.expect_websocket() as opened:
        tab.goto(f"{stack.url}/profile")
    shown_metadata(tab)
    mark(tab)
    network = Network(tab)
    network.is_away(True)
    with opened.value.expect_event("close"):
        log_in_again(person, stack, BOB)
    by_test_id(tab, "edit-metadata").click()
    network.is_away(False)
    expect(by_test_id(tab, "user-name")).to_contain_text("Bob")
    expect(by_test_id(tab, "user-metadata")).to_contain_text("grey")
    expect_not_done(tab)
    expect(by_test_id(tab, "metadata-editor")).to_have_count(0)
