"""How the pages look and work for everybody: both themes, all widths, the keyboard, no barriers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from ..interop import axe
from .stack import Stack
from .walk import ALICE, by_test_id, log_in, shown_metadata

THEMES = ("light", "dark")
WIDTHS = (320, 390, 1280, 2560)
DEFAULT_VIEWS = (
    "This page is not for you",
    "Confirm that it is you",
    "This page still requires another login",
    "About to expire",
    "Loading",
    "You are not logged in",
    "The login was declined",
)
Open = Callable[[Page, Stack], object]

# Sums up the layout shifts that no user has caused (web.dev/cls).
SHIFTS = """
globalThis.shifts = 0;
new PerformanceObserver((list) => list.getEntries().forEach(
  (entry) => entry.hadRecentInput || (globalThis.shifts += entry.value)
)).observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture(scope="module")
def alice(browser: Browser, stack: Stack) -> Iterator[Page]:
    """Alice, who is logged in."""
    context = browser.new_context()
    context.set_default_timeout(15_000)
    stack.tenant.set_metadata(ALICE, '{"color": "blue"}')
    page = context.new_page()
    log_in(page, stack)
    yield page
    context.close()


@pytest.fixture(scope="module")
def visitor(browser: Browser, stack: Stack) -> Iterator[Page]:
    """A visitor, who is not."""
    context = browser.new_context()
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def at(path: str, text: str) -> Open:
    """Opens a page, and waits for this text in it."""

    def open_page(page: Page, stack: Stack) -> None:
        page.goto(f"{stack.url}{path}")
        expect(page.locator("main")).to_contain_text(text)

    return open_page


def editing(page: Page, stack: Stack) -> None:
    """The editor, with an error in it."""
    page.goto(f"{stack.url}/profile")
    by_test_id(page, "edit-metadata").click()
    by_test_id(page, "metadata-editor").fill("{")
    by_test_id(page, "save-metadata").click()
    expect(by_test_id(page, "metadata-problem")).to_be_visible()


def editing_rows(page: Page, stack: Stack) -> None:
    """The form, with an error at a row."""
    page.goto(f"{stack.url}/profile")
    by_test_id(page, "edit-metadata").click()
    page.get_by_role("button", name="Form").click()
    page.get_by_label("Kind").select_option("Number")
    by_test_id(page, "save-metadata").click()
    expect(by_test_id(page, "metadata-row").get_by_role("alert")).to_be_visible()


def refused(page: Page, stack: Stack) -> None:
    """The external API, which has refused a call."""
    stack.tenant.forget_consents()
    page.goto(f"{stack.url}/external")
    by_test_id(page, "call-external").click()
    expect(by_test_id(page, "auth-error")).to_be_visible()


def reads(page: Page, stack: Stack) -> None:
    """The start page, with what a script can read."""
    page.goto(stack.url)
    expect(by_test_id(page, "logout")).to_be_visible()
    page.get_by_text("What can a script read here?").click()
    expect(page.get_by_text("Found: no access, refresh or ID token")).to_be_visible()


SIGNED_IN: dict[str, Open] = {
    "home": at("/", "You are logged in as"),
    "profile": at("/profile", "blue"),
    "account": at("/account", "this browser"),
    "external": at("/external", "Call the API"),
    "error": at("/error", "You are logged in."),
    "editing": editing,
    "editing-rows": editing_rows,
    "refused": refused,
    "reads": reads,
}
SIGNED_OUT: dict[str, Open] = {
    "home": at("/", "Get a token"),
    "external": at("/external", "Call its public endpoint"),
    "no-error": at("/error", "Nothing is wrong"),
    "error": at("/error?code=access_denied&id=ab12cd34", "The login was declined"),
    "nope": at("/nope", "There is nothing here"),
}
STATES = [
    *(pytest.param("alice", open_it, id=f"in-{name}") for name, open_it in SIGNED_IN.items()),
    *(pytest.param("visitor", open_it, id=f"out-{name}") for name, open_it in SIGNED_OUT.items()),
]


def expect_no_barriers(page: Page) -> None:
    """In both themes, axe-core finds nothing; at no width does the page scroll sideways."""
    if reason := axe.why_not():
        pytest.skip(reason)
    for theme in THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.wait_for_function(
            f"getComputedStyle(document.documentElement).colorScheme == '{theme}'"
        )
        assert axe.violations(page) == [], theme
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{overflow} px too wide at {width}"
    page.set_viewport_size({"width": 1280, "height": 720})


@pytest.mark.parametrize(("who", "open_it"), STATES)
def test_no_barriers(who: str, open_it: Open, stack: Stack, request: pytest.FixtureRequest) -> None:
    """No page in any state has an axe violation in either theme, or scrolls sideways from 320 to
    2,560 pixels."""
    page: Page = request.getfixturevalue(who).context.new_page()
    open_it(page, stack)
    expect_no_barriers(page)
    page.close()


def test_styleguide(person: Page, development: Stack) -> None:
    """The components in all states, the panel of requests, and the library's default views have no
    barriers either."""
    log_in(person, development)
    at("/styleguide", "An editor with an error")(person, development)
    expect(by_test_id(person, "request-inspector").locator("li").first).to_be_visible()
    expect_no_barriers(person)
    links = person.locator("a[href^='/styleguide/']")
    views = [link.get_attribute("href") or "" for link in links.all()]
    assert len(views) == len(DEFAULT_VIEWS)
    for path, text in zip(views, DEFAULT_VIEWS, strict=True):
        at(path, text)(person, development)
        expect_no_barriers(person)


def test_no_styleguide_in_production(visitor: Page, stack: Stack) -> None:
    """In production the styleguide is no page."""
    at("/styleguide", "There is nothing here")(visitor, stack)


@pytest.mark.parametrize(
    ("path", "test_id"),
    [
        ("/", "user-name"),
        ("/profile", "tokens"),
        ("/account", "activity"),
        ("/external", "call-external"),
    ],
)
def test_nothing_moves(path: str, test_id: str, alice: Page, stack: Stack) -> None:
    """While a page loads, nothing that is shown moves, on a phone and on a wide screen."""
    page = alice.context.new_page()
    page.add_init_script(SHIFTS)
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{stack.url}{path}")
        expect(by_test_id(page, test_id).first).to_be_visible()
        page.wait_for_function(
            "new Promise((d) => requestAnimationFrame(() => setTimeout(d, 50, 1)))"
        )
        assert page.evaluate("globalThis.shifts") == 0, width
    page.close()


def test_theme_is_remembered(person: Page, stack: Stack) -> None:
    """The switch changes the theme; the next page has it from its first paint."""
    person.emulate_media(color_scheme="light")
    person.goto(stack.url)
    expect(by_test_id(person, "login").first).to_be_visible()
    by_test_id(person, "theme").click()
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    person.wait_for_function(f"{scheme} == 'dark'")
    # When the parser reaches the body, nothing has been painted yet.
    person.add_init_script(
        "new MutationObserver((_, o) => { if (document.body) { globalThis.first ??= "
        f"{scheme}; o.disconnect(); }} }}).observe(document, {{childList: true, subtree: true}})"
    )
    person.reload()
    assert person.evaluate("globalThis.first") == "dark"


def test_keyboard(alice: Page, stack: Stack) -> None:
    """The first Tab offers to skip the navigation; every stop of the keyboard can be seen."""
    page = alice.context.new_page()
    page.goto(f"{stack.url}/profile")
    shown_metadata(page)
    stops = []
    for _ in range(20):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            "((e) => [e === document.body ? '' : e.textContent.trim(), "
            "getComputedStyle(e).outlineStyle])(document.activeElement)"
        )
        if not name:
            break
        assert outline != "none", name
        stops.append(name)
    assert stops[0] == "Skip to the content"
    assert {"Profile", "Log out", "Edit"} <= set(stops)
    page.close()


def test_lost_connection(alice: Page, stack: Stack) -> None:
    """While the backend is away, the page says so, once, and keeps what is typed; the note goes
    when the backend is back."""
    page = alice.context.new_page()
    attempts: list[object] = []
    page.on("websocket", lambda socket: attempts.append(socket))
    page.goto(f"{stack.url}/profile")
    by_test_id(page, "edit-metadata").click()
    by_test_id(page, "metadata-editor").fill('{"typed": 1}')
    note = page.get_by_text("Connection lost. Reconnecting")
    expect(note).to_have_count(0)
    stack.app.stop()
    try:
        expect(note).to_be_visible(timeout=20_000)
        expect(by_test_id(page, "metadata-editor")).to_have_value('{"typed": 1}')
        while len(attempts) < 6:  # Reflex itself would tell after a few
            page.wait_for_event("websocket", timeout=20_000)
        expect(page.get_by_text("Connection lost")).to_have_count(1)
        expect(page.get_by_text("Cannot connect to server")).to_have_count(0)
        expect(page.get_by_title("Connection Error")).to_have_count(0)
    finally:
        stack.app.start()
    expect(note).to_have_count(0, timeout=20_000)
    page.close()


def test_way_to_the_start(visitor: Page, stack: Stack) -> None:
    """The page for login problems, and that for an unknown address, lead to the start page."""
    for path in ("/error", "/error?code=access_denied", "/nope"):
        visitor.goto(f"{stack.url}{path}")
        visitor.get_by_role("link", name="Go to the start page").click()
        visitor.wait_for_url(f"{stack.url}/")
