"""The README's app, exactly as it stands there, and the same app with pages of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ..servers import BIN, ROOT, Server, answers, clean_environ, free_port
from .conftest import NewPerson
from .stack import SECRET, Tenant, tenant_process
from .walk import ALICE, PASSWORD, enter_password

SETTINGS = """
from reflex_oidc import use_packaged_toolchain

use_packaged_toolchain()

import reflex as rx

config = rx.Config(
    app_name="hello",
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
(HELLO,) = (
    block
    for block in re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    if "rx.App()" in block
)


@dataclass
class Hello:
    """The app as it runs, and what is beside it."""

    url: str
    api_url: str
    tenant: Tenant


StartHello = Callable[..., Hello]


@pytest.fixture(scope="module")
def start_hello(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartHello]:
    """Starts an app of this text with a tenant, without a word about where its backend is."""
    with ExitStack() as stack:

        def start(text: str = HELLO, settings: str = SETTINGS, *, is_production: bool) -> Hello:
            directory = tmp_path_factory.mktemp("hello")
            page_port, backend_port = free_port(), free_port()
            url = f"http://localhost:{page_port}"
            api_url = url if is_production else f"http://localhost:{backend_port}"
            tenant = tenant_process(directory, app_url=url, api_url=api_url)
            ports = ["--frontend-port", str(page_port)]
            if not is_production:
                ports += ["--backend-port", str(backend_port)]
            app = Server(
                [str(BIN / "reflex"), "run", "--env", "prod" if is_production else "dev", *ports],
                cwd=_project(directory / "project", text, settings),
                environ=clean_environ(**{**FOUR, "AUTH0_DOMAIN": tenant.url}),
                log=directory / "app.log",
                ready=lambda: answers(f"{api_url}/auth/health") and answers(url),
                patience=240.0,
            )
            for server in (tenant.server, app):
                server.start()
                stack.callback(server.stop)
            return Hello(url, api_url, tenant)

        yield start


def _project(project: Path, text: str, settings: str) -> Path:
    (project / "hello").mkdir(parents=True)
    (project / "hello" / "__init__.py").touch()
    (project / "hello" / "hello.py").write_text(text)
    (project / "rxconfig.py").write_text(settings)
    shutil.copytree(ROOT / "app" / "auth", project / "reflex_oidc")
    shutil.copytree(ROOT / "reflex.lock", project / "reflex.lock")
    return project


def sign_in(page: Page) -> None:
    """At the tenant: password and, the first time, consent."""
    enter_password(page, ALICE, PASSWORD)
    page.wait_for_url(re.compile("/u/consent|^http://localhost"))
    if "/u/consent" in page.url:
        page.get_by_test_id("tenant-accept").click()


def test_as_it_stands(person: Page, start_hello: StartHello) -> None:
    """In development, with nothing said about its addresses, the page leads to the login, shows the
    user, and logs out."""
    hello = start_hello(is_production=False)
    person.goto(hello.url)
    sign_in(person)
    expect(person.get_by_role("heading")).to_have_text("Hello, Alice Liddell")
    expect(person.get_by_test_id("user-name")).to_have_text("Alice Liddell")
    person.get_by_test_id("logout").click()
    person.wait_for_url("**/u/login**")


def test_contradicting_origins(tmp_path: Path) -> None:
    """An `APP_API_URL` that is not where the page connects to stops the start; both are named."""
    port = free_port()
    result = subprocess.run(
        [str(BIN / "reflex"), "run", "--backend-port", str(port)],
        cwd=_project(tmp_path / "project", HELLO, SETTINGS),
        env=clean_environ(**FOUR, APP_API_URL="http://localhost:9"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert result.returncode
    for name in ("APP_API_URL", "http://localhost:9", f"http://localhost:{port}"):
        assert name in result.stdout


OWN_PAGES = """
from reflex_oidc import AuthPages, AuthState, claim

pages = AuthPages(
    signed_out=lambda: rx.el.p("You have left"),
    forbidden=lambda: rx.el.p("Not for you"),
    waiting=lambda: rx.el.p("One moment"),
)


@auth.public
def start():
    return rx.el.main(
        rx.el.button("Go", on_click=rx.redirect(auth.login_url("/"))),
        rx.el.a("Enter", href=AuthState.login_url),
    )


app.add_page(start, route="/start")
app.add_page(auth.require(claim("name", "Bob"))(lambda: rx.el.p("Bob's")), route="/bobs")
app.add_page(auth.public(lambda: rx.el.p("Oh dear")), route="/oh-dear")
auth.install(app, pages=pages)
"""
WITH_PLUGIN = SETTINGS.replace("import use_", "import Plugin, use_").replace(
    'app_name="hello",', 'app_name="hello", plugins=[Plugin()],'
)


@pytest.fixture(scope="module")
def own_pages(start_hello: StartHello) -> Hello:
    """The app with pages of its own in place of the default ones, and the plugin."""
    text = HELLO.replace("auth.install(app)\n", OWN_PAGES)
    text = text.replace(
        "from_environ(os.environ)", 'from_environ(os.environ, error_path="/oh-dear")'
    )
    return start_hello(text, WITH_PLUGIN, is_production=True)


@pytest.mark.parametrize("name", ["Enter", "Go"], ids=["a link", "rx.redirect"])
def test_plain_link(person: Page, own_pages: Hello, name: str) -> None:
    """A plain way to the login works on one origin, too, where the router could take it; Back
    returns to the page."""
    person.goto(f"{own_pages.url}/start")
    expect(person.get_by_text("Enter")).to_have_attribute("href", re.compile("/auth/login"))
    person.get_by_text(name, exact=True).click()
    person.wait_for_url("**/u/login**")
    person.go_back()
    expect(person.get_by_text("Enter")).to_be_visible()
    assert person.url == f"{own_pages.url}/start"


def test_own_error_page(person: Page, own_pages: Hello) -> None:
    """The app's own page for login problems is the one that is shown, where the app wants it."""
    person.goto(f"{own_pages.url}/auth/callback?state=x&code=x")
    person.wait_for_url(f"{own_pages.url}/oh-dear?**")
    expect(person.get_by_text("Oh dear")).to_be_visible()


def test_own_views(person: Page, own_pages: Hello) -> None:
    """The app's own views are shown to a user who may not see a page, and after a logout in another
    tab."""
    person.goto(f"{own_pages.url}/bobs")
    sign_in(person)
    expect(person.get_by_text("Not for you")).to_be_visible()
    other = person.context.new_page()
    other.goto(own_pages.url)
    other.get_by_test_id("logout").click()
    expect(person.get_by_text("You have left")).to_be_visible()
    expect(person.get_by_text("Not for you")).to_have_count(0)


def test_own_waiting_view(person: Page, own_pages: Hello) -> None:
    """The app's own view is shown until it is known whether a user is signed in."""
    person.route_web_socket("**/_event/**", lambda socket: None)  # which never answers
    person.goto(f"{own_pages.url}/bobs")
    expect(person.get_by_text("One moment")).to_be_visible()


def test_guarded_by_the_plugin(new_person: NewPerson, own_pages: Hello) -> None:
    """A visitor of a page without a mark goes to the login."""
    person = new_person()
    person.goto(own_pages.url)
    person.wait_for_url("**/u/login**")
