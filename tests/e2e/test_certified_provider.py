"""The whole app in a real browser, at a certified provider that others wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from ..interop import oidc_provider
from ..interop.oidc_provider import OidcProvider, Switches
from ..interop.provider_process import ClientURLs
from ..servers import BIN, Server, answers, clean_environ, copy_project, free_port
from .conftest import NewPerson
from .stack import SECRET
from .walk import by_test_id

pytestmark = pytest.mark.skipif(
    not oidc_provider.is_available(), reason=oidc_provider.why_not() or ""
)


@dataclass
class Certified:
    """The app and the provider, running; `url` is the app's."""

    url: str
    provider: OidcProvider


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certified]:
    """The app built for production. The provider wants requests to be pushed."""
    directory = tmp_path_factory.mktemp("certified")
    url = f"http://localhost:{free_port()}"
    urls = ClientURLs(f"{url}/auth/callback", url, f"{url}/auth/backchannel-logout")
    provider = OidcProvider(directory, urls, Switches(is_par_required=True))
    app = Server(
        [str(BIN / "reflex"), "run", "--env", "prod"],
        cwd=copy_project(directory / "project"),
        environ=clean_environ(
            APP_BASE_URL=url,
            APP_DATA_DIR=str(directory / "data"),
            AUTH0_DOMAIN=provider.issuer,
            AUTH0_ISSUER=provider.issuer,
            AUTH0_CLIENT_ID=provider.client_id,
            AUTH0_CLIENT_SECRET=provider.client_secret,
            AUTH0_AUDIENCE="none",
            AUTH0_SCOPE="openid profile email offline_access",
            AUTH0_SECRET=SECRET,
        ),
        log=directory / "app.log",
        ready=lambda: answers(f"{url}/auth/health") and answers(url),
        patience=240.0,
    )
    try:
        provider.start()
        app.start()
        yield Certified(url, provider)
    finally:
        app.stop()
        provider.stop()


def sign_in(page: Page, url: str, *, name: str) -> None:
    """From the app's link to the provider's page, with any password."""
    page.goto(url)
    by_test_id(page, "login").click()
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", "any")
    page.get_by_role("button", name="Sign-in").click()


def log_in(page: Page, url: str, *, name: str) -> None:
    """And through its consent page back to the app."""
    sign_in(page, url, name=name)
    page.get_by_role("button", name="Continue").click()
    expect(by_test_id(page, "user-name")).to_contain_text(f"User {name}")


def test_login_and_logout(person: Page, certified: Certified) -> None:
    """The app shows the name that UserInfo gives. A logout ends the session there, too: the next
    login asks for the password."""
    log_in(person, certified.url, name="ada")
    by_test_id(person, "logout").click()
    person.get_by_role("button", name="Yes, sign me out").click()
    person.wait_for_url(f"{certified.url}/")
    expect(by_test_id(person, "login")).to_be_visible()
    by_test_id(person, "login").click()
    expect(person.locator("input[name=password]")).to_be_visible()


def test_consent_refused(person: Page, certified: Certified) -> None:
    """Who says no comes back to a page that says so, and is not logged in."""
    sign_in(person, certified.url, name="ben")
    person.get_by_role("link", name="Cancel").click()
    expect(by_test_id(person, "auth-error")).to_have_text("The login was declined")
    expect(by_test_id(person, "user-name")).to_have_count(0)


def test_ended_at_the_provider(new_person: NewPerson, certified: Certified) -> None:
    """Who logs out at the provider is nobody in each open tab of the app, without a reload; the
    provider told the app. Somebody else stays logged in."""
    ada, ben = new_person(), new_person()
    log_in(ada, certified.url, name="ada")
    log_in(ben, certified.url, name="ben")
    second_tab, elsewhere = ada.context.new_page(), ada.context.new_page()
    second_tab.goto(certified.url)
    expect(by_test_id(second_tab, "user-name")).to_contain_text("User ada")
    elsewhere.goto(f"{certified.provider.issuer}/session/end")
    elsewhere.get_by_role("button", name="Yes, sign me out").click()
    for page in (ada, second_tab):
        expect(by_test_id(page, "user-name")).to_have_count(0)
        expect(by_test_id(page, "login").first).to_be_visible()
    expect(by_test_id(ben, "user-name")).to_contain_text("User ben")
