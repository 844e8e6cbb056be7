"""One app at https://…/shop, behind an nginx that ends TLS: as docs/deploy.md says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocket, expect

from ..e2e.conftest import NewPerson
from ..e2e.stack import SECRET, Stack, tenant_process
from ..e2e.walk import by_test_id, enter_password, log_in, log_out, open_profile, shown_metadata
from ..servers import BIN, ROOT, Server, answers, clean_environ, copy_project, free_port
from ..unit.auth.interceptor.certificate import write_certificate
from .fleet import nginx

SITE = re.compile(r"```nginx\n(.*?)```", re.DOTALL)
FILES = re.compile(r"/etc/ssl/app\.example\.com\.(pem|key)")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Running."""
    directory = tmp_path_factory.mktemp("shop")
    port, own_port = free_port(), free_port()
    # Not `localhost`: there, Reflex takes a page with https to be on port 443.
    origin = f"https://shop.localhost:{port}"
    tenant = tenant_process(directory, app_url=f"{origin}/shop")
    app = _app(directory, f"{origin}/shop", own_port, tenant.url)
    site = _site(port, own_port, write_certificate(directory))
    # Its certificate is not one that a client trusts, so the page behind it is asked.
    proxy = nginx(directory, site, ready=lambda: (directory / "nginx.pid").exists())
    servers = (tenant.server, app, proxy)
    try:
        for server in servers:
            server.start()
        yield Stack(f"{origin}/shop", f"{origin}/shop", directory, app, tenant)
    finally:
        for server in reversed(servers):
            server.stop()


def _app(directory: Path, url: str, port: int, tenant: str) -> Server:
    return Server(
        [
            *(str(BIN / "reflex"), "run", "--env", "prod"),
            *("--frontend-port", str(port), "--backend-port", str(port)),
        ],
        cwd=copy_project(directory / "project"),
        environ=clean_environ(
            APP_BASE_URL=url,
            APP_TRUSTED_PROXIES="1",
            APP_DATA_DIR=str(directory / "data"),
            AUTH0_DOMAIN=tenant,
            AUTH0_CLIENT_ID="local-app",
            AUTH0_CLIENT_SECRET="local-secret",
            AUTH0_SECRET=SECRET,
        ),
        log=directory / "app.log",
        ready=lambda: answers(f"http://localhost:{port}/shop/auth/health"),
        patience=240.0,
    )


def _site(port: int, own_port: int, certificate: Path) -> str:
    """The configuration of the docs for one machine, with the path that the next section gives."""
    found = SITE.search((ROOT / "docs" / "deploy.md").read_text())
    assert found
    site = FILES.sub(str(certificate), found[1])
    site = site.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    site = site.replace("server_name app.example.com", "server_name shop.localhost")
    site = site.replace("127.0.0.1:3000", f"127.0.0.1:{own_port}")
    return site.replace("location / {", "location /shop {")


@pytest.fixture
def person(new_person: NewPerson) -> Page:
    """A person whose browser accepts the certificate."""
    return new_person(ignore_https_errors=True)


def test_journey(shop: Stack, person: Page) -> None:
    """Login, a guarded page with its API call, reload and logout stay below the path."""
    sockets: list[str] = []
    person.on("websocket", lambda socket: sockets.append(_path_of(socket)))
    log_in(person, shop)
    expect(person).to_have_url(re.compile(rf"^{shop.url}/$"))
    open_profile(person, shop)
    assert shown_metadata(person)
    person.goto(f"{shop.url}/profile?tab=2")
    shown_metadata(person)
    expect(person).to_have_url(f"{shop.url}/profile?tab=2")
    log_out(person, shop)
    expect(person).to_have_url(re.compile(rf"^{shop.url}/$"))
    assert set(sockets) == {"/shop/_event"}


def test_guarded_page(shop: Stack, person: Page) -> None:
    """A guarded page leads a visitor to the login, and the login back to it."""
    person.goto(f"{shop.url}/profile?tab=3")
    enter_password(person, "alice@example.com", "password")
    person.wait_for_url(f"{shop.url}/profile?tab=3")
    shown_metadata(person)


def test_declined_consent(shop: Stack, person: Page) -> None:
    """A declined consent ends on the app's error page, from which a link leads to the start."""
    shop.tenant.forget_consents()
    person.goto(shop.url)
    by_test_id(person, "login").click()
    enter_password(person, "bob@example.com", "password")
    by_test_id(person, "tenant-decline").click()
    person.wait_for_url(f"{shop.url}/error?**")
    expect(by_test_id(person, "auth-error")).to_be_visible()
    person.get_by_role("link", name="start page").click()
    expect(by_test_id(person, "login")).to_be_visible()
    expect(person).to_have_url(re.compile(rf"^{shop.url}/$"))


def test_cookies(shop: Stack, person: Page) -> None:
    """Behind TLS the cookies are bound to the host, Secure, and named after the path."""
    log_in(person, shop)
    cookies = [each for each in person.context.cookies(shop.url) if "auth_" in each["name"]]
    assert {each["name"].partition("+")[2] for each in cookies} == {"shop"}
    assert all(each["name"].startswith("__Host-") and each["secure"] for each in cookies)


def test_other_address(shop: Stack, person: Page) -> None:
    """An address below the path that is no page is this app's page for it."""
    person.goto(f"{shop.url}/nothing")
    expect(person.get_by_text("There is nothing here")).to_be_visible()


def _path_of(socket: WebSocket) -> str:
    return re.sub(r"^wss://[^/]+|/?\?.*$", "", socket.url)
