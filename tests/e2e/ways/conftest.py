"""An app of its own, since silent logins would disturb the journeys through the sample app."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request

from ...servers import BIN, ROOT, Server, answers, clean_environ, free_port, lifted_project
from ..stack import SECRET, Stack, tenant_process

SOURCES = Path(__file__).parent / "ways_app"


@pytest.fixture(scope="session")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The app, built for production, and a tenant, both running."""
    directory = tmp_path_factory.mktemp("ways")
    url = f"http://localhost:{free_port()}"
    tenant = tenant_process(directory, app_url=url)
    project = lifted_project(directory / "project", SOURCES, "ways_app")
    shutil.copytree(ROOT / "reflex.lock", project / "reflex.lock")
    app = Server(
        [str(BIN / "reflex"), "run", "--env", "prod", "--frontend-port", url.rpartition(":")[2]],
        cwd=project,
        environ=clean_environ(
            APP_BASE_URL=url,
            WAYS_DATA=str(directory / "data" / "sessions.sqlite3"),
            AUTH0_DOMAIN=tenant.url,
            AUTH0_CLIENT_ID="local-app",
            AUTH0_CLIENT_SECRET="local-secret",
            AUTH0_SECRET=SECRET,
        ),
        log=directory / "app.log",
        ready=lambda: answers(f"{url}/auth/health") and answers(url),
        patience=240.0,
    )
    try:
        tenant.server.start()
        app.start()
        yield Stack(url, url, project, app, tenant)
    finally:
        app.stop()
        tenant.server.stop()


@pytest.fixture(autouse=True)
def _no_consents(ways: Stack) -> None:
    """The tenant asks for consent at the first login of each test."""
    ways.tenant.forget_consents()


Logins = Callable[[Page], list[str]]


@pytest.fixture
def logins(ways: Stack) -> Logins:
    """Notes the URL of each login that a browser begins from now on, in any of its tabs."""

    def note(page: Page) -> list[str]:
        begun: list[str] = []

        def look(request: Request) -> None:
            if request.url.startswith(f"{ways.url}/auth/login"):
                begun.append(request.url)

        page.context.on("request", look)
        return begun

    return note
