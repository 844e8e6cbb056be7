"""Glewlwyd, a provider written in C, as a process of its own with a database of its own."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from ...servers import ROOT, Server, answers, clean_environ, free_port
from ..installing import run
from ..provider_process import ClientURLs, ProviderProcess
from ..user_agent import Page, UserAgent
from .admin import PASSWORD, PLUGIN, SCOPES, USER, Admin

__all__ = ["PASSWORD", "USER", "Glewlwyd", "install", "is_available", "why_not"]

_SCHEMA = Path("/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz")
_PAGES = Path("/usr/share/glewlwyd")
_CONFIG = """\
port={port}
bind_address="127.0.0.1"
external_url="{base_url}"
login_url="login.html"
api_prefix="api"
static_files_path="{pages}"
log_mode="console"
log_level="INFO"
cookie_secure=0
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="/usr/lib/glewlwyd/user"
client_module_path="/usr/lib/glewlwyd/client"
user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
plugin_module_path="/usr/lib/glewlwyd/plugin"
hash_algorithm="SHA512"
database = {{ type="sqlite3" path="{database}" }};
static_files_mime_types = (
  {{ extension=".html" mime_type="text/html" }}, {{ extension=".css" mime_type="text/css" }},
  {{ extension=".js" mime_type="application/javascript" }},
  {{ extension=".json" mime_type="application/json" }}
)
"""


class Glewlwyd(ProviderProcess):
    """It has one user, and remembers which scopes that user lets the client have."""

    def __init__(
        self,
        directory: Path,
        urls: ClientURLs,
        *,
        is_par_required: bool = False,
        access_token_seconds: int = 3600,
    ) -> None:
        port = free_port()
        self.base_url = f"http://127.0.0.1:{port}"
        self._urls = urls
        self._is_par_required = is_par_required
        self._access_token_seconds = access_token_seconds
        self._is_configured = False
        config = _prepare(directory, port, self.base_url)
        super().__init__(f"{self.base_url}/api/{PLUGIN}", _server(config, self.base_url))

    def configure(self) -> None:
        """Make it a provider, once: its database outlives the process."""
        if self._is_configured:
            return
        with closing(Admin(self.base_url)) as admin:
            admin.add_scopes()
            admin.add_user()
            admin.allow_logout_addresses()
            admin.add_client(self.client_id, self.client_secret, self._urls)
            admin.add_provider(
                self.issuer,
                is_par_required=self._is_par_required,
                access_seconds=self._access_token_seconds,
            )
        self._is_configured = True

    def log_in(self, agent: UserAgent, url: str) -> Page:
        """Its page needs JavaScript; these are the requests that the page sends."""
        page = agent.visit(url)
        back = page.parameters()["callback_url"]
        api = f"{self.base_url}/api"
        user = {"username": USER, "password": PASSWORD}
        agent.http.post(f"{api}/auth/", json=user).raise_for_status()
        grant = {"scope": " ".join(("openid", *SCOPES))}
        agent.http.put(f"{api}/auth/grant/{self.client_id}", json=grant).raise_for_status()
        return agent.visit(f"{back}&g_continue")

    def log_out(self, agent: UserAgent, url: str) -> Page:
        """Here, too: the page ends the session at the plugin, then the one at the server."""
        page = agent.visit(url)
        asked = page.parameters()
        agent.http.delete(f"{self.issuer}/session/{asked['sid']}").raise_for_status()
        agent.http.delete(f"{self.base_url}/api/auth/").raise_for_status()
        return agent.visit(asked["callback_url"])


def install() -> None:
    """Have Debian's package installed, without its service being started.

    Raises:
        InstallError: that was not possible.
    """
    if why_not():
        run(["sh", str(ROOT / "scripts" / "ensure_test_programs.sh"), "-", "glewlwyd"])


def why_not() -> str | None:
    """Why the provider cannot be started here; None when it can."""
    if shutil.which("glewlwyd") is None:
        return "Debian's package glewlwyd is not installed"
    if not _SCHEMA.is_file():
        return f"glewlwyd came without {_SCHEMA}"
    return None


def is_available() -> bool:
    """Whether it can be started here."""
    return why_not() is None


def _prepare(directory: Path, port: int, base_url: str) -> Path:
    database = directory / "glewlwyd.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(gzip.decompress(_SCHEMA.read_bytes()).decode())
    config = directory / "glewlwyd.conf"
    values = {"port": port, "base_url": base_url, "database": database}
    config.write_text(_CONFIG.format(**values, pages=_copy_pages(directory)))
    return config


def _copy_pages(directory: Path) -> Path:
    """In the package, some are links to elsewhere, and what stands elsewhere is not served."""
    pages = directory / "glewlwyd-pages"
    shutil.copytree(_PAGES / "webapp", pages, ignore=shutil.ignore_patterns("config.json"))
    shutil.copy2(_PAGES / "templates" / "config.json", pages)
    return pages


def _server(config: Path, base_url: str) -> Server:
    return Server(
        ["glewlwyd", f"--config-file={config}"],
        cwd=config.parent,
        environ=clean_environ(),
        log=config.parent / "glewlwyd.log",
        ready=lambda: answers(f"{base_url}/config"),
        patience=30.0,
    )
