"""Tabs that follow a login in place, and what happens to their session from outside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from playwright.sync_api import Page, expect

from app.auth import Sealer, SQLiteSessionStore
from app.auth.flows.session_events import SessionEventKind, SessionEvents
from app.auth.session import Lifetimes, SessionStore, hash_session_id

from ..cookies import session_cookie
from .stack import SECRET, Stack
from .walk import ALICE, by_test_id, sign_in

Result = TypeVar("Result")
RunAsync = Callable[[Coroutine[Any, Any, object]], object]

SIGNED_OUT = "You are not logged in."
NOT_DONE = "Your login has changed. What you did last was not carried out: please do it again."


def open_tab(beside: Page, stack: Stack, path: str = "/profile") -> Page:
    """Another tab of the same browser, marked (see `expect_in_place`) once it is connected."""
    tab = beside.context.new_page()
    tab.goto(f"{stack.url}{path}")
    mark(tab)
    return tab


def mark(tab: Page) -> None:
    """Wait until it is known who is signed in; then leave a mark that no page load survives."""
    login, logout = by_test_id(tab, "login"), by_test_id(tab, "logout")
    expect(login.or_(logout).first).to_be_visible()
    tab.evaluate("window.mark = 1")


def expect_in_place(tab: Page) -> None:
    """The page has not been loaded again since `mark`."""
    assert tab.evaluate("window.mark") == 1


def expect_signed_out(tab: Page) -> None:
    """The tab shows in place that no user is signed in."""
    expect(tab.get_by_text(SIGNED_OUT)).to_be_visible()
    expect(by_test_id(tab, "user-name")).to_have_count(0)
    expect(by_test_id(tab, "user-metadata")).to_have_count(0)
    expect(by_test_id(tab, "logout")).to_have_count(0)
    expect_in_place(tab)


def expect_not_done(tab: Page) -> None:
    """The user is told that the last thing was not carried out."""
    expect(tab.get_by_text(NOT_DONE)).to_be_visible()


def log_in_again(page: Page, stack: Stack, email: str = ALICE) -> None:
    """A login on top of the one that there is, with the password, and back to the profile."""
    page.goto(f"{stack.api_url}/auth/login?return_to=/profile&prompt=login")
    sign_in(page, stack, email)
    page.wait_for_url(f"{stack.url}/profile")


def start_editing(tab: Page, text: str) -> None:
    """Open the editor and type, without saving."""
    by_test_id(tab, "edit-metadata").click()
    by_test_id(tab, "metadata-editor").fill(text)


class Network:
    """The network of one tab: while it is away no new connection opens; open ones live on."""

    def __init__(self, tab: Page) -> None:
        self._devtools = tab.context.new_cdp_session(tab)
        self._devtools.send("Network.enable")

    def is_away(self, away: bool) -> None:
        """Take it away, or give it back."""
        conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self._devtools.send("Network.emulateNetworkConditions", {"offline": away, **conditions})


def session_of(page: Page, stack: Stack) -> str:
    """The hash of the id of the browser's session."""
    return hash_session_id(cookie_of(page, session_cookie(stack.url))["value"])


def cookie_of(page: Page, name: str) -> Any:
    """The browser's cookie of this name."""
    (cookie,) = (each for each in page.context.cookies() if each["name"] == name)
    return cookie


async def end_in_store(stack: Stack, session_id_hash: str) -> None:
    """End a session without a word to the app."""
    assert await _with_store(stack, lambda store: store.delete(session_id_hash))


async def expire_in_store(stack: Stack, session_id_hash: str) -> None:
    """Let a session have been used for the last time so long ago that it has just expired."""
    await leave_in_store(stack, session_id_hash, 0)


async def leave_in_store(
    stack: Stack, session_id_hash: str, seconds: float, *, is_final: bool = False
) -> None:
    """Let a session end in so many seconds unless it is used; or, if `is_final`, in any case."""

    async def age(store: SessionStore) -> bool:
        stored = await store.load(session_id_hash)
        assert stored
        session = stored.session.ending_by(time.time() + seconds if is_final else None)
        return await store.compare_and_swap(session_id_hash, stored.version, session)

    idle = Lifetimes().idle - seconds
    assert await _with_store(stack, age, clock=lambda: time.time() - (0 if is_final else idle))


async def expire_tokens_in_store(stack: Stack, session_id_hash: str) -> None:
    """Let the access tokens of a session have expired."""

    async def age(store: SessionStore) -> bool:
        stored = await store.load(session_id_hash)
        assert stored
        tokens = (
            replace(each, refresh_at=0.0, expires_at=0.0) for each in stored.session.access_tokens
        )
        session = replace(stored.session, access_tokens=tuple(tokens))
        return await store.compare_and_swap(session_id_hash, stored.version, session)

    assert await _with_store(stack, age)


async def free_expired(stack: Stack) -> None:
    """What each process of the app does once a minute, as another one of them does it."""

    async def free(store: SessionStore) -> None:
        events = SessionEvents(store, handle=_nothing, look_again=_nothing)
        for session_id_hash in await store.purge():
            await events.publish(SessionEventKind.ENDED, session_id_hash)

    await _with_store(stack, free)


async def _nothing(*_: object) -> None:
    """No tab is open in this process."""


async def _with_store(
    stack: Stack,
    work: Callable[[SessionStore], Awaitable[Result]],
    clock: Callable[[], float] = time.time,
) -> Result:
    file = stack.directory.parent / "data" / "sessions.sqlite3"
    store = SQLiteSessionStore(file, Sealer((SECRET,)), clock=clock)
    try:
        return await asyncio.wait_for(_as_coroutine(work(store)), 10)
    finally:
        await store.close()


async def _as_coroutine(awaitable: Awaitable[Result]) -> Result:
    return await awaitable
