"""Apps that have the library from its wheel, in an environment of their own, as processes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ...servers import BIN, Server, answers, clean_environ, free_port
from ...wheel import environment, project
from ..orders_api import OrdersApi, running_orders_api
from ..stack import SECRET, Stack, Tenant, tenant_process
from .pauses import Pauses

SOURCES = Path(__file__).parent / "notes"
PAUSES_PORT = free_port()
API_PORT = free_port()


@pytest.fixture(scope="session")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The notes app and a tenant, running."""
    directory = tmp_path_factory.mktemp("notes")
    url = f"http://localhost:{free_port()}"
    tenant = tenant_process(directory, app_url=url)
    source = (SOURCES / "notes.py").read_text()
    folder = project(directory / "project", "notes", source)
    shutil.copy2(SOURCES / "rxconfig.py", folder)
    shutil.copy2(SOURCES / "order_grid.js", folder / "notes")
    app = Server(
        [str(environment() / "reflex"), "run", "--env", "prod"],
        cwd=folder,
        environ=_environ(
            tenant,
            APP_BASE_URL=url,
            NOTES_PAUSES=str(PAUSES_PORT),
            NOTES_API=f"http://127.0.0.1:{API_PORT}",
            NOTES_DATA=str(directory / "data" / "sessions.sqlite3"),
        ),
        log=directory / "app.log",
        ready=lambda: answers(f"{url}/auth/health") and answers(url),
        patience=240.0,
    )
    with _running(Stack(url, url, folder, app, tenant)) as stack:
        yield stack


@pytest.fixture(scope="module", params=["dev", "prod"])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The app of the library's README, just as it stands there, and the library's own tenant: in
    development on two ports, in production on one."""
    directory = tmp_path_factory.mktemp("shop")
    url = f"http://localhost:{free_port()}"
    api_url = f"http://localhost:{free_port()}" if request.param == "dev" else url
    folder = project(directory / "project", "shop")
    tenant = tenant_process(
        directory,
        app_url=url,
        api_url=api_url,
        command=(str(environment("tenant") / "python"), "-m", "reflex_oidc_tenant"),
        cwd=directory,
    )
    app = Server(
        [str(environment() / "reflex"), "run", "--env", request.param],
        cwd=folder,
        environ=_environ(
            tenant,
            APP_BASE_URL=url,
            APP_API_URL=api_url,
            REFLEX_FRONTEND_PORT=url.rpartition(":")[2],
            REFLEX_BACKEND_PORT=api_url.rpartition(":")[2],
            REFLEX_API_URL=api_url,
        ),
        log=directory / "app.log",
        ready=lambda: answers(f"{api_url}/auth/health") and answers(url),
        patience=240.0,
    )
    with _running(Stack(url, api_url, folder, app, tenant)) as stack:
        yield stack


@pytest.fixture
def pauses() -> Iterator[Pauses]:
    """Makes the notes app's handlers wait where they can."""
    pauses = Pauses(PAUSES_PORT)
    yield pauses
    pauses.end()


@pytest.fixture(scope="module")
def orders_api() -> Iterator[OrdersApi]:
    """The API behind the proxied routes of the notes app."""
    with running_orders_api(API_PORT) as api:
        yield api


def _environ(tenant: Tenant, **settings: str) -> dict[str, str]:
    """An app's environment: a client of the tenant. Reflex takes bun from the tests' environment
    and what it installs from npm's own registry."""
    return clean_environ(
        PATH=os.pathsep.join((os.environ["PATH"], str(BIN))),
        REFLEX_USE_SYSTEM_BUN="true",
        REFLEX_TELEMETRY_ENABLED="false",
        NPM_CONFIG_REGISTRY="https://registry.npmjs.org",
        AUTH0_DOMAIN=tenant.url,
        AUTH0_CLIENT_ID="local-app",
        AUTH0_CLIENT_SECRET="local-secret",
        AUTH0_SECRET=SECRET,
        **settings,
    )


@contextmanager
def _running(stack: Stack) -> Iterator[Stack]:
    try:
        stack.tenant.server.start()
        stack.app.start()
        yield stack
    finally:
        stack.app.stop()
        stack.tenant.server.stop()
