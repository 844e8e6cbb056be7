"""The unmodified auth0-spa-js in a real browser, at a tenant that runs on `localhost`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ..interop.auth0_clients import HERE, NODE_CLIENTS, why_no_node
from .conftest import NewPerson
from .stack import Tenant, tenant_process

pytestmark = pytest.mark.skipif(bool(why_no_node()), reason=why_no_node())

OTHER_AUDIENCE = "http://127.0.0.1:4401/api/"
MEMORY: dict[str, Any] = {}
STORAGE = {"useRefreshTokens": True, "cacheLocation": "localstorage"}
SDK = NODE_CLIENTS / "node_modules/@auth0/auth0-spa-js/dist/auth0-spa-js.production.js"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_script = self.path.startswith("/auth0-spa-js.js")
        body = (SDK if is_script else HERE / "spa.html").read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if is_script else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def app_url() -> Iterator[str]:
    """The page with the SDK."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory, app_url: str) -> Iterator[Tenant]:
    """A running tenant whose issuer is on `localhost`. A used refresh token is accepted again for a
    time: of two tabs at once, one may read the other's last token from localStorage too early."""
    directory = tmp_path_factory.mktemp("tenant")
    tenant = tenant_process(directory, app_url=app_url, host="localhost", rotation_overlap=10)
    tenant.server.start()
    yield tenant
    tenant.server.stop()


class App:
    """The page of one person, and what they do there."""

    def __init__(self, page: Page, url: str, tenant: str, options: dict[str, Any]) -> None:
        self.page, self.url, self.options = page, url, {"domain": tenant, **options}

    def open(self, **parameters: str) -> None:
        """Load the page, as a reload does: what it had in memory is gone."""
        self.page.goto(self.url)
        self.begin(**parameters)

    def begin(self, **parameters: str) -> None:
        """Make the SDK's client, and finish a login that has come back."""
        self.page.wait_for_url(f"{self.url}/**")
        self.page.evaluate("([o, p]) => begin(o, p)", [self.options, parameters])

    def log_in(self, **parameters: str) -> None:
        """Log in by redirect."""
        self.page.evaluate(
            "p => { client.loginWithRedirect({authorizationParams: p}) }", parameters
        )
        answer_pages(self.page)
        self.begin()

    def call(self, expression: str) -> Any:
        """A call of the SDK: its result, or its error."""
        return self.page.evaluate(f"outcome({expression})")

    def token(self, audience: str | None = None, cache: str = "off") -> Any:
        """`getTokenSilently`, in full."""
        parameters = f'{{audience: "{audience}", scope: "read:messages"}}' if audience else "{}"
        return self.call(
            f'client.getTokenSilently({{detailedResponse: true, cacheMode: "{cache}", '
            f"authorizationParams: {parameters}}})"
        )

    @property
    def email(self) -> str | None:
        """The user's, if there is one."""
        return self.call("client.getUser().then(user => user?.email ?? null)")


def answer_pages(page: Page) -> None:
    """Log in as Alice, and consent."""
    page.fill("[name=username]", "alice@example.com")
    page.fill("[name=password]", "password")
    page.click("[data-testid=tenant-login]")
    page.click("[data-testid=tenant-accept]")


@pytest.fixture
def open_app(new_person: NewPerson, tenant: Tenant, app_url: str) -> Callable[..., App]:
    """Opens the page for a person who has not been there yet."""

    def open_app(options: dict[str, Any], **parameters: str) -> App:
        tenant.forget_consents()
        app = App(new_person(), app_url, tenant.url, options)
        app.open(**parameters)
        return app

    return open_app


def test_memory_cache(open_app: Callable[..., App]) -> None:
    """A login by redirect outlives a reload with the SDK's default cache, by the silent frame, and
    ends with the logout."""
    app = open_app(MEMORY)
    assert app.call("client.checkSession()") is None
    assert app.email is None
    app.log_in()
    assert app.email == "alice@example.com"
    app.open()
    app.call("client.checkSession()")
    assert app.email == "alice@example.com"
    with app.page.expect_navigation(url=f"{app.url}/"):
        app.page.evaluate("() => { client.logout({logoutParams: {returnTo: location.origin}}) }")
    app.begin()
    assert app.token() == {"error": "login_required", "text": "Login required"}


def test_popup(open_app: Callable[..., App]) -> None:
    """A login in a popup, and a popup whose user declines."""
    app = open_app(MEMORY)
    with app.page.expect_popup() as opened:
        app.page.evaluate("() => { window.login = outcome(client.loginWithPopup()) }")
    answer_pages(opened.value)
    app.page.evaluate("login")
    assert app.email == "alice@example.com"
    with app.page.expect_popup() as opened:
        parameters = "{authorizationParams: {prompt: 'consent'}}"
        app.page.evaluate(
            f"() => {{ window.login = outcome(client.loginWithPopup({parameters})) }}"
        )
    opened.value.click("[data-testid=tenant-decline]")
    assert app.page.evaluate("login")["error"] == "access_denied"


def test_refresh_tokens(open_app: Callable[..., App]) -> None:
    """Refresh tokens in localStorage rotate, bring ID tokens, survive a reload and two tabs at
    once."""
    app = open_app(STORAGE)
    app.log_in(scope="openid profile email offline_access")
    seen = [app.token() for _ in range(3)]
    assert len({each["access_token"] for each in seen}) == 3
    assert all(each["id_token"] for each in seen)
    app.open()
    assert app.email == "alice@example.com"
    other = app.page.context.new_page()
    other_app = App(other, app.url, app.options["domain"], STORAGE)
    other_app.open()
    both = "Promise.all([client.getTokenSilently({cacheMode: 'off'}), client.getUser()])"
    other.evaluate(f"() => {{ window.both = outcome({both}) }}")
    for outcome in (app.call(both), other.evaluate("both")):
        assert isinstance(outcome, list), outcome
        assert outcome[1]["email"] == "alice@example.com"
    expect(app.page).to_have_url(f"{app.url}/")


def test_second_audience(open_app: Callable[..., App]) -> None:
    """Another API needs the user's consent once; with multi-resource refresh tokens, the one
    refresh token then obtains tokens for it."""
    app = open_app({**STORAGE, "useMrrt": True})
    app.log_in(scope="openid profile email offline_access")
    assert app.token(OTHER_AUDIENCE)["error"] == "consent_required"
    with app.page.expect_popup() as opened:
        wanted = {"audience": OTHER_AUDIENCE, "scope": "openid read:messages"}
        app.page.evaluate(
            "p => { window.login = outcome(client.loginWithPopup({authorizationParams: p})) }",
            wanted,
        )
    opened.value.click("[data-testid=tenant-accept]")
    app.page.evaluate("login")
    assert "read:messages" in app.token(OTHER_AUDIENCE)["scope"]
    unknown = app.token("https://nobody.example/")
    assert unknown["text"] == "Service not found: https://nobody.example/"
