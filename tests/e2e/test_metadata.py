"""Editing the metadata: saved through the API, seen in every tab, and never lost or overwritten."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from .conftest import NewPerson
from .stack import Stack
from .tabs import open_tab, start_editing
from .test_attacks import PROFILE, event, speak, tab_token
from .walk import ALICE, BOB, by_test_id, log_in, open_profile, shown_metadata


def open_editor(page: Page, stack: Stack, email: str = ALICE) -> None:
    """Log in, open the profile, and press Edit."""
    log_in(page, stack, email)
    open_profile(page, stack)
    by_test_id(page, "edit-metadata").click()


def save(page: Page, text: str) -> None:
    """Put this text into the editor and press Save."""
    by_test_id(page, "metadata-editor").fill(text)
    by_test_id(page, "save-metadata").click()


def test_saved_and_seen_everywhere(new_person: NewPerson, stack: Stack) -> None:
    """What is saved in one tab is shown, without a reload, in another tab of the same browser and
    in the user's other browser, and to nobody else."""
    stack.tenant.set_metadata(ALICE, '{"color": "blue", "size": 3}')
    stack.tenant.set_metadata(BOB, '{"color": "grey"}')
    alice, phone, bob = new_person(), new_person(), new_person()
    for page, email in ((phone, ALICE), (bob, BOB)):
        log_in(page, stack, email)
        open_profile(page, stack)
        shown_metadata(page)
    open_editor(alice, stack)
    tab = alice.context.new_page()
    tab.goto(f"{stack.url}/profile")
    shown_metadata(tab)
    save(alice, '{"color": "gr\u00fcn", "list": [1, null]}')
    for page in (alice, tab, phone):
        expect(by_test_id(page, "user-metadata")).to_contain_text("gr\u00fcn")
        assert shown_metadata(page) == {"color": "gr\u00fcn", "list": [1, None]}
    assert shown_metadata(bob) == {"color": "grey"}
    alice.reload()
    assert shown_metadata(alice) == {"color": "gr\u00fcn", "list": [1, None]}


def test_half_of_a_character(person: Page, stack: Stack) -> None:
    """Metadata with half of a surrogate pair, which is valid JSON, is shown with U+FFFD there."""
    stack.tenant.set_metadata(ALICE, '{"mood": "\\ud83d"}')
    log_in(person, stack)
    open_profile(person, stack)
    assert shown_metadata(person) == {"mood": "\ufffd"}


def test_not_json(person: Page, stack: Stack) -> None:
    """Text that is not JSON is not sent; the page says where it is wrong and keeps it."""
    stack.tenant.set_metadata(ALICE, '{"color": "blue"}')
    open_editor(person, stack)
    save(person, '{"color": "green"')
    expect(by_test_id(person, "metadata-problem")).to_contain_text("line 1, column 18")
    expect(by_test_id(person, "metadata-editor")).to_have_value('{"color": "green"')
    save(person, '{"a": "🦊",\n"b" 2}')
    expect(by_test_id(person, "wrong-line")).to_have_text('2"b" 2}')
    place = "(e) => [e.selectionStart, e === document.activeElement]"
    assert by_test_id(person, "metadata-editor").evaluate(place) == [16, True]
    person.get_by_role("button", name="Cancel").click()
    assert shown_metadata(person) == {"color": "blue"}


def test_form(person: Page, stack: Stack) -> None:
    """The form and the JSON edit the same draft: entries are changed, added and removed in rows,
    with the keyboard alone; what is wrong is said at its row, and values keep their types."""
    stack.tenant.set_metadata(ALICE, '{"color": "blue", "size": 3, "old": null, "news": true}')
    open_editor(person, stack)
    person.get_by_role("button", name="Form").click()
    rows = by_test_id(person, "metadata-row")
    expect(rows).to_have_count(4)
    rows.nth(1).get_by_role("textbox", name="Value").fill("many")
    rows.nth(2).get_by_label("Remove").check()
    rows.nth(3).get_by_role("combobox", name="Value").select_option("No")
    person.get_by_role("button", name="Add an entry").press("Enter")
    expect(rows.nth(4).get_by_label("Name")).to_be_focused()
    person.keyboard.type("note")
    rows.nth(4).get_by_label("Kind").select_option("Nothing")
    expect(rows.nth(4).get_by_role("textbox", name="Value")).to_have_count(0)
    expect(rows.nth(4).get_by_role("combobox", name="Value")).to_have_count(0)
    rows.nth(4).get_by_label("Kind").select_option("Text")
    rows.nth(4).get_by_role("textbox", name="Value").fill("tea")
    person.get_by_role("button", name="JSON").click()
    expect(rows.nth(1).get_by_role("alert")).to_contain_text("not a number")
    rows.nth(1).get_by_role("textbox", name="Value").fill("4.50")
    person.get_by_role("button", name="JSON").click()
    text = '{"color": "blue", "size": 4.5, "news": false, "note": "tea"}'
    expect(by_test_id(person, "metadata-editor")).to_have_value(
        json.dumps(json.loads(text), indent=2)
    )
    by_test_id(person, "metadata-editor").fill(text.replace("blue", "red"))
    person.get_by_role("button", name="Form").click()
    expect(rows.nth(0).get_by_role("textbox", name="Value")).to_have_value("red")
    rows.nth(0).get_by_role("textbox", name="Value").press("Enter")
    expect(person.get_by_text("Saved.")).to_be_visible()
    assert shown_metadata(person) == json.loads(text) | {"color": "red"}
    assert stack.tenant.metadata(ALICE) == json.dumps(json.loads(text) | {"color": "red"})


def test_not_for_the_form(person: Page, stack: Stack) -> None:
    """JSON that has more than a form can show stays JSON, and the page says why."""
    stack.tenant.set_metadata(ALICE, '{"color": "blue"}')
    open_editor(person, stack)
    by_test_id(person, "metadata-editor").fill('{"list": [1]}')
    person.get_by_role("button", name="Form").click()
    expect(by_test_id(person, "metadata-problem")).to_contain_text("“list” is a list")
    expect(by_test_id(person, "metadata-editor")).to_have_value('{"list": [1]}')


def test_note_of_a_change(person: Page, stack: Stack) -> None:
    """A tab that shows the metadata says which entries another one has changed, until the note is
    dismissed. An editor keeps what is typed, and does not overwrite the change unasked."""
    stack.tenant.set_metadata(ALICE, '{"color": "blue", "size": 3}')
    open_editor(person, stack)
    showing, editing = (open_tab(person, stack) for _ in range(2))
    shown_metadata(showing)
    start_editing(editing, '{"color": "mine"}')
    save(person, '{"color": "green", "size": 3}')
    for tab in (showing, editing):
        expect(by_test_id(tab, "metadata-changed")).to_contain_text("another tab or app: “color”.")
    expect(by_test_id(person, "metadata-changed")).to_have_count(0)
    assert shown_metadata(showing) == {"color": "green", "size": 3}
    showing.get_by_role("button", name="Dismiss").click()
    expect(by_test_id(showing, "metadata-changed")).to_have_count(0)
    expect(showing.locator("#metadata-heading")).to_be_focused()
    expect(by_test_id(editing, "metadata-editor")).to_have_value('{"color": "mine"}')
    by_test_id(editing, "save-metadata").click()
    expect(by_test_id(editing, "metadata-now")).to_contain_text("green")
    expect(by_test_id(editing, "metadata-editor")).to_have_value('{"color": "mine"}')


def test_too_long_to_edit(person: Page, stack: Stack) -> None:
    """Metadata that is too long to be saved is shown, and is not opened for editing."""
    stack.tenant.set_metadata(ALICE, json.dumps({"color": "x" * 70_000}))
    log_in(person, stack)
    open_profile(person, stack)
    by_test_id(person, "edit-metadata").click()
    expect(person.get_by_text("cannot be edited here")).to_be_visible()
    expect(by_test_id(person, "metadata-editor")).to_have_count(0)
    stack.tenant.set_metadata(ALICE, '{"color": "blue"}')


def test_saving_fails(person: Page, stack: Stack) -> None:
    """A change that cannot be saved is taken back, the text stays, and saving again works later."""
    stack.tenant.set_metadata(ALICE, '{"color": "blue"}')
    open_editor(person, stack)
    stack.tenant.server.stop()
    try:
        save(person, '{"color": "green"}')
        expect(by_test_id(person, "metadata-problem")).to_contain_text("does not answer")
        expect(by_test_id(person, "metadata-editor")).to_have_value('{"color": "green"}')
    finally:
        stack.tenant.server.start()
    by_test_id(person, "save-metadata").click()
    expect(person.get_by_text("Saved.")).to_be_visible()
    assert shown_metadata(person) == {"color": "green"}


def test_changed_elsewhere(person: Page, stack: Stack) -> None:
    """A change that somebody else made meanwhile is shown, not overwritten; the second time the
    user knows of it and is obeyed."""
    stack.tenant.set_metadata(ALICE, '{"color": "blue"}')
    open_editor(person, stack)
    stack.tenant.set_metadata(ALICE, '{"color": "red", "from": "another app"}')
    save(person, '{"color": "green"}')
    expect(by_test_id(person, "metadata-now")).to_contain_text("another app")
    expect(by_test_id(person, "metadata-editor")).to_have_value('{"color": "green"}')
    by_test_id(person, "save-metadata").click()
    expect(person.get_by_text("Saved.")).to_be_visible()
    assert shown_metadata(person) == {"color": "green"}


def test_conflict_cancelled(person: Page, stack: Stack) -> None:
    """Cancelling after a conflict keeps what the other one wrote, and shows it."""
    stack.tenant.set_metadata(ALICE, '{"color": "blue"}')
    open_editor(person, stack)
    stack.tenant.set_metadata(ALICE, '{"color": "red"}')
    save(person, '{"color": "green"}')
    expect(by_test_id(person, "metadata-now")).to_be_visible()
    person.get_by_role("button", name="Cancel").click()
    assert shown_metadata(person) == {"color": "red"}


def test_forged_saves(person: Page, stack: Stack) -> None:
    """A save from a socket without the session changes nothing, whatever it carries."""
    stack.tenant.set_metadata(ALICE, '{"color": "blue"}')
    open_editor(person, stack)
    forged = event(f"{PROFILE}.save", form={"metadata": '{"color": "stolen"}'})
    stranger = person.context.browser
    assert stranger
    thief = stranger.new_context().new_page()
    thief.goto(stack.url)
    assert "blue" not in speak(thief, stack, tab_token(person), forged)
    thief.context.close()
    person.reload()
    expect(by_test_id(person, "user-name")).to_be_visible()
    with_session = [event(f"{PROFILE}.save", form=form) for form in ({}, "text", None, [1])]
    speak(person, stack, tab_token(person), *with_session)
    person.goto(f"{stack.url}/profile")
    assert "stolen" not in person.content()
