"""One app with two tenants as its providers, at two host names of this machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ...servers import BIN, ROOT, Server, answers, clean_environ, free_port, lifted_project
from ..stack import SECRET, Stack, Tenant, tenant_process

SOURCES = Path(__file__).parent / "several_app"


@dataclass
class Several:
    """The app as it is reached at either host, and its providers by name."""

    stack: Stack
    other: Stack
    providers: dict[str, Tenant]


@pytest.fixture(scope="session")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Several]:
    """The app, built for production, and its two tenants, all running."""
    directory = tmp_path_factory.mktemp("several")
    port = free_port()
    urls = f"http://localhost:{port}", f"http://127.0.0.1:{port}"
    providers = {}
    for name in ("work", "club"):
        (directory / name).mkdir()
        providers[name] = tenant_process(
            directory / name,
            app_url=urls[0],
            api_url=urls[1],
            callback_path=f"/auth/callback/{name}",
        )
    project = lifted_project(directory / "project", SOURCES, "several_app")
    shutil.copytree(ROOT / "reflex.lock", project / "reflex.lock")
    app = Server(
        [str(BIN / "reflex"), "run", "--env", "prod", "--frontend-port", str(port)],
        cwd=project,
        environ=clean_environ(
            APP_BASE_URLS=",".join(urls),
            SEVERAL_DATA=str(directory / "data" / "sessions.sqlite3"),
            APP_SECRET=SECRET,
            CLUB_OIDC_TITLE="Café Club",
            **{
                f"{name.upper()}_OIDC_{variable}": value
                for name, tenant in providers.items()
                for variable, value in (
                    ("ISSUER", f"{tenant.url}/"),
                    ("CLIENT_ID", "local-app"),
                    ("CLIENT_SECRET", "local-secret"),
                )
            },
        ),
        log=directory / "app.log",
        ready=lambda: answers(f"{urls[0]}/auth/health") and answers(urls[0]),
        patience=240.0,
    )
    try:
        for tenant in providers.values():
            tenant.server.start()
        app.start()
        stacks = [Stack(url, url, project, app, providers["work"]) for url in urls]
        yield Several(stacks[0], stacks[1], providers)
    finally:
        app.stop()
        for tenant in providers.values():
            tenant.server.stop()


@pytest.fixture(autouse=True)
def _no_consents(several: Several) -> None:
    """The tenants ask for consent at the first login of each test."""
    for tenant in several.providers.values():
        tenant.forget_consents()
