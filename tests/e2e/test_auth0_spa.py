"""The unmodified auth0-spa-js in a real browser, at a tenant that runs on `localhost`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import expect

from ..interop.auth0_clients import why_no_node
from .conftest import NewPerson
from .spa_page import App, answer_pages, decoded, running_page
from .stack import Tenant, tenant_process
from .walk import ALICE, BOB, PASSWORD, by_test_id, enter_password

pytestmark = pytest.mark.skipif(bool(why_no_node()), reason=why_no_node())

ACME = "org_65a4f1c2d3e4b5a6", "acme"
OTHER_AUDIENCE = "http://127.0.0.1:4401/api/"
MEMORY: dict[str, Any] = {}
STORAGE = {"useRefreshTokens": True, "cacheLocation": "localstorage"}


@pytest.fixture(scope="module")
def app_url() -> Iterator[str]:
    """The page with the SDK."""
    with running_page() as url:
        yield url


@pytest.fixture(scope="module")
def dpop_tenant(tmp_path_factory: pytest.TempPathFactory, app_url: str) -> Iterator[Tenant]:
    """A running tenant that requires DPoP proofs, and nonces in them."""
    directory = tmp_path_factory.mktemp("dpop_tenant")
    arguments = ("--dpop", "--dpop-nonces")
    tenant = tenant_process(directory, app_url=app_url, host="localhost", arguments=arguments)
    tenant.server.start()
    yield tenant
    tenant.server.stop()


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory, app_url: str) -> Iterator[Tenant]:
    """A running tenant whose issuer is on `localhost`. A used refresh token is accepted again for a
    time: of two tabs at once, one may read the other's last token from localStorage too early."""
    directory = tmp_path_factory.mktemp("tenant")
    tenant = tenant_process(directory, app_url=app_url, host="localhost", rotation_overlap=10)
    tenant.server.start()
    yield tenant
    tenant.server.stop()


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


def test_dpop(new_person: NewPerson, dpop_tenant: Tenant, app_url: str) -> None:
    """`useDpop` brings tokens that are bound to the browser's key, at login and at refresh, with
    the nonces that the tenant demands. An API takes them with a proof, and not as Bearer tokens."""
    api = f"{dpop_tenant.url}/api/v2/"
    app = App(new_person(), app_url, dpop_tenant.url, {**STORAGE, "useDpop": True})
    proofs: list[dict[str, Any]] = []
    app.page.on("request", lambda each: _collect(each.headers.get("dpop"), proofs))
    scope = "openid profile email read:current_user offline_access"
    wanted = {"audience": api, "scope": scope}
    app.open(**wanted)
    app.log_in()
    app.open(**wanted)
    first, second = app.token(cache="on"), app.token()
    assert first["token_type"] == second["token_type"] == "DPoP"
    assert first["access_token"] != second["access_token"]
    bindings = [decoded(each["access_token"])["cnf"]["jkt"] for each in (first, second)]
    assert bindings[0] == bindings[1]
    url = f"{api}users/{quote(decoded(first['id_token'])['sub'])}"
    call = (
        "client.createFetcher({dpopNonceId: 'management', getAccessToken: () =>"
        " client.getTokenSilently({detailedResponse: true})})"
        f".fetchWithAuth({url!r}).then((response) => response.json())"
    )
    assert [app.call(call)["email"] for _ in range(2)] == [ALICE, ALICE]
    to_api = [each for each in proofs if each["htu"] == url]
    assert [("nonce" in each, "ath" in each) for each in to_api] == [
        (False, True),
        (True, True),
        (True, True),
    ]
    assert "nonce" not in proofs[0]
    assert "nonce" in proofs[1]
    assert proofs[0]["htu"] == proofs[1]["htu"] == f"{dpop_tenant.url}/oauth/token"
    bearer = {"Authorization": f"Bearer {second['access_token']}"}
    assert httpx.get(url, headers=bearer, trust_env=False).status_code == 401


def _collect(proof: str | None, proofs: list[dict[str, Any]]) -> None:
    if proof:
        proofs.append(decoded(proof))


def test_organization(open_app: Callable[..., App]) -> None:
    """A login to an organization says so in the ID token, also after a reload. An
    organization that does not exist is refused."""
    alice = open_app(MEMORY)
    alice.log_in(organization="acme")
    assert _organization(alice) == ACME
    alice.open()
    alice.call("client.checkSession()")
    assert _organization(alice) == ACME
    alice.leave(organization="nowhere")
    assert alice.refused()["text"] == "the organization nowhere does not exist"


def test_invitation(open_app: Callable[..., App], tenant: Tenant) -> None:
    """Who is no member of the organization, and is not invited, is refused. An invitation makes its
    user a member, who can log in to the organization from then on."""
    bob = open_app(MEMORY)
    bob.leave(organization="acme")
    enter_password(bob.page, BOB, PASSWORD)
    refusal = bob.refused()
    assert refusal["error"] == "access_denied"
    assert refusal["text"].endswith(f"is not part of the {ACME[0]} organization")
    bob.leave(**_invite(tenant, "carol@example.com"))
    text = "the specified account is not allowed to accept the current invitation"
    assert bob.refused() == {"error": "access_denied", "text": text}
    assert bob.email is None
    bob.leave(**_invite(tenant, BOB))
    by_test_id(bob.page, "tenant-accept").click()
    bob.begin()
    assert _organization(bob) == ACME
    bob.open()
    bob.leave(organization="acme")
    bob.page.wait_for_url(re.compile("code="))
    bob.begin()
    assert _organization(bob) == ACME


def _organization(app: App) -> tuple[str, str]:
    claims = app.call("client.getIdTokenClaims()")
    return claims["org_id"], claims["org_name"]


def _invite(tenant: Tenant, email: str) -> dict[str, str]:
    """Invite a user to Acme, as an administrator; the parameters for the login."""
    api = f"{tenant.url}/api/v2/"
    with httpx.Client(trust_env=False) as http:
        form = {"grant_type": "client_credentials", "audience": api}
        credentials = ("local-app", "local-secret")
        token = http.post(f"{tenant.url}/oauth/token", data=form, auth=credentials).json()
        answer = http.post(
            f"{api}organizations/{ACME[0]}/invitations",
            headers={"Authorization": f"Bearer {token['access_token']}"},
            json={
                "inviter": {"name": "Admin"},
                "invitee": {"email": email},
                "client_id": "local-spa",
            },
        )
    query = httpx.URL(answer.json()["invitation_url"]).params
    return {name: query[name] for name in ("invitation", "organization")}
