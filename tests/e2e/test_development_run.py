"""The first journey under plain `reflex run`: two ports, and the tenant that comes with it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from ..servers import answers
from .stack import Stack
from .tabs import expect_in_place, mark, open_tab
from .walk import by_test_id, log_in, log_out, open_profile, shown_metadata


def test_first_login_to_metadata(person: Page, development: Stack) -> None:
    """With nothing configured, Alice logs in at the local tenant and sees her metadata."""
    log_in(person, development)
    open_profile(person, development)
    expect(by_test_id(person, "user-name")).to_contain_text("Alice")
    assert shown_metadata(person)


def test_hot_reload_keeps_the_login(person: Page, development: Stack) -> None:
    """A hot reload of the backend neither logs anyone out nor resets the tenant."""
    log_in(person, development)
    development.hot_reload()
    person.goto(f"{development.url}/profile")
    expect(by_test_id(person, "user-name")).to_contain_text("Alice")
    assert shown_metadata(person)


def test_tabs_follow(person: Page, development: Stack) -> None:
    """With page and backend on two ports, too, a second tab follows login and logout in place."""
    log_in(person, development)
    log_out(person, development)
    _expect_tab_follows(person, development)


def test_tabs_follow_the_first_login(person: Page, development: Stack) -> None:
    """In a browser that comes for the first time, too."""
    person.goto(development.url)
    mark(person)
    _expect_tab_follows(person, development)


def _expect_tab_follows(person: Page, development: Stack) -> None:
    other = open_tab(person, development, path="/external")
    log_in(person, development)
    expect(by_test_id(other, "call-external")).to_be_visible()
    log_out(person, development)
    expect(by_test_id(other, "login")).to_be_visible()
    expect(by_test_id(other, "call-external")).to_have_count(0)
    expect_in_place(other)


def test_ctrl_c(development: Stack) -> None:
    """Ctrl-C ends the app and its tenant, without a traceback; both start again with their data."""
    development.app.interrupt()
    log = development.app.log.read_text()
    does_tenant_answer = answers(f"{development.tenant.url}/.well-known/openid-configuration")
    development.app.restart()  # before any of this is judged: other tests use the app, too
    assert "Traceback" not in log
    assert not does_tenant_answer
    assert answers(f"{development.tenant.url}/.well-known/openid-configuration")
