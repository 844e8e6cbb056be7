"""What happens when a part goes away and comes back; these journeys stop real processes."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from ..servers import wait_until
from .conftest import NewPerson
from .stack import Stack
from .tabs import session_of
from .walk import ALICE, BOB, by_test_id, log_in, open_profile, shown_metadata

# Where a reader puts its lock in a WAL database's shared memory (SQLite, "WAL-mode File Format").
FIRST_READ_LOCK, READ_LOCKS = 123, 5


def test_restart_of_the_backend(new_person: NewPerson, stack: Stack) -> None:
    """After a restart of the app both people are still logged in."""
    alice, bob = new_person(), new_person()
    log_in(alice, stack, ALICE)
    log_in(bob, stack, BOB)
    stack.app.restart()
    for page, name in ((alice, "Alice"), (bob, "Bob")):
        page.goto(f"{stack.url}/profile")
        expect(by_test_id(page, "user-name")).to_contain_text(name)
        shown_metadata(page)


def test_tenant_down_at_login(person: Page, stack: Stack) -> None:
    """A login while the tenant is down gives a clear page, from which it works once it is back."""
    stack.tenant.server.stop()
    try:
        person.goto(stack.url)
        by_test_id(person, "login").click()
        expect(by_test_id(person, "auth-error")).to_have_text("The login service does not answer")
    finally:
        stack.tenant.server.start()
    person.get_by_role("link", name="Try again").click()
    person.wait_for_url("**/u/login**")


def test_tenant_down_on_profile(person: Page, stack: Stack) -> None:
    """A profile that cannot be fetched says so, keeps the login, and recovers on Try again."""
    log_in(person, stack)
    stack.tenant.server.stop()
    try:
        open_profile(person, stack)
        person.reload()
        expect(by_test_id(person, "auth-error")).to_contain_text("does not answer")
        expect(by_test_id(person, "user-name")).to_contain_text("Alice")
    finally:
        stack.tenant.server.start()
    person.get_by_role("button", name="Try again").click()
    shown_metadata(person)


@contextmanager
def locked_sessions(stack: Stack, changed: str) -> Iterator[None]:
    """Hold SQLite's own read locks, as a program that hangs in the middle of its work would, after
    a change of this session, so that the app has to read it again."""
    data = stack.directory.parent / "data"
    with (data / "sessions.sqlite3-shm").open("r+b") as shared_memory:
        fcntl.lockf(shared_memory, fcntl.LOCK_EX, READ_LOCKS, FIRST_READ_LOCK)
        with (data / "sessions.sqlite3-changes").open("a") as changes:
            changes.write(f"\n{changed}\n")
        yield


def test_sessions_cannot_be_read(person: Page, stack: Stack) -> None:
    """While sessions cannot be read, the page says that the login is kept, and comes back."""
    log_in(person, stack)
    open_profile(person, stack)
    shown_metadata(person)
    with locked_sessions(stack, session_of(person, stack)):
        person.reload()
        # The store waits some seconds before it gives up.
        kept = "You are still logged in"
        expect(by_test_id(person, "auth-error")).to_contain_text(kept, timeout=15_000)
        expect(by_test_id(person, "user-metadata")).to_have_count(0)
    wait_until(lambda: try_again(person), 15.0)
    expect(by_test_id(person, "user-name")).to_contain_text("Alice")
    shown_metadata(person)


def try_again(page: Page) -> bool:
    """Press the button, if it is there at this moment; whether it is no longer needed."""
    page.evaluate("document.querySelectorAll('.auth-signed-out button').forEach(b => b.click())")
    return by_test_id(page, "user-name").is_visible()
