"""The first journey under plain `reflex run`: two ports, and the tenant that comes with it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from ..servers import answers
from .stack import Stack
from .walk import by_test_id, log_in, open_profile, shown_metadata


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


def test_ctrl_c(development: Stack) -> None:
    """Ctrl-C ends the app and its tenant, without a traceback; both start again with their data."""
    development.app.interrupt()
    assert "Traceback" not in development.app.log.read_text()
    assert not answers(f"{development.tenant.url}/.well-known/openid-configuration")
    development.app.restart()
    assert answers(f"{development.tenant.url}/.well-known/openid-configuration")
