"""The README's app, exactly as it stands there, in a project of its own: no way ends nowhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ..servers import BIN, ROOT, Server, answers, clean_environ, free_port
from .conftest import NewPerson
from .stack import SECRET, Tenant, tenant_process
from .walk import ALICE, BOB, PASSWORD, enter_password

SETTINGS = """
from reflex_oidc import use_packaged_toolchain

use_packaged_toolchain()

import reflex as rx

config = rx.Config(
    app_name="shop",
    telemetry_enabled=False,
    disable_plugins=[rx.plugins.SitemapPlugin],
)
"""
FOUR = {
    "AUTH0_DOMAIN": "http://127.0.0.1:9",
    "AUTH0_CLIENT_ID": "local-app",
    "AUTH0_CLIENT_SECRET": "local-secret",
    "AUTH0_SECRET": SECRET,
}
(SHOP,) = (
    block
    for block in re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    if "rx.App()" in block
)


@dataclass
class Shop:
    """The app as it runs, and what is beside it."""

    url: str
    api_url: str
    tenant: Tenant


class Orders(BaseHTTPRequestHandler):
    """An API that needs an access token."""

    def do_GET(self) -> None:
        has_token = (self.headers["Authorization"] or "").startswith("Bearer ")
        self.send_response(200 if has_token else 401)
        self.end_headers()
        self.wfile.write(json.dumps([{"name": "A kettle"}]).encode())

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def orders_api() -> Iterator[str]:
    """The URL of the API."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Orders) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


StartShop = Callable[..., Shop]


@pytest.fixture(scope="module")
def start_shop(tmp_path_factory: pytest.TempPathFactory, orders_api: str) -> Iterator[StartShop]:
    """Starts an app of this text with a tenant, without a word about where its backend is."""
    with ExitStack() as stack:

        def start(shop: str = SHOP, settings: str = SETTINGS, *, is_production: bool) -> Shop:
            directory = tmp_path_factory.mktemp("shop")
            page_port, backend_port = free_port(), free_port()
            url = f"http://localhost:{page_port}"
            api_url = url if is_production else f"http://localhost:{backend_port}"
            tenant = tenant_process(directory, app_url=url, api_url=api_url)
            ports = ["--frontend-port", str(page_port)]
            if not is_production:
                ports += ["--backend-port", str(backend_port)]
            app = Server(
                [str(BIN / "reflex"), "run", "--env", "prod" if is_production else "dev", *ports],
                cwd=_project(directory / "project", shop, settings),
                environ=clean_environ(
                    ORDERS_API=orders_api,
                    **{**FOUR, "AUTH0_DOMAIN": tenant.url},
                ),
                log=directory / "app.log",
                ready=lambda: answers(f"{api_url}/auth/health") and answers(url),
                patience=240.0,
            )
            for server in (tenant.server, app):
                server.start()
                stack.callback(server.stop)
            return Shop(url, api_url, tenant)

        yield start


def _project(project: Path, shop: str, settings: str) -> Path:
    (project / "shop").mkdir(parents=True)
    (project / "shop" / "__init__.py").touch()
    (project / "shop" / "shop.py").write_text(shop)
    (project / "rxconfig.py").write_text(settings)
    shutil.copytree(ROOT / "app" / "auth", project / "reflex_oidc")
    shutil.copytree(ROOT / "reflex.lock", project / "reflex.lock")
    return project


@pytest.fixture(scope="module", params=["development", "production"])
def shop(request: pytest.FixtureRequest, start_shop: StartShop) -> Shop:
    """The README's app, once in each mode."""
    return start_shop(is_production=request.param == "production")


def sign_in(page: Page, email: str, *, choice: str = "tenant-accept") -> None:
    """At the tenant: password and consent."""
    enter_password(page, email, PASSWORD)
    page.wait_for_url("**/u/consent**")
    page.get_by_test_id(choice).click()


def test_login(person: Page, shop: Shop) -> None:
    """A guarded page leads to the login and back to its address as the app names it. The user, the
    orders and the logout are there; afterwards the start page offers to log in."""
    shop.tenant.forget_consents()
    person.goto(f"{shop.url}/orders")
    sign_in(person, ALICE)
    person.wait_for_url(f"{shop.url}/orders")
    expect(person.get_by_text("A kettle")).to_be_visible()
    expect(person.get_by_test_id("user-name")).to_have_text("Alice Liddell")
    person.get_by_test_id("logout").click()
    person.wait_for_url(f"{shop.url}/")
    expect(person.get_by_test_id("login")).to_have_text("Log in")
    person.get_by_test_id("login").click()
    person.wait_for_url("**/u/login**")


def test_declined_consent(person: Page, shop: Shop) -> None:
    """A login that the user declines ends on the default page, which tries again and returns to the
    page that the login was for."""
    shop.tenant.forget_consents()
    person.goto(f"{shop.url}/orders")
    sign_in(person, BOB, choice="tenant-decline")
    person.wait_for_url(f"{shop.url}/error?**")
    expect(person.get_by_test_id("auth-error")).to_have_text("You did not allow it")
    expect(person.locator("code")).to_have_text(re.compile("^[0-9a-f]{8}$"))
    person.get_by_test_id("try-again").click()
    person.wait_for_url("**/u/consent**")
    person.get_by_test_id("tenant-accept").click()
    person.wait_for_url(f"{shop.url}/orders")
    expect(person.get_by_text("A kettle")).to_be_visible()


def test_failed_login(person: Page, shop: Shop) -> None:
    """A callback that belongs to no login ends on the default page, and stays there; nothing of the
    URL is shown but the reference."""
    person.goto(f"{shop.api_url}/auth/callback?state=x&code=x")
    person.wait_for_url(f"{shop.url}/error?**")
    expect(person.get_by_test_id("auth-error")).to_have_text("This login is no longer open")
    person.goto(f"{shop.url}/error?code=<b>odd</b>&id=<b>odd</b>&return_to=//evil.example")
    expect(person.get_by_test_id("auth-error")).to_have_text("The login failed")
    expect(person.get_by_text("odd")).to_have_count(0)
    assert person.get_by_test_id("try-again").get_attribute("href") == (
        f"{shop.api_url}/auth/login?return_to=%2F"
    )


def test_no_page_there(person: Page, shop: Shop) -> None:
    """Reflex's page for addresses without one is shown to everybody: no login, and no circle."""
    person.goto(f"{shop.url}/nothing/here")
    expect(person.get_by_text("404")).to_be_visible()
    assert person.url == f"{shop.url}/nothing/here"


def test_german(new_person: NewPerson, shop: Shop) -> None:
    """A German browser gets German texts, from pages and from the backend's documents."""
    person = new_person(locale="de-DE")
    person.goto(shop.url)
    expect(person.get_by_test_id("login")).to_have_text("Anmelden")
    person.goto(f"{shop.url}/error?code=access_denied")
    expect(person.get_by_test_id("auth-error")).to_have_text("Sie haben nicht zugestimmt")
    expect(person.locator("section[lang=de]")).to_be_visible()
    person.goto(f"{shop.api_url}/auth/logout")
    expect(person.get_by_role("heading")).to_have_text("Abmelden?")


def test_contradicting_origins(tmp_path: Path) -> None:
    """An `APP_API_URL` that is not where the page connects to stops the start; both are named."""
    port = free_port()
    result = subprocess.run(
        [str(BIN / "reflex"), "run", "--backend-port", str(port)],
        cwd=_project(tmp_path / "project", SHOP, SETTINGS),
        env=clean_environ(**FOUR, ORDERS_API="http://a", APP_API_URL="http://localhost:9"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert result.returncode
    for name in ("APP_API_URL", "http://localhost:9", f"http://localhost:{port}"):
        assert name in result.stdout


OWN_PAGES = (
    SHOP.replace(
        "rx.el.main(auth.user_menu(), rx.el.a(",
        'rx.el.main(rx.el.button("Go", on_click=rx.redirect(auth.login_url("/orders"))),'
        ' rx.el.a("Enter", href=AuthState.login_url), rx.el.a(',
    )
    .replace("    AuthService,\n", "    AuthService,\n    AuthState,\n")
    .replace("from_environ(os.environ)", 'from_environ(os.environ, error_path="/oh-dear")')
    .replace(
        "auth.install(app)",
        'app.add_page(auth.public(lambda: rx.el.p("Oh dear")), route="/oh-dear")',
    )
)
WITH_PLUGIN = SETTINGS.replace("import use_", "import Plugin, use_").replace(
    'app_name="shop",', 'app_name="shop", plugins=[Plugin()],'
)


@pytest.fixture(scope="module")
def own_pages(start_shop: StartShop) -> Shop:
    """The same app with a page of its own for login problems, installed by the plugin."""
    return start_shop(OWN_PAGES, WITH_PLUGIN, is_production=True)


@pytest.mark.parametrize("name", ["Enter", "Go"], ids=["a link", "rx.redirect"])
def test_plain_link(person: Page, own_pages: Shop, name: str) -> None:
    """A plain way to the login works on one origin, too, where the router could take it; Back
    returns to the page."""
    person.goto(own_pages.url)
    expect(person.get_by_text("Enter")).to_have_attribute("href", re.compile("/auth/login"))
    person.get_by_text(name, exact=True).click()
    person.wait_for_url("**/u/login**")
    person.go_back()
    expect(person.get_by_text("Enter")).to_be_visible()
    assert person.url == f"{own_pages.url}/"


def test_own_page(person: Page, own_pages: Shop) -> None:
    """The app's own page for login problems is the one that is shown, where the app wants it; and
    the plugin has guarded the other pages."""
    person.goto(f"{own_pages.url}/auth/callback?state=x&code=x")
    person.wait_for_url(f"{own_pages.url}/oh-dear?**")
    expect(person.get_by_text("Oh dear")).to_be_visible()
    person.goto(f"{own_pages.url}/orders")
    person.wait_for_url("**/u/login**")
