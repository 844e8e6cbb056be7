"""Coming back after the connection was gone: as the right person, and with no click lost."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from .conftest import NewPerson
from .stack import Stack
from .tabs import RunAsync, end_in_store, session_of
from .walk import ALICE, BOB, by_test_id, expect_editor, on_profile


def test_click_while_the_backend_restarts(new_person: NewPerson, stack: Stack) -> None:
    """A click made while the backend is down is carried out when it is back, for the one who made
    it; everybody is who they were."""
    stack.tenant.set_metadata(ALICE, '{"color": "blue"}')
    stack.tenant.set_metadata(BOB, '{"color": "grey"}')
    alice, bob = new_person(), new_person()
    on_profile(alice, stack, ALICE)
    on_profile(bob, stack, BOB)
    stack.app.stop()
    by_test_id(alice, "edit-metadata").click()
    stack.app.start()
    expect_editor(alice, "Alice", "blue")
    by_test_id(bob, "edit-metadata").click()
    expect_editor(bob, "Bob", "grey")


def test_ended_while_the_backend_was_down(person: Page, stack: Stack, run_async: RunAsync) -> None:
    """A tab whose session has ended while nothing could be told to it is nobody's when it comes
    back, and a click that was waiting does nothing."""
    stack.tenant.set_metadata(ALICE, '{"color": "blue"}')
    on_profile(person, stack, ALICE)
    by_test_id(person, "edit-metadata").click()
    by_test_id(person, "metadata-editor").fill('{"color": "late"}')
    stack.app.stop()
    run_async(end_in_store(stack, session_of(person, stack)))
    by_test_id(person, "save-metadata").click()
    stack.app.start()
    expect(person.get_by_text("What you did last was not carried out")).to_be_visible(timeout=15000)
    expect(by_test_id(person, "login").first).to_be_visible()
    assert stack.tenant.metadata(ALICE) == '{"color": "blue"}'
