"""The whole system as processes: the app, built for production, and a tenant beside it."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx

from ..servers import BIN, ROOT, Server, answers, clean_environ, copy_project, free_port, wait_until

SECRET = "e2e-" * 16


@dataclass
class Tenant:
    """The local tenant as a process; `url` has no trailing slash."""

    url: str
    data: Path
    server: Server

    def set_metadata(self, email: str, metadata: str | None) -> None:
        """Set a user's metadata (JSON text; None removes it) behind every cache there is."""
        with closing(sqlite3.connect(self.data)) as database, database:
            database.execute(
                "UPDATE users SET user_metadata = ? WHERE email = ?", (metadata, email)
            )

    def set_user(self, email: str, *, name: str, roles: list[str]) -> None:
        """Set a user's name and roles, as an administrator at the provider does."""
        with closing(sqlite3.connect(self.data)) as database, database:
            database.execute(
                "UPDATE users SET profile = json_set(profile, '$.name', ?), app_metadata = ? "
                "WHERE email = ?",
                (name, json.dumps({"roles": roles}), email),
            )

    def metadata(self, email: str) -> str | None:
        """A user's metadata as it is stored."""
        with closing(sqlite3.connect(self.data)) as database, database:
            (text,) = database.execute(
                "SELECT user_metadata FROM users WHERE email = ?", (email,)
            ).fetchone()
        return text  # type: ignore[no-any-return]

    def revoke_refresh_tokens(self) -> None:
        """Revoke every refresh token that the tenant has issued."""
        httpx.post(f"{self.url}/dashboard/api/faults", json={"kind": "revoke"}).raise_for_status()

    def set_token_lifetime(self, audience: str, seconds: int) -> None:
        """Set how long the access tokens of an API last from now on."""
        with closing(sqlite3.connect(self.data)) as database, database:
            database.execute(
                "INSERT INTO resource_servers VALUES (?, ?) ON CONFLICT (identifier) DO UPDATE "
                "SET document = json_set(document, '$.token_lifetime', ?)",
                (audience, json.dumps({"token_lifetime": seconds}), seconds),
            )

    def forget_consents(self) -> None:
        """Make the tenant ask for consent again."""
        with closing(sqlite3.connect(self.data)) as database, database:
            database.execute("DELETE FROM consents")


@dataclass
class Stack:
    """An app and its tenant; `url` is where a browser goes."""

    url: str
    api_url: str
    directory: Path
    app: Server
    tenant: Tenant
    external: Server | None = None

    @property
    def states(self) -> Path:
        """Where Reflex pickles its states."""
        return self.directory / ".states"

    def hot_reload(self) -> None:
        """Edit a source file, and return once the backend has come back with it."""
        compiled = self._compilations()
        module = self.directory / "app" / "components" / "problem.py"
        module.write_text(module.read_text() + "\n# edited\n")
        wait_until(lambda: self._compilations() > compiled, 60.0, lambda: "no hot reload")
        wait_until(lambda: answers(f"{self.api_url}/auth/health"), 60.0)

    def _compilations(self) -> int:
        return self.app.log.read_text(errors="replace").count("Compiling:")


def production_stack(directory: Path) -> Stack:
    """`reflex run --env prod`: one origin, and a tenant that is configured like a real one."""
    port = free_port()
    url = f"http://localhost:{port}"
    external_port = free_port()
    external_url = f"http://127.0.0.1:{external_port}"
    tenant = tenant_process(directory, app_url=url, external_audience=f"{external_url}/api/")
    external = external_process(directory, external_port, issuer=f"{tenant.url}/")
    project = copy_project(directory / "project")
    environ = clean_environ(
        EXTERNAL_API_URL=external_url,
        APP_BASE_URL=url,
        APP_DATA_DIR=str(directory / "data"),
        AUTH0_DOMAIN=tenant.url,
        AUTH0_CLIENT_ID="local-app",
        AUTH0_CLIENT_SECRET="local-secret",
        AUTH0_SECRET=SECRET,
    )
    app = Server(
        [str(BIN / "reflex"), "run", "--env", "prod"],
        cwd=project,
        environ=environ,
        log=directory / "app.log",
        ready=lambda: answers(f"{url}/auth/health") and answers(url),
        patience=240.0,
    )
    return Stack(url, url, project, app, tenant, external)


def development_stack(directory: Path) -> Stack:
    """Plain `reflex run`: two ports, nothing configured, and the tenant that it starts itself."""
    page, backend, tenant, external = (free_port() for _ in range(4))
    url, api_url = f"http://localhost:{page}", f"http://localhost:{backend}"
    project = copy_project(directory / "project")
    data = directory / "data"
    app = Server(
        [str(BIN / "reflex"), "run"],
        cwd=project,
        environ=clean_environ(
            APP_BASE_URL=url,
            APP_API_URL=api_url,
            APP_DATA_DIR=str(data),
            LOCAL_TENANT_PORT=str(tenant),
            EXTERNAL_API_URL=f"http://127.0.0.1:{external}",
        ),
        log=directory / "app.log",
        ready=lambda: answers(f"{api_url}/auth/health") and answers(url),
        patience=240.0,
    )
    tenant_url = f"http://127.0.0.1:{tenant}"
    return Stack(url, api_url, project, app, Tenant(tenant_url, data / "local_tenant.sqlite3", app))


def tenant_process(
    directory: Path,
    *,
    app_url: str,
    api_url: str | None = None,
    external_audience: str = "http://127.0.0.1:4401/api/",
    rotation_overlap: int = 0,
    callback_path: str = "/auth/callback",
    host: str = "127.0.0.1",
    arguments: tuple[str, ...] = (),
    command: tuple[str, ...] = (sys.executable, "-m", "app.local_tenant"),
    cwd: Path = ROOT,
) -> Tenant:
    """The tenant on a free port: `python -m app.local_tenant`, or that of the installed library.
    `api_url` is the backend's origin, if that is another than the page's; `host` is the issuer's;
    `arguments` are further ones of the command."""
    port = free_port()
    url = f"http://{host}:{port}"
    data = directory / "local_tenant.sqlite3"
    server = Server(
        [
            *command,
            *("--host", host, "--port", str(port), "--data", str(data), *arguments),
            *("--app-url", app_url, "--app-url", api_url or app_url),
            *("--external-audience", external_audience),
            *("--rotation-overlap", str(rotation_overlap), "--callback-path", callback_path),
            *("--owner", str(os.getpid())),
        ],
        cwd=cwd,
        environ=clean_environ(),
        log=directory / "tenant.log",
        ready=lambda: answers(f"{url}/.well-known/openid-configuration"),
        patience=30.0,
    )
    return Tenant(url, data, server)


def external_process(directory: Path, port: int, *, issuer: str) -> Server:
    """`python -m app.external_api`, for the tokens of this issuer."""
    return Server(
        [
            *(sys.executable, "-m", "app.external_api"),
            *("--port", str(port), "--issuer", issuer, "--owner", str(os.getpid())),
        ],
        cwd=ROOT,
        environ=clean_environ(),
        log=directory / "external.log",
        ready=lambda: answers(f"http://127.0.0.1:{port}/api/public"),
        patience=30.0,
    )
