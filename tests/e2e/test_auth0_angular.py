"""The unmodified auth0-angular in a real browser: the quickstart's page, against the local tenant.

The tenant's issuer is on `localhost`, so that it has its cookie in a hidden frame of the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import uvicorn
from playwright.sync_api import Page, Request, expect

from ..interop import angular
from ..servers import free_port, wait_until
from .conftest import NewPerson
from .stack import Tenant, tenant_process
from .walk import ALICE, by_test_id, enter_password, shown_metadata

pytestmark = pytest.mark.skipif(
    bool(angular.why_no_angular()), reason=angular.why_no_angular() or "-"
)

METADATA = {"color": "blue"}
TOKENS_IN_STORAGE = {"cacheLocation": "localstorage"}
TOKENS_IN_MEMORY = {"cacheLocation": "memory"}


@pytest.fixture(scope="module")
def page_url() -> Iterator[str]:
    """The page's server. Each test's browser brings the settings."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(angular.site(), port=port, log_level="warning"))
    thread = Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, 10.0)
    yield f"http://localhost:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory, page_url: str) -> Iterator[Tenant]:
    """A running tenant. A used refresh token is accepted again for a time: a reload may come before
    the page has read the answer with the next one."""
    directory = tmp_path_factory.mktemp("tenant")
    tenant = tenant_process(directory, app_url=page_url, host="localhost", rotation_overlap=10)
    tenant.server.start()
    yield tenant
    tenant.server.stop()


class Visit:
    """One person at the page, and the requests of their browser to the tenant."""

    def __init__(self, page: Page, url: str, tenant: Tenant) -> None:
        self.page, self.url, self.tenant = page, url, tenant
        self.requests: list[Request] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if request.url.startswith(self.tenant.url) and request.method != "OPTIONS":
            self.requests.append(request)

    def sent(self, path: str) -> list[Request]:
        """The requests to a path of the tenant so far."""
        return [each for each in self.requests if urlsplit(each.url).path == path]

    def grants(self) -> list[str]:
        """The grant types of the token requests so far."""
        forms = (parse_qs(each.post_data or "") for each in self.sent("/oauth/token"))
        return [form["grant_type"][0] for form in forms]

    def user_requests(self) -> list[Request]:
        """Those of the user's metadata."""
        return [each for each in self.requests if "/api/v2/users/" in each.url]

    def log_in(self, *, answer: str = "tenant-accept") -> None:
        """Press the button; at the tenant, log in as Alice and answer the request for consent."""
        by_test_id(self.page, "login").click()
        self.answer_pages(answer)

    def answer_pages(self, answer: str = "tenant-accept") -> None:
        """The tenant's pages."""
        enter_password(self.page, ALICE, "password")
        by_test_id(self.page, answer).click()
        self.page.wait_for_url(f"{self.url}/**")

    def shows_alice(self) -> None:
        """The profile shows her name and metadata."""
        expect(by_test_id(self.page, "user-name")).to_have_text("Alice Liddell")
        assert shown_metadata(self.page) == METADATA


@pytest.fixture
def visit(new_person: NewPerson, tenant: Tenant, page_url: str) -> Callable[..., Visit]:
    """Opens a path of the page for a person who has not been there yet."""

    def visit(settings: dict[str, Any], path: str = "/") -> Visit:
        tenant.forget_consents()
        tenant.set_token_lifetime(f"{tenant.url}/api/v2/", 86_400)
        tenant.set_metadata(ALICE, json.dumps(METADATA))
        page = new_person()
        other = f"{tenant.url}/.well-known/openid-configuration"
        every = {"domain": tenant.url, "api": f"{tenant.url}/api/v2/", "other": other, **settings}
        page.context.add_init_script(f"window.settings = {json.dumps(every)}")
        visit = Visit(page, page_url, tenant)
        page.goto(f"{page_url}{path}")
        return visit

    return visit


def test_quickstart(visit: Callable[..., Visit]) -> None:
    """Log in, and the profile shows name and metadata; log out, and the tenant asks for the
    password again. The call on the allowed list carries the token, the other one does not."""
    alice = visit(TOKENS_IN_MEMORY)
    alice.log_in()
    alice.page.wait_for_url(f"{alice.url}/profile")
    alice.shows_alice()
    by_test_id(alice.page, "call-other").click()
    expect(by_test_id(alice.page, "other-answer")).to_have_text("ok")
    (user,), (other,) = alice.user_requests(), alice.sent("/.well-known/openid-configuration")
    assert user.headers["authorization"].startswith("Bearer ey")
    assert "authorization" not in other.headers
    by_test_id(alice.page, "logout").click()
    expect(by_test_id(alice.page, "login")).to_be_visible()
    expect(alice.page).to_have_url(f"{alice.url}/")
    by_test_id(alice.page, "login").click()
    expect(alice.page.locator("[name=password]")).to_be_visible()


def test_guard_and_reload_with_memory_cache(visit: Callable[..., Visit]) -> None:
    """The guarded page sends a visitor to the login, and is open afterwards. After a reload, a
    hidden frame logs in silently by `web_message`."""
    alice = visit(TOKENS_IN_MEMORY, "/profile")
    alice.answer_pages()
    alice.page.wait_for_url(f"{alice.url}/profile")
    alice.shows_alice()
    alice.requests.clear()
    alice.page.reload()
    alice.shows_alice()
    (silent,) = alice.sent("/authorize")
    assert {"prompt=none", "response_mode=web_message"} <= set(
        urlsplit(silent.url).query.split("&")
    )
    assert silent.frame != alice.page.main_frame
    assert alice.grants() == ["authorization_code"]


def test_reload_with_refresh_tokens(visit: Callable[..., Visit]) -> None:
    """With tokens in localStorage, a reload asks the tenant for the metadata only."""
    alice = visit(TOKENS_IN_STORAGE, "/profile")
    alice.answer_pages()
    alice.shows_alice()
    alice.requests.clear()
    alice.page.reload()
    alice.shows_alice()
    assert alice.sent("/authorize") == []
    assert alice.grants() == []
    assert len(alice.user_requests()) == 1


def test_short_token_lifetime(visit: Callable[..., Visit], tenant: Tenant) -> None:
    """Access tokens that are about to expire are refreshed, and the user stays logged in: each
    request of the profile has another token."""
    alice = visit(TOKENS_IN_STORAGE)
    tenant.set_token_lifetime(f"{tenant.url}/api/v2/", 30)  # less than the SDK's minute of leeway
    alice.log_in()
    alice.page.wait_for_url(f"{alice.url}/profile")
    for _ in range(2):
        alice.shows_alice()
        alice.page.reload()
    alice.shows_alice()
    tokens = [each.headers["authorization"] for each in alice.user_requests()]
    assert len(set(tokens)) == len(tokens) >= 3
    assert set(alice.grants()[1:]) == {"refresh_token"}


def test_declined_consent(visit: Callable[..., Visit]) -> None:
    """Without consent there is no login: the page shows the error, and the next login works."""
    alice = visit(TOKENS_IN_MEMORY)
    alice.log_in(answer="tenant-decline")
    expect(by_test_id(alice.page, "auth-error")).to_have_text("User did not authorize the request")
    expect(by_test_id(alice.page, "login")).to_be_visible()
    by_test_id(alice.page, "login").click()
    by_test_id(alice.page, "tenant-accept").click()
    alice.page.wait_for_url(f"{alice.url}/profile")
    alice.shows_alice()


def test_ended_session(visit: Callable[..., Visit], tenant: Tenant) -> None:
    """A refresh token that the tenant has revoked ends in an error on the page, and no metadata."""
    alice = visit(TOKENS_IN_STORAGE)
    tenant.set_token_lifetime(f"{tenant.url}/api/v2/", 30)
    alice.log_in()
    alice.page.wait_for_url(f"{alice.url}/profile")
    alice.shows_alice()
    tenant.revoke_refresh_tokens()
    tenant.forget_consents()
    alice.page.reload()
    expect(by_test_id(alice.page, "auth-error")).to_have_text(re.compile("."))
    expect(by_test_id(alice.page, "user-metadata")).to_have_count(0)
