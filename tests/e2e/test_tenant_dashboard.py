"""The tenant's own pages in a browser: the dashboard and the pages of accounts."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Error, Page, expect

from app.local_tenant import totp

from ..interop import axe
from .conftest import NewPerson
from .stack import Tenant, tenant_process

APP = "http://localhost:3000"
ALICE = "/dashboard/users/auth0%7C65a4f1c2d3e4b5a697887901"
PAGES = (
    *("/dashboard", ALICE, "/dashboard/roles", "/dashboard/roles/rol_65a4f1c2d3e4b5a6"),
    *("/dashboard/applications", "/dashboard/applications/local-app", "/dashboard/apis"),
    *("/dashboard/apis/http%3A%2F%2F127.0.0.1%3A4401%2Fapi%2F", "/dashboard/organizations"),
    *("/dashboard/organizations/org_65a4f1c2d3e4b5a6", "/dashboard/logs", "/dashboard/mailbox"),
    *("/dashboard/faults", "/activate", "/activate?result=connected"),
)


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """A tenant for this file."""
    tenant = tenant_process(tmp_path_factory.mktemp("tenant"), app_url=APP)
    tenant.server.start()
    yield tenant
    tenant.server.stop()


def login_url(tenant: Tenant, **parameters: str) -> str:
    """An authorization request of the client without a secret."""
    query = {
        "client_id": "local-spa",
        "response_type": "code",
        "redirect_uri": f"{APP}/",
        "scope": "openid profile email",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        "state": "s",
        **parameters,
    }
    return f"{tenant.url}/authorize?{urlencode(query)}"


def answer_after(page: Page, test_id: str) -> dict[str, list[str]]:
    """The parameters with which this button leads to the app. No app runs there."""
    with page.expect_request(f"{APP}/**") as request:
        page.get_by_test_id(test_id).click()
    return parse_qs(urlsplit(request.value.url).query)


@pytest.mark.skipif(bool(axe.why_not()), reason=axe.why_not())
@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1280), ("dark", 390)], ids=["light desk", "dark phone"]
)
def test_accessible(tenant: Tenant, new_person: NewPerson, scheme: str, width: int) -> None:
    """axe-core finds nothing on any page, light at a desk and dark on a phone; no page is wider
    than the window."""
    viewport = {"width": width, "height": 800}
    page = new_person(color_scheme=scheme, viewport=viewport, bypass_csp=True)
    found = {}
    urls = [*(f"{tenant.url}{path}" for path in PAGES), login_url(tenant)]
    for url in (*urls, login_url(tenant, screen_hint="signup")):
        page.goto(url)
        width_of = page.evaluate("document.documentElement.scrollWidth")
        found[url] = [*axe.violations(page), *(["too wide"] if width_of > width else [])]
    page.goto(login_url(tenant))
    page.get_by_role("link", name="Forgot your password?").click()
    found[page.url] = axe.violations(page)
    assert {url: texts for url, texts in found.items() if texts} == {}


def test_administration(tenant: Tenant, person: Page) -> None:
    """A role is created with a permission and given to a user; an application gets a callback; an
    organization gets a member. Each is there after a reload."""
    person.goto(f"{tenant.url}/dashboard/roles")
    person.get_by_label("Name").fill("editor")
    person.get_by_test_id("role-create").click()
    person.get_by_label("read:messages").check()
    person.get_by_test_id("role-save").click()
    expect(person.get_by_role("status")).to_have_text("Saved.")
    expect(person.get_by_label("read:messages")).to_be_checked()
    person.goto(f"{tenant.url}{ALICE}")
    person.get_by_label("editor").check()
    person.get_by_test_id("roles-save").click()
    person.goto(f"{tenant.url}/dashboard")
    expect(person.get_by_role("row", name="alice@example.com")).to_contain_text("editor")
    person.get_by_role("link", name="Applications").click()
    person.get_by_role("link", name="Call an API (browser)").click()
    callbacks = person.get_by_label("Callback URLs")
    callbacks.fill(f"{callbacks.input_value()}\nhttp://localhost:9000/cb")
    person.get_by_test_id("application-save").click()
    expect(person.get_by_role("status")).to_have_text("Saved.")
    assert "http://localhost:9000/cb" in person.get_by_label("Callback URLs").input_value()
    person.get_by_role("link", name="Organizations").click()
    person.get_by_role("link", name="Acme Inc.").click()
    person.get_by_label("User").select_option("bob@example.com")
    person.get_by_test_id("member-add").click()
    expect(person.get_by_role("button", name="Remove bob@example.com")).to_be_visible()


def test_live_log(tenant: Tenant, new_person: NewPerson) -> None:
    """A login shows up in the open log by itself; without the check mark it does not."""
    log = new_person()
    log.goto(f"{tenant.url}/dashboard/logs")
    person = new_person()
    person.goto(login_url(tenant))
    person.get_by_label("Email address").fill("carol@example.com")
    person.get_by_label("Password").fill("password")
    person.get_by_test_id("tenant-login").click()
    expect(log.get_by_role("row", name="Success Login")).to_contain_text("carol@example.com")
    log.get_by_label("Live").uncheck()
    assert "code" in answer_after(person, "tenant-accept")
    expect(log.get_by_text("User gave consent")).to_have_count(0)
    log.get_by_label("Live").check()
    expect(log.get_by_text("User gave consent")).to_have_count(1)


def test_account(tenant: Tenant, new_person: NewPerson) -> None:
    """A person signs up, verifies the address by the mailbox, is asked for a second step by the
    developer, enrols, and logs in with a code of the app."""
    person, developer = new_person(), new_person()
    person.goto(login_url(tenant))
    person.get_by_role("link", name="Sign up").click()
    person.get_by_label("Email address").fill("eve@example.com")
    person.get_by_label("Password").fill("correct-horse")
    person.get_by_test_id("tenant-sign-up").click()
    assert "code" in answer_after(person, "tenant-accept")
    developer.goto(f"{tenant.url}/dashboard/mailbox")
    developer.get_by_role("link", name="Verify your e-mail address for eve@example.com").click()
    developer.get_by_test_id("tenant-verify").click()
    expect(developer.get_by_text("eve@example.com is verified.")).to_be_visible()
    developer.goto(f"{tenant.url}/dashboard")
    developer.get_by_role("link", name="eve@example.com").click()
    developer.get_by_role("button", name="Require a second step").click()
    person.goto(login_url(tenant))
    secret = (person.get_by_test_id("totp-secret").text_content() or "").replace(" ", "")
    person.get_by_label("Six-digit code").fill("000000")
    person.get_by_test_id("tenant-enrol").click()
    expect(person.get_by_role("alert")).to_have_text("Wrong code.")
    step = person.evaluate("Math.floor(Date.now() / 30000)")
    person.get_by_label("Six-digit code").fill(totp.code_at(secret, step))
    assert "code" in answer_after(person, "tenant-enrol")


def test_pages_run_no_foreign_script(tenant: Tenant, person: Page) -> None:
    """A name with markup is text everywhere, and the policy of the pages lets no inline script
    run."""
    person.goto(f"{tenant.url}/dashboard/organizations")
    person.get_by_label("Name, as in org_name").fill("markup")
    person.get_by_label("Name to show").fill("<img src=x onerror=document.title='x'>")
    person.get_by_test_id("organization-create").click()
    expect(person.get_by_role("heading", level=1)).to_have_text(
        "<img src=x onerror=document.title='x'>"
    )
    with pytest.raises(Error, match="Content Security Policy"):
        person.add_script_tag(content="document.title = 'inline'")
    assert person.title() not in ("x", "inline")


def test_device(tenant: Tenant, person: Page) -> None:
    """A user enters the code of a device, logs in, agrees, and learns that it is connected."""
    form = {"client_id": "local-spa", "scope": "openid email"}
    device = httpx.post(f"{tenant.url}/oauth/device/code", data=form).json()
    person.goto(device["verification_uri_complete"])
    expect(person.get_by_label("Code")).to_have_value(device["user_code"])
    person.get_by_test_id("tenant-activate").click()
    person.get_by_label("Email address").fill("alice@example.com")
    person.get_by_label("Password").fill("password")
    person.get_by_test_id("tenant-login").click()
    person.get_by_test_id("tenant-accept").click()
    expect(person.get_by_role("heading", name="Device connected")).to_be_visible()
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    form = {"client_id": "local-spa", "grant_type": grant, "device_code": device["device_code"]}
    assert "id_token" in httpx.post(f"{tenant.url}/oauth/token", data=form).json()
