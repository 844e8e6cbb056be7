"""Coming back after the connection was gone: as the right person, and with no click lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from playwright.sync_api import Page

from app.auth import Sealer, SQLiteSessionStore
from app.auth.session import hash_session_id

from ..cookies import session_cookie
from .conftest import NewPerson
from .stack import SECRET, Stack
from .walk import ALICE, BOB, by_test_id, expect_editor, on_profile

RunAsync = Callable[[Coroutine[Any, Any, object]], object]


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
    (cookie,) = (c for c in person.context.cookies() if c["name"] == session_cookie(stack.url))
    by_test_id(person, "edit-metadata").click()
    by_test_id(person, "metadata-editor").fill('{"color": "late"}')
    stack.app.stop()
    run_async(end_session(stack, hash_session_id(cookie["value"])))
    by_test_id(person, "save-metadata").click()
    stack.app.start()
    person.wait_for_url("**/u/login**")
    assert stack.tenant.metadata(ALICE) == '{"color": "blue"}'


async def end_session(stack: Stack, ref: str) -> None:
    """As another backend that shares the store would."""
    file = stack.directory.parent / "data" / "sessions.sqlite3"
    store = SQLiteSessionStore(file, Sealer((SECRET,)))
    assert await asyncio.wait_for(store.delete(ref), 10)
    await store.close()
