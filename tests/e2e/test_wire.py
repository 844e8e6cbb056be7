"""The wire test: over login, profile and logout, no secret reaches anything a script can read."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Page, WebSocket

from app.auth.session import Sealer, SQLiteSessionStore, Transaction, hash_session_id
from app.auth.session.encryption import RecordSealer

from ..cookies import session_cookie
from ..servers import wait_until
from .stack import SECRET, Stack
from .walk import by_test_id, log_in, log_out, open_profile, shown_metadata, sign_in

JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")
FETCH_PROFILE = "async headers => (await fetch('/auth/profile', {headers})).text()"


class Wire:
    """Records what the app's origin gives to the browser, and every URL the browser visits."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self.texts: list[tuple[str, str]] = []
        self._origin = stack.url
        page.on("websocket", self._websocket)
        page.on("request", lambda request: self.note("url", request.url))

    def note(self, where: str, text: str | bytes) -> None:
        self.texts.append((where, text if isinstance(text, str) else text.decode(errors="replace")))

    def _websocket(self, socket: WebSocket) -> None:
        self.note("websocket url", socket.url)
        socket.on("framereceived", lambda frame: self.note("websocket in", frame))
        socket.on("framesent", lambda frame: self.note("websocket out", frame))

    def read_bodies(self, page: Page) -> None:
        """Fetch everything the page fetched from the app again, with the same cookies."""
        for url in sorted({text for where, text in self.texts if where == "url"}):
            if url.startswith(self._origin) and "/auth/" not in url:
                self.note(f"body of {url}", page.request.get(url).body())


async def stored_secrets(stack: Stack, handle: str) -> dict[str, str]:
    """The real tokens of the session behind a cookie, unsealed from the app's own store."""
    store = SQLiteSessionStore(
        stack.directory.parent / "data" / "sessions.sqlite3", Sealer((SECRET,))
    )
    stored = await store.load(hash_session_id(handle))
    await store.close()
    assert stored is not None
    (refresh_token,) = stored.session.refresh_tokens
    return {
        "session id": handle,
        "access token": stored.session.access_tokens[0].value,
        "refresh token": refresh_token,
        "client secret": "local-secret",
    }


def log_in_openly(page: Page, stack: Stack) -> dict[str, str]:
    """Log in; the result is the code verifier, read from the store while the login was open."""
    page.goto(stack.url)
    by_test_id(page, "login").click()
    page.wait_for_url("**/u/login**")
    with (
        closing(sqlite3.connect(stack.directory.parent / "data" / "sessions.sqlite3")) as database,
        database,
    ):
        key, sealed = database.execute(
            "SELECT key, sealed FROM transactions ORDER BY created_at DESC LIMIT 1"
        ).fetchone()
    transaction = RecordSealer(Sealer((SECRET,))).open(key, sealed, Transaction)
    assert transaction is not None
    sign_in(page, stack)
    return {"code verifier": transaction.code_verifier}


def browser_storage(page: Page) -> str:
    """Everything in localStorage, sessionStorage and document.cookie."""
    script = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    return str(page.evaluate(script))


def pickled_states(stack: Stack) -> list[tuple[str, str]]:
    """What Reflex has pickled, once the signed-in user's state is among it."""
    wait_until(
        lambda: any("alice@example.com" in text for _, text in files_below(stack.states)), 15.0
    )
    return files_below(stack.states)


def files_below(directory: Path) -> list[tuple[str, str]]:
    """The content of every file below a directory."""
    return [
        (str(path), path.read_bytes().decode("latin-1"))
        for path in directory.rglob("*")
        if path.is_file()
    ]


def test_no_secret_on_the_wire(person: Page, stack: Stack, run_async: object) -> None:
    """No token, verifier, client secret or session id is in a frame, body, URL, storage, pickled
    state or log line."""
    wire = Wire(person, stack)
    secrets = log_in_openly(person, stack)
    open_profile(person, stack)
    shown_metadata(person)
    person.reload()
    shown_metadata(person)
    cookie = next(c for c in person.context.cookies() if c["name"] == session_cookie(stack.url))
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    secrets |= run_async(stored_secrets(stack, cookie["value"]))  # type: ignore[operator]
    wire.read_bodies(person)
    wire.note("body of /auth/profile", person.evaluate(FETCH_PROFILE, {"X-CSRF": "1"}))
    texts = [("storage", browser_storage(person))]
    texts += pickled_states(stack)
    log_out(person, stack)
    texts += wire.texts
    texts += [("app log", stack.app.log.read_text(errors="replace"))]
    texts += [("tenant log", stack.tenant.server.log.read_text(errors="replace"))]
    assert sum(where.startswith("body of") for where, _ in texts) > 5
    assert sum(where == "websocket in" for where, _ in texts) > 2
    for where, text in texts:
        for name, secret in secrets.items():
            assert secret not in text, f"{name} in {where}"
        assert not JWT.search(text), f"something like a token in {where}"
        assert "code_verifier" not in text, f"a verifier in {where}"
    assert by_test_id(person, "login").is_visible()


def test_store_on_disk_is_sealed(person: Page, stack: Stack) -> None:
    """The session file holds neither a token nor a claim that can be read."""
    log_in(person, stack)
    data = stack.directory.parent / "data"
    with closing(sqlite3.connect(data / "sessions.sqlite3")) as database, database:
        (count,) = database.execute("SELECT count(*) FROM sessions").fetchone()
    assert count >= 1
    for where, text in files_below(data):
        assert "alice@example.com" not in text, where
        assert not JWT.search(text), where


def test_profile_endpoint_has_claims_only(person: Page, stack: Stack) -> None:
    """GET /auth/profile answers a script with the user's claims, and only with X-CSRF: 1."""
    log_in(person, stack)
    profile = json.loads(person.evaluate(FETCH_PROFILE, {"X-CSRF": "1"}))
    assert profile["email"] == "alice@example.com"
    assert "csrf_header_required" in person.evaluate(FETCH_PROFILE, {})
