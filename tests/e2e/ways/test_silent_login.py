"""Silent login in a real browser: at most once, and never in a circle."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Page, expect

from ...cookies import session_cookie
from ..conftest import NewPerson
from ..stack import Stack
from ..walk import ALICE, PASSWORD, by_test_id, enter_password, sign_in
from .conftest import Logins

PLACE = "/?page=2#details"
CALLBACK = re.compile("/auth/callback")


def expect_visitor(page: Page, ways: Stack, place: str = PLACE) -> None:
    """The page works, no user is signed in, and the browser is where it was."""
    expect(by_test_id(page, "login")).to_be_visible()
    page.locator("#title").fill("typed")
    expect(page.locator("#kept")).to_have_text("typed")
    expect(page).to_have_url(f"{ways.url}{place}")


def log_in_at_tenant(page: Page, ways: Stack) -> None:
    """Be logged in at the provider, and not here: as by another app of the provider."""
    page.goto(f"{ways.url}/auth/login")
    sign_in(page, ways, ALICE)
    expect(by_test_id(page, "user-name")).to_be_visible()
    forget_session(page.context, ways)


def forget_session(context: BrowserContext, ways: Stack) -> None:
    """Lose the app's cookie of the session, and close its tabs."""
    context.clear_cookies(name=session_cookie(ways.url))
    for tab in context.pages[1:]:
        tab.close()
    context.pages[0].goto("about:blank")


def open_silently(tab: Page, ways: Stack, place: str = PLACE) -> None:
    """Open a page, and wait for the end of the silent login. Until then, do not look at the page:
    for the browser, a look by Playwright is a gesture of the user, who is not to be disturbed."""
    with tab.expect_response(CALLBACK):
        tab.goto(f"{ways.url}{place}", wait_until="commit")


def test_logged_in_at_the_provider(person: Page, ways: Stack, logins: Logins) -> None:
    """A new tab of a user who is logged in at the provider is logged in, at the place that it was
    opened for, by one redirect. Back leads to what was there before."""
    log_in_at_tenant(person, ways)
    begun, tab = logins(person), person.context.new_page()
    tab.goto(f"{ways.tenant.url}/dashboard")
    open_silently(tab, ways)
    expect(by_test_id(tab, "user-name")).to_contain_text("Alice")
    expect(tab).to_have_url(f"{ways.url}{PLACE}")
    assert len(begun) == 1
    tab.go_back()
    expect(tab).to_have_url(re.compile("/dashboard"))


def test_not_logged_in_there(person: Page, ways: Stack, logins: Logins) -> None:
    """A user who is not logged in there is asked for nothing, keeps the place, and is sent on no
    second time: not by a reload, by Back, by the next page, or in the next tab."""
    begun = logins(person)
    open_silently(person, ways)
    expect_visitor(person, ways)
    assert len(begun) == 1
    person.reload()
    expect_visitor(person, ways)
    person.goto(f"{ways.url}/orders")
    expect(by_test_id(person, "login")).to_be_visible()
    person.get_by_role("link", name="start").click()
    expect_visitor(person, ways, "/")
    person.go_back()
    expect(person.get_by_role("link", name="start")).to_be_visible()
    tab = person.context.new_page()
    tab.goto(f"{ways.url}{PLACE}")
    expect_visitor(tab, ways)
    assert len(begun) == 1


def test_once_in_a_tab(person: Page, ways: Stack, logins: Logins) -> None:
    """A tab that has asked once does not ask again, though the browser lost the cookie that says
    so; and a browser in which the provider knows no user asks again when it was closed."""
    begun = logins(person)
    open_silently(person, ways)
    expect_visitor(person, ways)
    person.context.clear_cookies()
    person.reload()
    expect_visitor(person, ways)
    assert len(begun) == 1
    tab = person.context.new_page()
    open_silently(tab, ways)
    expect_visitor(tab, ways)
    assert len(begun) == 2


def test_two_tabs_at_once(new_person: NewPerson, ways: Stack, logins: Logins) -> None:
    """Two tabs that open at once both end where they began: as the user, or as a visitor."""
    alice, visitor = new_person(), new_person()
    log_in_at_tenant(alice, ways)
    for person in (alice, visitor):
        begun = logins(person)
        tabs = [person.context.new_page(), person.context.new_page()]
        with person.context.expect_event("response", lambda each: CALLBACK.search(each.url)):
            for tab in tabs:
                tab.goto(f"{ways.url}{PLACE}", wait_until="commit")
        for tab in tabs:
            expect(by_test_id(tab, "user-name" if person is alice else "login")).to_be_visible()
            expect(tab).to_have_url(f"{ways.url}{PLACE}")
        assert len(begun) in (1, 2)  # the second may find the answer to the first


def test_after_a_logout_here(person: Page, ways: Stack, logins: Logins) -> None:
    """A user who logs out here, and not at the provider, stays logged out: in the tab, after a
    reload and in a new tab, until the next login."""
    person.goto(f"{ways.url}/auth/login")
    sign_in(person, ways, ALICE)
    expect(by_test_id(person, "user-name")).to_be_visible()
    other = person.context.new_page()
    other.goto(f"{ways.url}/orders")
    expect(by_test_id(other, "user-name")).to_be_visible()
    begun = logins(person)
    # The browser follows no redirect, so that the provider's session goes on.
    person.evaluate("fetch('/auth/logout', { method: 'POST', redirect: 'manual' })")
    for tab in (person, other):
        expect(by_test_id(tab, "login")).to_be_visible()
        tab.reload()
        expect(by_test_id(tab, "login")).to_be_visible()
    tab = person.context.new_page()
    tab.goto(f"{ways.url}/")
    expect_visitor(tab, ways, "/")
    assert begun == []
    by_test_id(tab, "login").click()
    expect(by_test_id(tab, "user-name")).to_be_visible()
    forget_session(person.context, ways)
    tab = person.context.new_page()
    open_silently(tab, ways, "/orders")
    expect(by_test_id(tab, "user-name")).to_be_visible()


def test_after_logout(person: Page, ways: Stack, logins: Logins) -> None:
    """The logout button leads to the start page, as a visitor."""
    person.goto(f"{ways.url}/auth/login")
    sign_in(person, ways, ALICE)
    begun = logins(person)
    by_test_id(person, "logout").click()
    expect(by_test_id(person, "login")).to_be_visible()
    expect_visitor(person, ways, "/")
    assert begun == []


def test_after_a_declined_login(person: Page, ways: Stack, logins: Logins) -> None:
    """The page that says that a login was declined is not left by a silent login."""
    begun = logins(person)
    person.goto(f"{ways.url}/auth/login")
    enter_password(person, ALICE, PASSWORD)
    with person.expect_websocket():
        by_test_id(person, "tenant-decline").click()
    person.wait_for_load_state("networkidle")
    expect(by_test_id(person, "auth-error")).to_have_text("The login was declined")
    assert len(begun) == 1


def test_own_link(person: Page, ways: Stack) -> None:
    """A link of the app's own with `prompt=none` ends on the page that it names."""
    person.goto(f"{ways.url}/auth/login?prompt=none&return_to=/%3Fpage%3D2%23details")
    expect_visitor(person, ways)


def test_guarded_page(person: Page, ways: Stack, logins: Logins) -> None:
    """A guarded page goes to the login itself, once."""
    begun = logins(person)
    person.goto(f"{ways.url}/send", wait_until="commit")
    person.wait_for_url("**/u/login**")
    assert len(begun) == 1
    assert "prompt" not in begun[0]


def test_without_javascript(new_person: NewPerson, ways: Stack, logins: Logins) -> None:
    """Without JavaScript, as for a crawler, the page is the page: no redirect, and a login link."""
    crawler = new_person(java_script_enabled=False)
    begun = logins(crawler)
    answer = crawler.goto(f"{ways.url}/")
    assert answer
    assert answer.status == 200
    assert answer.request.redirected_from is None
    assert begun == []
    crawler.get_by_role("link", name="Log in here").click()
    crawler.wait_for_url("**/u/login**")
    assert len(begun) == 1
