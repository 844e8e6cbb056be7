"""One production build and one tenant for all journeys; a fresh browser context for each person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from ..browser import chromium
from .stack import Stack, development_stack, production_stack
from .walk import ALICE, BOB

NewPerson = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `--dist loadgroup`, tests that share servers run in one process."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(_group_of(item)))


def _group_of(item: pytest.Item) -> str:
    """The servers that a test uses, those of its folder, or else its own file."""
    for server in ("stack", "development"):
        if server in getattr(item, "fixturenames", ()):
            return server
    own = item.path.parent == Path(__file__).parent
    return item.path.stem if own else item.path.parent.name


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The production build with its tenant, both running."""
    stack = production_stack(tmp_path_factory.mktemp("production"))
    try:
        assert stack.external
        stack.tenant.server.start()
        stack.external.start()
        stack.app.start()
        yield stack
    finally:
        for server in (stack.app, stack.external, stack.tenant.server):
            assert server
            server.stop()


@pytest.fixture
def known_metadata(stack: Stack) -> None:
    """The test starts from this metadata."""
    stack.tenant.set_metadata(ALICE, '{"color": "blue"}')
    stack.tenant.set_metadata(BOB, '{"color": "grey"}')


@pytest.fixture(scope="session")
def development(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Plain `reflex run`, as a newcomer starts it."""
    stack = development_stack(tmp_path_factory.mktemp("development"))
    try:
        stack.app.start()
        yield stack
    finally:
        stack.app.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium."""
    path = chromium()
    assert path, "no Chromium: run `make test`, which installs one"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def new_person(browser: Browser) -> Iterator[NewPerson]:
    """Opens a page in a browser context of its own: another person at another machine."""
    contexts: list[BrowserContext] = []

    def open_page(**options: object) -> Page:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def person(new_person: NewPerson) -> Page:
    """A page for a test with one person in it."""
    return new_person()


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """A folder for pictures."""
    return tmp_path


@pytest.fixture
def run_async() -> Iterator[Callable[[Coroutine[object, object, object]], object]]:
    """Runs a coroutine in a thread of its own: Playwright's sync API occupies this one's loop."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        yield lambda coroutine: executor.submit(asyncio.run, coroutine).result()  # type: ignore[arg-type]
