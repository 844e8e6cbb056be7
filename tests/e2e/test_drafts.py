"""Text in the editor that is not saved: it comes back when its State is gone, for its user only."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from .conftest import NewPerson
from .stack import Stack
from .tabs import (
    RunAsync,
    end_in_store,
    expect_in_place,
    expect_signed_out,
    expire_tokens_in_store,
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
    open_profile,
    shown_metadata,
    sign_in,
)

pytestmark = pytest.mark.usefixtures("known_metadata")

TYPED = '{"color": "typed"}'
STORED = "() => sessionStorage.getItem('auth_drafts')"


def expect_not_saved(page: Page, text: str = TYPED) -> None:
    """The text is back in the editor, and the page says that it is not saved."""
    expect(by_test_id(page, "metadata-editor")).to_have_value(text)
    expect(by_test_id(page, "metadata-problem")).to_contain_text("not saved")


def expect_no_draft(page: Page) -> None:
    """The metadata is shown, no editor opens, and the tab has stored nothing."""
    shown_metadata(page)
    page.wait_for_timeout(500)  # in which nothing comes back
    expect(by_test_id(page, "metadata-editor")).to_have_count(0)
    assert page.evaluate(STORED) is None


def cut_on_the_browsers_side(page: Page) -> Callable[[], None]:
    """Make what cuts the page's websocket so that the server does not notice."""
    open_ones: list[WebSocketRoute] = []

    def connect(websocket: WebSocketRoute) -> None:
        websocket.connect_to_server()
        websocket.on_close(lambda code, reason: None)  # the server's side stays open
        open_ones.append(websocket)

    page.route_web_socket("**/_event/**", connect)

    def cut() -> None:
        open_ones[-1].close(code=1001)

    return cut


def test_lost_connection(person: Page, stack: Stack) -> None:
    """After a connection that was lost on the browser's side, Reflex gives the tab another token,
    and a State without the editor. The text is there again, and can be saved."""
    cut = cut_on_the_browsers_side(person)
    on_profile(person, stack, ALICE)
    mark(person)
    start_editing(person, TYPED)
    token = tab_token(person)
    cut()
    expect_not_saved(person)
    assert tab_token(person) != token
    expect_in_place(person)
    by_test_id(person, "save-metadata").click()
    expect(person.get_by_text("Saved.", exact=True)).to_be_visible()
    assert shown_metadata(person) == {"color": "typed"}
    person.reload()
    expect_no_draft(person)


def test_login_in_between(person: Page, stack: Stack, run_async: RunAsync) -> None:
    """Save finds that the refresh token is revoked and the access token has expired. After the
    login the text is in the editor, and not saved."""
    on_profile(person, stack, ALICE)
    start_editing(person, TYPED)
    run_async(expire_tokens_in_store(stack, session_of(person, stack)))
    stack.tenant.revoke_refresh_tokens()
    by_test_id(person, "save-metadata").click()
    by_test_id(person, "login").first.click()
    person.wait_for_url("**/profile")
    expect_not_saved(person)
    assert stack.tenant.metadata(ALICE) == '{"color": "blue"}'
    by_test_id(person, "save-metadata").click()
    expect(person.get_by_text("Saved.", exact=True)).to_be_visible()
    person.reload()
    expect_no_draft(person)


def test_reload_and_cancel(person: Page, stack: Stack) -> None:
    """After a reload the text is there again; after Cancel it is not."""
    on_profile(person, stack, ALICE)
    start_editing(person, TYPED)
    person.reload()
    expect_not_saved(person)
    person.get_by_role("link", name="Account").click()
    person.wait_for_url("**/account")
    open_profile(person, stack)
    expect_not_saved(person)
    person.get_by_role("button", name="Cancel").click()
    expect_no_draft(person)
    person.reload()
    expect_no_draft(person)


def test_changed_meanwhile(person: Page, stack: Stack) -> None:
    """A text that comes back was typed over older metadata: Save shows the change, and does not
    overwrite it."""
    on_profile(person, stack, ALICE)
    start_editing(person, TYPED)
    stack.tenant.set_metadata(ALICE, '{"color": "red"}')
    person.reload()
    expect_not_saved(person)
    by_test_id(person, "save-metadata").click()
    expect(by_test_id(person, "metadata-now")).to_contain_text("red")
    expect(by_test_id(person, "metadata-editor")).to_have_value(TYPED)
    assert stack.tenant.metadata(ALICE) == '{"color": "red"}'


def test_text_of_another_user(person: Page, stack: Stack, run_async: RunAsync) -> None:
    """Bob, who logs in in a tab whose session has ended, does not get what Alice typed there. It is
    gone then, for Alice as well."""
    on_profile(person, stack, ALICE)
    start_editing(person, TYPED)
    run_async(end_in_store(stack, session_of(person, stack)))
    log_in_again(person, stack, BOB)
    expect(by_test_id(person, "user-name")).to_contain_text("Bob")
    assert "grey" in by_test_id(person, "user-metadata").inner_text()
    expect_no_draft(person)


def test_logout(new_person: NewPerson, stack: Stack) -> None:
    """A logout drops the text in each tab of the browser."""
    person = new_person()
    on_profile(person, stack, ALICE)
    other = open_tab(person, stack)
    for tab in (person, other):
        start_editing(tab, TYPED)
    log_out(person, stack)
    log_in(person, stack, ALICE)
    open_profile(person, stack)
    expect_no_draft(person)
    other.reload()
    shown_metadata(other)
    other.wait_for_timeout(500)  # in which nothing comes back
    expect(by_test_id(other, "metadata-editor")).to_have_count(0)


def test_store_outage(person: Page, stack: Stack, run_async: RunAsync) -> None:
    """Nothing is lost while it is not known whom the tab shows, nor given to its next user."""
    on_profile(person, stack, ALICE)
    start_editing(person, TYPED)
    unknown = "content => document.querySelector('meta[name=auth-owner]').content = content"
    tag = person.evaluate("() => document.querySelector('meta[name=auth-owner]').content")
    assert tag not in ("", "visitor")
    person.evaluate(unknown, "")  # as while sessions cannot be read
    by_test_id(person, "metadata-editor").fill('{"color": "unknown"}')
    run_async(end_in_store(stack, session_of(person, stack)))
    person.goto(f"{stack.url}/auth/login?return_to=/profile&prompt=login")
    sign_in(person, stack, BOB)
    expect(by_test_id(person, "user-name")).to_contain_text("Bob")
    expect_no_draft(person)


def test_restart(person: Page, stack: Stack) -> None:
    """When the backend comes back without its States, under the same token of the tab, a text that
    was typed is there again, in the form as well. One that the user has cancelled meanwhile is
    not, nor one that the API turns out to have."""
    on_profile(person, stack, ALICE)
    other, third, form = (open_tab(person, stack) for _ in range(3))
    mark(person)
    by_test_id(form, "edit-metadata").click()
    form.get_by_role("button", name="Form").click()
    form.get_by_role("textbox", name="Value").fill("in a row")
    for tab, text in ((person, TYPED), (other, '{"color": "dropped"}'), (third, '{"color":"new"}')):
        start_editing(tab, text)
    token = tab_token(person)
    stack.app.stop()
    other.get_by_role("button", name="Cancel").click()
    stack.tenant.set_metadata(ALICE, '{"color": "new"}')
    stack.app.start()
    expect_not_saved(person)
    assert tab_token(person) == token
    expect(form.get_by_role("textbox", name="Value")).to_have_value("in a row")
    expect(by_test_id(form, "metadata-problem")).to_contain_text("not saved")
    for tab in (other, third):
        expect_no_draft(tab)
    for tab in (person, other, third, form):
        expect_in_place(tab)
    person.get_by_role("button", name="Cancel").click()
    expect_no_draft(person)


def test_restart_during_a_save(person: Page, stack: Stack) -> None:
    """A text whose save was cut off by the end of the backend is there again, as not saved. So is
    one whose Save was pressed while the backend was away."""
    on_profile(person, stack, ALICE)
    other = open_tab(person, stack)
    start_editing(person, TYPED)
    start_editing(other, '{"color": "other"}')
    os.kill(stack.tenant.server.pid, signal.SIGSTOP)  # the API takes its time
    try:
        by_test_id(person, "save-metadata").click()
        expect(person.get_by_text("Saving…")).to_be_visible()
        stack.app.kill()
    finally:
        os.kill(stack.tenant.server.pid, signal.SIGCONT)
    by_test_id(other, "save-metadata").click()
    stack.app.start()
    expect_not_saved(person)
    expect_not_saved(other, '{"color": "other"}')
    assert stack.tenant.metadata(ALICE) == '{"color": "blue"}'
    by_test_id(person, "save-metadata").click()
    expect(person.get_by_text("Saved.", exact=True)).to_be_visible()
    assert stack.tenant.metadata(ALICE) == TYPED


def test_restart_and_the_next_user(person: Page, stack: Stack, run_async: RunAsync) -> None:
    """When the backend comes back and the session has ended, the text is not shown; Bob, who logs
    in in another tab, does not get it, and after Alice's next login there it is gone."""
    on_profile(person, stack, ALICE)
    tab = open_tab(person, stack)
    start_editing(tab, TYPED)
    stack.app.stop()
    run_async(end_in_store(stack, session_of(person, stack)))
    stack.app.start()
    expect_signed_out(tab)
    log_in_again(person, stack, BOB)
    expect(by_test_id(tab, "user-name")).to_contain_text("Bob")
    expect_no_draft(tab)
    log_in_again(person, stack, ALICE)
    expect(by_test_id(tab, "user-name")).to_contain_text("Alice")
    expect_no_draft(tab)
    expect_in_place(tab)
