"""An app with HTTP routes of its own, as a process, and users who have logged in there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from ...cookies import session_cookie
from ...servers import BIN, Server, answers, clean_environ, free_port, lifted_project
from ..orders_api import OrdersApi, running_orders_api
from ..stack import SECRET, Stack, tenant_process

API_PORT = free_port()
SOURCES = Path(__file__).parent / "routes_app"
FORMS = {"/u/login": {"password": "password"}, "/u/consent": {"action": "accept"}}

LogIn = Callable[[str], httpx.Client]


@pytest.fixture(scope="session")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The app's backend and a tenant, running. As in development, page and backend are two origins;
    `foreign` serves the page's."""
    directory = tmp_path_factory.mktemp("routes")
    url, api_url = (f"http://localhost:{free_port()}" for _ in range(2))
    tenant = tenant_process(directory, app_url=url, api_url=api_url)
    project = lifted_project(directory / "project", SOURCES, "routes_app")
    app = Server(
        [str(BIN / "reflex"), "run", "--env", "prod", "--backend-only"],
        cwd=project,
        environ=clean_environ(
            APP_BASE_URL=url,
            APP_API_URL=api_url,
            ROUTES_ORDERS_API=f"http://127.0.0.1:{API_PORT}",
            ROUTES_DATA=str(directory / "data" / "sessions.sqlite3"),
            AUTH0_DOMAIN=tenant.url,
            AUTH0_CLIENT_ID="local-app",
            AUTH0_CLIENT_SECRET="local-secret",
            AUTH0_SECRET=SECRET,
            GRANIAN_WORKERS="1",
        ),
        log=directory / "app.log",
        ready=lambda: answers(f"{api_url}/auth/health"),
    )
    try:
        tenant.server.start()
        app.start()
        yield Stack(url, api_url, project, app, tenant)
    finally:
        app.stop()
        tenant.server.stop()


@pytest.fixture
def orders_api() -> Iterator[OrdersApi]:
    """The API behind the proxied routes of the app."""
    with running_orders_api(API_PORT) as api:
        yield api


@pytest.fixture
def foreign(routes: Stack) -> Iterator[str]:
    """While the app's page is served, a page that is not the app's, on a third port."""
    link = f'<!doctype html><a href="{routes.api_url}/export.csv">Export</a>'
    port = free_port()
    with served(urlsplit(routes.url).port or 0, link), served(port, link):
        yield f"http://localhost:{port}"


@contextmanager
def served(port: int, page: str) -> Iterator[None]:
    """A server that answers every GET with this page. (A page that Playwright makes up is refused
    as one from the internet, when it sends a request to this machine.)"""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *arguments: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield
        server.shutdown()


@pytest.fixture
def log_in(routes: Stack) -> Iterator[LogIn]:
    """Logs a user in through the tenant's pages; the result is their browser."""
    browsers: list[httpx.Client] = []

    def logged_in(email: str) -> httpx.Client:
        browser = httpx.Client(base_url=routes.api_url, trust_env=False)
        browsers.append(browser)
        url = httpx.URL(f"{routes.api_url}/auth/login")
        while session_cookie(routes.url) not in browser.cookies:
            form = FORMS.get(url.path)
            answer = (
                browser.post(url, data={**form, "username": email}) if form else browser.get(url)
            )
            url = url.join(answer.headers["location"])
        return browser

    yield logged_in
    for browser in browsers:
        browser.close()
