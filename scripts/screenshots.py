"""`make screenshots`: pictures of every page, in both themes and two sizes, in docs/screenshots/.

Runs the app as `reflex run` does, on free ports, with the local tenant.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.browser import chromium
from tests.e2e.stack import Stack, development_stack
from tests.e2e.walk import ALICE, by_test_id, log_in, shown_metadata

FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}


def take(page: Page, name: str, *, is_whole: bool = False, sizes: Collection[str] = SIZES) -> None:
    """Pictures of the page as it is. JPEG: a tenth of the size of PNG. One of a whole page, or in
    one size only, is not as fine."""
    for size in sizes:
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.wait_for_function(
                f"getComputedStyle(document.documentElement).colorScheme == '{theme}'"
            )
            page.screenshot(
                path=FOLDER / f"{name}-{size}-{theme}.jpg",
                type="jpeg",
                quality=15 if is_whole else 55 if sizes is SIZES else 25,
                full_page=is_whole,
            )
    page.set_viewport_size({"width": 1280, "height": 800})


def walk(page: Page, stack: Stack) -> None:
    """From the first visit to the last page."""
    page.goto(stack.url)
    expect(by_test_id(page, "login-below")).to_be_visible()
    take(page, "home-signed-out")
    page.goto(f"{stack.url}/error?code=access_denied&id=ab12cd34")
    expect(by_test_id(page, "auth-error")).to_have_text("The login was declined")
    take(page, "login-problem")
    page.goto(f"{stack.url}/nope")
    expect(page.get_by_text("There is nothing here")).to_be_visible()
    take(page, "not-found")

    log_in(page, stack)
    expect(page.locator(".number.done")).to_have_count(3)
    take(page, "home")
    page.goto(f"{stack.url}/profile")
    shown_metadata(page)
    expect(by_test_id(page, "tokens")).to_be_visible()
    take(page, "profile")
    by_test_id(page, "edit-metadata").click()
    by_test_id(page, "metadata-editor").fill('{\n  "color": "green"')
    by_test_id(page, "save-metadata").click()
    expect(by_test_id(page, "metadata-problem")).to_be_visible()
    take(page, "editor")
    page.get_by_role("button", name="Cancel").click()
    expect(by_test_id(page, "edit-metadata")).to_be_visible()
    stack.tenant.set_metadata(ALICE, '{"color": "blue", "size": 3, "news": true}')
    page.reload()
    expect(page.get_by_text('"news"')).to_be_visible()
    by_test_id(page, "edit-metadata").click()
    page.get_by_role("button", name="Form").click()
    rows = by_test_id(page, "metadata-row")
    expect(rows.first).to_be_visible()
    count = rows.count()
    page.get_by_role("button", name="Add an entry").click()
    expect(rows).to_have_count(count + 1)
    rows.last.get_by_label("Name").fill("color")
    by_test_id(page, "save-metadata").click()
    expect(rows.last.get_by_role("alert")).to_be_visible()
    take(page, "form")
    page.get_by_role("button", name="Cancel").click()
    page.goto(f"{stack.url}/account")
    expect(by_test_id(page, "activity").first).to_be_visible()
    take(page, "account")
    page.goto(f"{stack.url}/external")
    by_test_id(page, "call-external").click()
    expect(by_test_id(page, "ask-for-scope")).to_be_visible()
    take(page, "external")
    page.goto(f"{stack.url}/error")
    expect(page.get_by_text("Nothing is wrong")).to_be_visible()
    take(page, "no-problem")
    page.goto(f"{stack.url}/styleguide")
    expect(page.get_by_text("An editor with an error")).to_be_visible()
    take(page, "styleguide", is_whole=True)
    links = page.locator("a[href^='/styleguide/']").all()
    for path in [link.get_attribute("href") or "" for link in links]:
        page.goto(f"{stack.url}{path}")
        expect(page.locator("main")).to_be_visible()
        name = path.removeprefix("/styleguide/").partition("?")[0]
        take(page, f"view-{name}", sizes=("phone",))


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        stack = development_stack(Path(directory))
        stack.app.start()
        try:
            browser = playwright.chromium.launch(
                executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
            )
            walk(browser.new_page(locale="en-GB", timezone_id="Europe/London"), stack)
            browser.close()
        finally:
            stack.app.stop()


if __name__ == "__main__":
    main()
