"""The app itself in production, with its tenant, and two people who have logged in for real."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.auth.session import Sealer, SQLiteSessionStore, hash_session_id

from ..cookies import session_cookie
from ..e2e.stack import SECRET, Tenant, external_process, tenant_process
from ..servers import BIN, ROOT, Server, answers, clean_environ, copy_project, free_port

ALICE, BOB = "alice@example.com", "bob@example.com"
FORMS = {
    "/u/login": {"password": "password"},
    "/u/consent": {"action": "accept"},
}


@dataclass(frozen=True)
class Reached:
    """A line of the surface report."""

    kind: str
    name: str
    rule: str


@dataclass
class Product:
    """`arguments` are those of each handler by its full name, `defaults` what States begin with."""

    url: str
    directory: Path
    tenant: Tenant
    log: Path
    report: list[Reached]
    arguments: dict[str, list[str]]
    defaults: dict[str, dict[str, Any]]

    async def log_in(self, email: str) -> str:
        """Through the tenant's pages; the handle of the new session."""
        async with httpx.AsyncClient(trust_env=False) as browser:
            url = httpx.URL(f"{self.url}/auth/login")
            while session_cookie(self.url) not in browser.cookies:
                form = FORMS.get(url.path)
                response = (
                    await browser.post(url, data={**form, "username": email})
                    if form
                    else await browser.get(url)
                )
                url = url.join(response.headers["location"])
            return browser.cookies[session_cookie(self.url)]

    async def sessions(self, handle: str) -> set[str]:
        """The references of all sessions of the user of this one; of nobody there are none."""
        store = self.store()
        try:
            stored = await store.load(hash_session_id(handle))
            return set(await store.find(sub=stored.session.sub)) if stored else set()
        finally:
            await store.close()

    async def end(self, handle: str) -> None:
        """Log out elsewhere."""
        store = self.store()
        await store.delete(hash_session_id(handle))
        await store.close()

    def store(self) -> SQLiteSessionStore:
        """The app's own sessions, to be closed."""
        return SQLiteSessionStore(self.directory / "data" / "sessions.sqlite3", Sealer((SECRET,)))

    def refusals(self) -> list[str]:
        """The full name of the handler of each event that was refused so far."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line.split("Refused ")[1].split(":")[0] for line in lines if "Refused " in line]


def printed(directory: Path, *command: str) -> str:
    """What a module of the app in this folder prints."""
    result = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=clean_environ(APP_DATA_DIR=str(directory / "of the report")),
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    return result.stdout


@contextmanager
def product(directory: Path) -> Iterator[Product]:
    """Tenant, external API and backend, running; nobody here needs a page."""
    url, external_port = f"http://localhost:{free_port()}", free_port()
    external_url = f"http://127.0.0.1:{external_port}"
    tenant = tenant_process(directory, app_url=url, external_audience=f"{external_url}/api/")
    external = external_process(directory, external_port, issuer=f"{tenant.url}/")
    server = Server(
        [
            *(str(BIN / "reflex"), "run", "--env", "prod", "--backend-only"),
            *("--backend-port", url.rpartition(":")[2]),
        ],
        cwd=copy_project(directory / "project"),
        environ=clean_environ(
            EXTERNAL_API_URL=external_url,
            APP_BASE_URL=url,
            APP_DATA_DIR=str(directory / "data"),
            APP_REQUEST_INSPECTOR="1",
            APP_LIMITS="off",
            AUTH0_DOMAIN=tenant.url,
            AUTH0_CLIENT_ID="local-app",
            AUTH0_CLIENT_SECRET="local-secret",
            AUTH0_SECRET=SECRET,
            GRANIAN_WORKERS="1",
        ),
        log=directory / "app.log",
        ready=lambda: answers(f"{url}/auth/health"),
    )
    rows = printed(directory, "app.auth", "surface").splitlines()
    report = [Reached(*row.split(None, 2)) for row in rows]
    names = json.loads(printed(directory, "tests.access.names"))
    servers = (tenant.server, external, server)
    try:
        for each in servers:
            each.start()
        yield Product(
            url, directory, tenant, server.log, report, names["handlers"], names["defaults"]
        )
    finally:
        for each in reversed(servers):
            each.stop()


def describe(tenant: Tenant, email: str, mark: str) -> None:
    """Make all that the tenant says about a user unmistakable."""
    profile = {name: f"{mark}-{name}" for name in ("name", "given_name", "family_name", "nickname")}
    with closing(sqlite3.connect(tenant.data)) as database, database:
        database.execute(
            "UPDATE users SET profile = ? WHERE email = ?", (json.dumps(profile), email)
        )
    tenant.set_metadata(email, json.dumps({"note": f"{mark}-metadata"}))
