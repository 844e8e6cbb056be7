"""Login in a window of its own, in a real browser: the page stays, with what is typed into it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ...browser import chromium
from ..stack import Stack
from ..tabs import expect_in_place
from ..walk import ALICE, PASSWORD, by_test_id, enter_password, sign_in

BLOCKED = "Your browser blocked the login window, so the login opens here."


@pytest.fixture
def filled(person: Page, ways: Stack) -> Page:
    """A visitor's page with a form that is filled in by half."""
    fill(person, ways, "/")
    return person


def fill(page: Page, ways: Stack, path: str) -> None:
    """Open a page, and fill in its form: a controlled and an uncontrolled field."""
    page.goto(f"{ways.url}{path}")
    page.wait_for_load_state("networkidle")
    page.locator("#title").fill("tea")
    expect(page.locator("#kept")).to_have_text("tea")
    page.locator("#note").fill("half of a")
    page.evaluate("window.mark = 1")


def expect_filled(page: Page) -> None:
    """The form is as it was, in the page that was never left."""
    expect(page.locator("#title")).to_have_value("tea")
    expect(page.locator("#kept")).to_have_text("tea")
    expect(page.locator("#note")).to_have_value("half of a")
    expect_in_place(page)


def open_popup(page: Page, name: str = "Log in here") -> Page:
    """Click the link; the result is the window."""
    with page.expect_popup() as popup:
        page.get_by_role("link", name=name).click()
    return popup.value


def finish(popup: Page) -> None:
    """Enter the password, allow what is asked for, and see the window close itself."""
    enter_password(popup, ALICE, PASSWORD)
    with popup.expect_event("close"):
        by_test_id(popup, "tenant-accept").click()


def test_form_survives(filled: Page, ways: Stack) -> None:
    """The window is small, cannot reach the page, and closes itself after the login. The page shows
    the user in place, and its form as it was."""
    popup = open_popup(filled)
    popup.wait_for_url("**/u/login**")
    assert popup.evaluate("window.opener") is None
    assert popup.evaluate("outerWidth") <= 600
    finish(popup)
    expect(by_test_id(filled, "user-name")).to_contain_text("Alice")
    expect_filled(filled)
    filled.locator("#title").fill("coffee")
    expect(filled.locator("#kept")).to_have_text("coffee")


def test_closed_by_hand(filled: Page, ways: Stack) -> None:
    """A window that the user closes leaves the page as it was, and it can be opened again."""
    open_popup(filled).close()
    expect_filled(filled)
    expect(by_test_id(filled, "login")).to_be_visible()
    finish(open_popup(filled))
    expect(by_test_id(filled, "user-name")).to_be_visible()
    expect_filled(filled)


def test_declined(filled: Page, ways: Stack, screenshots: Path) -> None:
    """A login that was declined says so in the window, which the user closes; the page is as it
    was."""
    popup = open_popup(filled)
    enter_password(popup, ALICE, PASSWORD)
    by_test_id(popup, "tenant-decline").click()
    expect(popup.get_by_role("heading")).to_have_text("The login was declined")
    expect(popup.get_by_role("link")).to_have_count(0)
    for scheme in ("light", "dark"):
        popup.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        popup.screenshot(path=screenshots / f"declined-{scheme}.png")
    popup.reload()
    expect(popup.get_by_role("heading")).to_have_text("The login was declined")
    with popup.expect_event("close"):
        popup.get_by_role("button", name="Close this window").click()
    expect_filled(filled)
    expect(by_test_id(filled, "login")).to_be_visible()


def test_consent_in_a_popup(person: Page, ways: Stack) -> None:
    """A handler that lacks a consent offers a link; what was missing is allowed in a window, and
    the form is as it was."""
    person.goto(f"{ways.url}/auth/login?return_to=/send")
    sign_in(person, ways, ALICE)
    fill(person, ways, "/send")
    person.get_by_role("button", name="Send").click()
    expect(person.locator("#status")).to_have_text("needs consent")
    popup = open_popup(person, "Allow it")
    with popup.expect_event("close"):
        by_test_id(popup, "tenant-accept").click()
    expect_filled(person)
    person.get_by_role("button", name="Send").click()
    expect(person.locator("#status")).to_have_text("sent")
    expect_filled(person)


@pytest.fixture
def strict(browser: Browser) -> Iterator[Page]:
    """A page in a browser that blocks windows, as people's browsers do and Playwright's do not."""
    blocking = browser.browser_type.launch(
        executable_path=chromium(),
        args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        ignore_default_args=["--disable-popup-blocking"],
    )
    context = blocking.new_context()
    context.set_default_timeout(15_000)
    yield context.new_page()
    blocking.close()


def click_by_script(page: Page) -> None:
    """A click that is no user's: the browser then opens no window."""
    click = "document.querySelector('#popup').click()"
    devtools = page.context.new_cdp_session(page)
    devtools.send("Runtime.evaluate", {"expression": click, "userGesture": False})


def test_blocked(strict: Page, ways: Stack, screenshots: Path) -> None:
    """Where the browser blocks the window, the page says so and goes to the login itself, which
    returns to it."""
    strict.goto(f"{ways.url}/?page=2")
    strict.wait_for_load_state("networkidle")
    click_by_script(strict)
    notice = strict.get_by_role("alert").filter(has_text=BLOCKED)
    expect(notice).to_be_visible()
    for scheme in ("light", "dark"):
        strict.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        strict.screenshot(path=screenshots / f"blocked-{scheme}.png")
    strict.wait_for_url("**/u/login**")
    assert len(strict.context.pages) == 1
    sign_in(strict, ways, ALICE)
    expect(by_test_id(strict, "user-name")).to_contain_text("Alice")
    expect(strict).to_have_url(f"{ways.url}/?page=2")


def test_window_that_stays(person: Page, ways: Stack, screenshots: Path) -> None:
    """A window that no script has opened cannot close itself; it offers the way on."""
    person.goto(f"{ways.tenant.url}/dashboard")
    person.goto(f"{ways.url}/auth/login?display=popup&return_to=/orders")
    enter_password(person, ALICE, PASSWORD)
    by_test_id(person, "tenant-accept").click()
    expect(person.get_by_role("heading")).to_have_text("You can close this window")
    expect(person.get_by_role("link", name="Go on to the app")).to_be_visible()
    expect(person.get_by_role("button")).to_have_count(0)
    for scheme in ("light", "dark"):
        person.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        person.screenshot(path=screenshots / f"done-{scheme}.png")
    person.get_by_role("link", name="Go on to the app").click()
    expect(by_test_id(person, "user-name")).to_contain_text("Alice")
    expect(person).to_have_url(f"{ways.url}/orders")


@pytest.fixture
def foreign(ways: Stack) -> Iterator[str]:
    """The URL of a page of another site, which opens this app's login in a window and in a
    frame, and notes every message."""
    login = f"{ways.url}/auth/login?display=popup"
    page = f"""<!doctype html><script>
      const messages = [];
      addEventListener("message", (event) => messages.push(event.data));
      let popup;
    </script>
    <button onclick="popup = open('{login}', '_blank', 'popup')">Open</button>
    <iframe src="{ways.url}/auth/popup"></iframe>"""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *arguments: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_foreign_opener(person: Page, ways: Stack, foreign: str) -> None:
    """A page of another site that opens the window hears nothing of the login, reads nothing of its
    last page, and cannot frame it."""
    person.goto(foreign)
    body = person.frame_locator("iframe").locator("body")
    expect(body).to_contain_text("refused to connect")  # says the browser
    with person.expect_popup() as opened:
        person.get_by_role("button", name="Open").click()
    popup = opened.value
    enter_password(popup, ALICE, PASSWORD)
    by_test_id(popup, "tenant-decline").click()
    expect(popup.get_by_role("heading")).to_have_text("The login was declined")
    read = "() => { try { return popup.document.body.innerText } catch (e) { return e.name } }"
    assert person.evaluate(read) == "SecurityError"
    popup.evaluate("opener.postMessage('hello', '*')")
    popup.goto(f"{ways.url}/auth/login?display=popup")
    with popup.expect_event("close"):
        by_test_id(popup, "tenant-accept").click()
    assert person.evaluate("messages") == ["hello"]
