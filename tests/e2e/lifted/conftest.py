"""An app of its own, with the auth layer copied in, as a process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ...servers import BIN, ROOT, Server, answers, clean_environ, free_port, lifted_project
from ..stack import SECRET, Stack, tenant_process
from .pauses import Pauses

SOURCES = Path(__file__).parent / "notes"
PAUSES_PORT = free_port()


@pytest.fixture(scope="session")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The notes app and a tenant, running."""
    directory = tmp_path_factory.mktemp("lifted")
    url = f"http://localhost:{free_port()}"
    tenant = tenant_process(directory, app_url=url)
    project = lifted_project(directory / "project", SOURCES, "notes")
    shutil.copytree(ROOT / "reflex.lock", project / "reflex.lock")
    app = Server(
        [str(BIN / "reflex"), "run", "--env", "prod"],
        cwd=project,
        environ=clean_environ(
            APP_BASE_URL=url,
            NOTES_PAUSES=str(PAUSES_PORT),
            NOTES_DATA=str(directory / "data" / "sessions.sqlite3"),
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


@pytest.fixture
def pauses() -> Iterator[Pauses]:
    """Makes the notes app's handlers wait where they can."""
    pauses = Pauses(PAUSES_PORT)
    yield pauses
    pauses.end()
