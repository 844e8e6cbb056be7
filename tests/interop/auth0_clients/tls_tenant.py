"""A tenant as a developer starts it for clients that speak https only."""

from __future__ import annotations

import json
import os
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from ...e2e.stack import Tenant
from ...servers import ROOT, Server, clean_environ, free_port


def tls_tenant(
    directory: Path,
    *,
    app_url: str,
    applications: list[dict[str, Any]],
    seeds: Callable[[str], dict[str, Any]] = lambda _: {},
) -> tuple[Tenant, Path]:
    """The tenant, not started yet, and the authority of its certificate. `seeds` gives further ones
    for the issuer."""
    port, seed = free_port(), directory / "seed.json"
    further = seeds(f"https://localhost:{port}/")
    further["applications"] = [*further.get("applications", ()), *applications]
    seed.write_text(json.dumps(further))
    data, authority = directory / "tenant.sqlite3", directory / "local_tenant_tls/authority.pem"
    url = f"https://localhost:{port}"
    command = [
        *(sys.executable, "-m", "app.local_tenant", "--host", "localhost", "--port", str(port)),
        *("--tls", "--no-pkce", "--seed", str(seed), "--data", str(data)),
        *("--app-url", app_url, "--owner", str(os.getpid())),
    ]
    server = Server(
        command,
        cwd=ROOT,
        environ=clean_environ(),
        log=directory / "tenant.log",
        ready=lambda: authority.exists() and _answers(url, authority),
        patience=30.0,
    )
    return Tenant(url, data, server), authority


def _answers(url: str, authority: Path) -> bool:
    trusted = ssl.create_default_context(cafile=authority)
    try:
        answer = httpx.get(f"{url}/.well-known/jwks.json", verify=trusted, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200
