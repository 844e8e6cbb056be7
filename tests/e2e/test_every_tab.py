"""Every open tab follows what happens to the login of its browser: in place, without a page load.

`mark` leaves a mark in a tab that no page load survives."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from .conftest import NewPerson
from .stack import Stack
from .tabs import (
    Network,
    RunAsync,
    expect_in_place,
    expect_not_done,
    expect_signed_out,
    expire_in_store,
    free_expired,
    log_in_again,
    mark,
    open_tab,
    session_of,
    start_editing,
)
from .test_account import end_all_but_this
from .test_attacks import tab_token
from .test_backchannel_logout import logout_token
from .test_external_api import open_external
from .walk import ALICE, BOB, by_test_id, log_in, log_out, on_profile, shown_metadata

pytestmark = pytest.mark.usefixtures("known_metadata")


def expect_user(tab: Page, name: str, color: str) -> None:
    """The profile of this user is shown in place, with their metadata."""
    expect(by_test_id(tab, "user-name")).to_contain_text(name)
    expect(by_test_id(tab, "user-metadata")).to_contain_text(color)
    expect_in_place(tab)


def test_another_user_logs_in(person: Page, stack: Stack) -> None:
    """When Bob logs in over Alice in one tab, the other one shows Bob, and nothing of hers."""
    on_profile(person, stack, ALICE)
    other = open_tab(person, stack)
    expect_user(other, "Alice", "blue")
    log_in_again(person, stack, BOB)
    expect_user(other, "Bob", "grey")
    for text in ("Alice", "alice@", "blue"):
        assert text not in other.content()
    by_test_id(other, "edit-metadata").click()
    expect(by_test_id(other, "metadata-editor")).to_have_value('{\n  "color": "grey"\n}')


def test_another_user_while_typing(person: Page, stack: Stack) -> None:
    """What Alice has typed into an editor of another tab is not there for Bob, who logs in."""
    on_profile(person, stack, ALICE)
    other = open_tab(person, stack)
    start_editing(other, '{"color": "draft of alice"}')
    log_in_again(person, stack, BOB)
    expect_user(other, "Bob", "grey")
    expect(by_test_id(other, "metadata-editor")).to_have_count(0)
    by_test_id(other, "edit-metadata").click()
    expect(by_test_id(other, "metadata-editor")).to_have_value('{\n  "color": "grey"\n}')


def test_same_user_again(person: Page, stack: Stack) -> None:
    """After a step-up in one tab, the other one has what was typed and its state, and the first
    click on its new connection is carried out."""
    on_profile(person, stack, ALICE)
    other = open_tab(person, stack)
    start_editing(other, '{"color": "green"}')
    token = tab_token(other)
    with other.expect_websocket():
        log_in_again(person, stack)
    by_test_id(other, "save-metadata").click()
    expect(other.get_by_text("Saved.")).to_be_visible()
    expect_user(other, "Alice", "green")
    assert stack.tenant.metadata(ALICE) == '{"color": "green"}'
    assert tab_token(other) == token


def test_consent_for_more(person: Page, stack: Stack) -> None:
    """After a consent for another API in one tab, the other one has what was typed and its state,
    and a click made while it is not connected is carried out."""
    on_profile(person, stack, ALICE)
    other = person.context.new_page()
    with other.expect_websocket() as websocket:
        other.goto(f"{stack.url}/profile")
    shown_metadata(other)
    mark(other)
    start_editing(other, '{"color": "green"}')
    network = Network(other)
    network.is_away(True)
    stack.tenant.forget_consents()
    open_external(person, stack)
    by_test_id(person, "call-external").click()
    by_test_id(person, "ask-for-scope").click()
    person.wait_for_url("**/u/consent**")
    with websocket.value.expect_event("close"):
        by_test_id(person, "tenant-accept").click()
    by_test_id(other, "save-metadata").click()
    network.is_away(False)
    expect(other.get_by_text("Saved.")).to_be_visible()
    expect_user(other, "Alice", "green")
    expect(by_test_id(other, "metadata-editor")).to_have_count(0)
    assert stack.tenant.metadata(ALICE) == '{"color": "green"}'


def test_logout(person: Page, stack: Stack) -> None:
    """A logout in one tab takes profile and draft off the other one, and the next user finds
    neither."""
    on_profile(person, stack, ALICE)
    other = open_tab(person, stack)
    start_editing(other, '{"color": "draft of alice"}')
    log_out(person, stack)
    expect_signed_out(other)
    expect(by_test_id(other, "metadata-editor")).to_have_count(0)
    log_in(person, stack, BOB)
    expect_user(other, "Bob", "grey")
    assert "alice" not in other.content().lower()


def test_backchannel_logout(new_person: NewPerson, stack: Stack) -> None:
    """A logout at the provider signs the user out of the tabs of every browser."""
    laptop, phone = new_person(), new_person()
    tabs = []
    for browser in (laptop, phone):
        on_profile(browser, stack, ALICE)
        tabs += [open_tab(browser, stack), open_tab(browser, stack)]
    form = {"logout_token": logout_token(stack, ALICE)}
    assert httpx.post(f"{stack.url}/auth/backchannel-logout", data=form).status_code == 200
    for tab in tabs:
        expect_signed_out(tab)


def test_log_out_there(new_person: NewPerson, stack: Stack) -> None:
    """Ending one session on the Account page signs the user out of each tab of that browser, and
    of no tab of this one."""
    laptop, phone = new_person(), new_person()
    end_all_but_this(laptop, stack)
    here = open_tab(laptop, stack)
    log_in(phone, stack, ALICE)
    there = [open_tab(phone, stack), open_tab(phone, stack)]
    by_test_id(laptop, "end-device").click()
    for tab in there:
        expect_signed_out(tab)
    expect_user(here, "Alice", "blue")


def test_expiry(person: Page, stack: Stack, run_async: RunAsync) -> None:
    """A tab whose session has expired shows so at its next event, which is not carried out; every
    other tab does when the session is freed. Both follow the next login."""
    on_profile(person, stack, ALICE)
    tab, other = open_tab(person, stack), open_tab(person, stack)
    run_async(expire_in_store(stack, session_of(person, stack)))
    by_test_id(tab, "edit-metadata").click()
    expect_not_done(tab)
    expect_signed_out(tab)
    expect(by_test_id(tab, "metadata-editor")).to_have_count(0)
    expect_user(other, "Alice", "blue")
    run_async(free_expired(stack))
    expect_signed_out(other)
    log_in_again(person, stack, BOB)
    for each in (tab, other):
        expect_user(each, "Bob", "grey")
