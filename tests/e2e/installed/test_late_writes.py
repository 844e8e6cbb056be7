"""What a handler still at work writes for a user who has gone meanwhile: nobody sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from app.auth.session import Sealer, SQLiteSessionStore, hash_session_id

from ...cookies import session_cookie
from ..stack import SECRET, Stack
from ..walk import ALICE, BOB
from .pauses import Pauses
from .test_installed import enter


async def end_session(notes: Stack, handle: str) -> None:
    """End a session in the store, behind the back of every tab."""
    file = notes.directory.parent / "data" / "sessions.sqlite3"
    store = SQLiteSessionStore(file, Sealer((SECRET,)))
    assert await store.delete(hash_session_id(handle))
    await store.close()


def log_out(page: Page) -> None:
    """Press the button and arrive back."""
    page.get_by_role("button", name="log out").click()
    expect(page.locator("#ready")).to_have_text("ready")


def test_background_handler_outlives_its_user(person: Page, notes: Stack, pauses: Pauses) -> None:
    """A guarded background handler that began for one person writes nothing once another is in."""
    pauses.let_go("follow alice")
    pauses.let_go("follow bob")
    pauses.let_go("follow nobody")
    enter(person, notes, ALICE)
    person.get_by_role("button", name="slow").click()
    pauses.wait_for("slow")
    expect(person.locator("#done")).to_have_text("slow began")
    log_out(person)
    enter(person, notes, BOB)
    pauses.let_go("slow")
    pauses.wait_for("slow is over")
    person.get_by_role("button", name="plain", exact=True).click()
    expect(person.locator("#done")).to_have_text("plain x")


def test_background_handler_of_the_same_user(person: Page, notes: Stack, pauses: Pauses) -> None:
    """While its user stays, a guarded background handler writes to its end."""
    pauses.let_go("follow alice")
    enter(person, notes, ALICE)
    person.get_by_role("button", name="slow").click()
    pauses.let_go("slow")
    pauses.let_go("slow is over")
    expect(person.locator("#done")).to_have_text("slow began,slow ended")


def test_change_that_an_event_notices(
    person: Page, notes: Stack, pauses: Pauses, run_async: Callable[..., Any]
) -> None:
    """An event that notices that the session has ended is not carried out, and the user is told;
    the subscriber runs for the end of the session, and what an unfinished run writes is not
    shown."""
    enter(person, notes, ALICE)
    pauses.wait_for("follow alice")
    cookie = next(c for c in person.context.cookies() if c["name"] == session_cookie(notes.url))
    run_async(end_session(notes, cookie["value"]))
    person.get_by_role("button", name="plain", exact=True).click()
    pauses.wait_for("follow nobody")
    pauses.let_go("follow alice")
    pauses.let_go("follow nobody")
    expect(person.get_by_text("What you did last was not carried out")).to_be_visible()
    expect(person.locator("#runs")).to_have_text("nobody")
    expect(person.locator("#done")).to_have_text("")
