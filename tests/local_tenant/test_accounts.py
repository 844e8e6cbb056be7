"""Accounts: sign-up, passwords, verified addresses, enrolment, blocked users, organizations."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.local_tenant import totp
from app.local_tenant.passwords import hash_password, is_password

from ..flow.world import through_the_pages
from .visitor import ALICE, Visitor, answer

CONNECTION = "Username-Password-Authentication"
ACME = "org_65a4f1c2d3e4b5a6"
NEW = {
    "client_id": "local-spa",
    "connection": CONNECTION,
    "email": "dora@example.com",
    "password": "correct-horse",
}


async def mails(visitor: Visitor) -> list[str]:
    """The links in the mailbox, the newest first."""
    page = (await visitor.browser.get("/dashboard/mailbox")).text
    return re.findall(r'href="(/u/[^"]+ticket=[^"]+)"', page)


async def open_login(visitor: Visitor, **changes: str | None) -> str:
    """The address of the page on which a login begins."""
    response = await visitor.authorize(audience=None, **changes)
    return str(response.headers["location"])


@pytest.mark.parametrize("kind", ["json", "data"])
async def test_sign_up_by_an_application(visitor: Visitor, kind: str) -> None:
    """An application signs a user up by JSON or a form; the user can log in, and is unverified
    until the link in the mailbox has been used."""
    body: dict[str, Any] = {kind: {**NEW, "given_name": "Dora"}}
    response = await visitor.application.post("/dbconnections/signup", **body)
    assert response.status_code == 200
    account = response.json()
    assert (account["email"], account["email_verified"], account["given_name"]) == (
        *("dora@example.com", False, "Dora"),
    )
    assert "password" not in account
    login = visitor.authorize_url(audience=None)
    pages = {"email": NEW["email"], "password": NEW["password"]}
    url = await through_the_pages(visitor.browser, login, **pages)
    assert not (await visitor.claims_at(url))["email_verified"]
    (link,) = await mails(visitor)
    assert (await visitor.browser.get(link)).status_code == 200
    assert (await visitor.browser.post(link)).status_code == 200
    assert (await visitor.browser.post(link)).status_code == 400
    url = await through_the_pages(visitor.browser, login)
    assert (await visitor.claims_at(url))["email_verified"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"email": "alice@example.com"}, "invalid_signup"),
        ({"email": "no address"}, "invalid_request"),
        ({"password": "short"}, "invalid_password"),
        ({"password": None}, "invalid_request"),
        ({"connection": "google"}, "invalid_connection"),
        ({"client_id": "nobody"}, "invalid_client"),
        ({"user_metadata": []}, "invalid_request"),
    ],
)
async def test_refused_sign_up(visitor: Visitor, changes: dict[str, Any], code: str) -> None:
    """A sign-up that cannot be is refused in JSON, with Auth0's code."""
    response = await visitor.application.post("/dbconnections/signup", json={**NEW, **changes})
    assert (response.status_code, response.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"{", "application/json"), (b"[]", "application/json"), (b"{}", "text/plain"), (b"", "")],
)
async def test_bad_sign_up_body(visitor: Visitor, content: bytes, kind: str) -> None:
    """A body that is not JSON or a form is refused in JSON."""
    headers = {"Content-Type": kind}
    for path in ("signup", "change_password"):
        url = f"/dbconnections/{path}"
        response = await visitor.application.post(url, content=content, headers=headers)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


async def test_sign_up_page(visitor: Visitor) -> None:
    """`screen_hint=signup` begins at the sign-up page, which logs the new user in to the same
    request. What is wrong is said there, and the address stays."""
    page = await open_login(visitor, screen_hint="signup")
    assert page.startswith("/u/signup?")
    weak = await visitor.browser.post(page, data={"email": NEW["email"], "password": "short"})
    assert (weak.status_code, NEW["email"] in weak.text) == (400, True)
    form = {"email": NEW["email"], "password": NEW["password"]}
    entered = await visitor.browser.post(page, data=form)
    url = await through_the_pages(visitor.browser, entered.headers["location"])
    claims = await visitor.claims_at(url)
    assert (claims["email"], claims["nonce"]) == (NEW["email"], "nonce-value")
    again = await visitor.browser.post(page, data=form)
    assert again.status_code == 400


async def test_new_password(visitor: Visitor) -> None:
    """A forgotten password is replaced by a link in the mailbox, which is good once; sessions and
    refresh tokens end with it. Whether an account exists is not told."""
    refresh_token = (await visitor.tokens())["refresh_token"]
    path = "/dbconnections/change_password"
    asked = [
        await visitor.application.post(path, json={"connection": CONNECTION, "email": email})
        for email in ("alice@example.com", "nobody@example.com")
    ]
    assert asked[0].status_code == asked[1].status_code == 200
    assert asked[0].text == asked[1].text
    (link,) = await mails(visitor)
    assert (await visitor.browser.post(link, data={"password": "short"})).status_code == 400
    changed = await visitor.browser.post(link, data={"password": "another-password"})
    assert changed.status_code == 200
    assert (await visitor.browser.post(link, data={"password": "again-another"})).status_code == 400
    assert (await visitor.refresh(refresh_token)).status_code == 403
    page = await open_login(visitor)
    for password, status in (("password", 400), ("another-password", 303)):
        form = {"username": "alice@example.com", "password": password}
        assert (await visitor.browser.post(page, data=form)).status_code == status


async def test_forgotten_password_page(visitor: Visitor) -> None:
    """The page answers alike for any address; a newer link replaces an older one; both expire."""
    page = (await open_login(visitor)).replace("/u/login", "/u/forgot-password")
    texts = [
        (await visitor.browser.post(page, data={"email": email})).text
        for email in ("nobody@example.com", "alice@example.com", "alice@example.com")
    ]
    assert texts[0] == texts[1]
    newer, older = await mails(visitor)
    assert (await visitor.browser.get(older)).status_code == 400
    assert (await visitor.browser.get(newer)).status_code == 200
    visitor.clock.now += 86_401
    assert (await visitor.browser.get(newer)).status_code == 400


@pytest.mark.parametrize("path", ["signup", "forgot-password", "mfa-enrollment"])
async def test_page_without_a_login(visitor: Visitor, path: str) -> None:
    """The pages of an open login cannot be used without it, nor by another browser."""
    state = urlsplit(await open_login(visitor)).query
    async with visitor.client() as thief:
        for url in (f"/u/{path}", f"/u/{path}?{state}"):
            assert (await thief.get(url)).status_code == 400
            assert (await thief.post(url, data={"email": "a@b.c"})).status_code == 400


async def test_foreign_form(visitor: Visitor) -> None:
    """The forms are taken from the tenant's own pages only, not from another port of the host."""
    page = await open_login(visitor, screen_hint="signup")
    form = {"email": NEW["email"], "password": NEW["password"]}
    for headers in ({"Sec-Fetch-Site": "same-site"}, {"Origin": "http://127.0.0.1:3000"}):
        assert (await visitor.browser.post(page, data=form, headers=headers)).status_code == 403


async def require_second_step(visitor: Visitor) -> None:
    """Require one of Alice, as in the dashboard."""
    await visitor.dashboard(f"/users/{ALICE}", action="require-mfa")


async def test_enrolment(visitor: Visitor) -> None:
    """A user of whom a second step is required enrols at the next login, with the secret as text
    and as a URI, and is asked for a code at each one after. A code is good once."""
    await require_second_step(visitor)
    page = await open_login(visitor)
    form = {"username": "alice@example.com", "password": "password"}
    enrolment = (await visitor.browser.post(page, data=form)).headers["location"]
    assert enrolment.startswith("/u/mfa-enrollment?")
    text = (await visitor.browser.get(enrolment)).text
    secret = re.findall(r"totp-secret\">([A-Z2-7 ]+)<", text)[0].replace(" ", "")
    assert f"secret={secret}" in text
    assert (await visitor.browser.get(enrolment)).text == text
    assert (await visitor.browser.post(enrolment, data={"code": "000000"})).status_code == 400
    code = totp.code_at(secret, int(visitor.clock() // 30))
    entered = await visitor.browser.post(enrolment, data={"code": code})
    claims = await visitor.claims_at(
        await through_the_pages(visitor.browser, entered.headers["location"])
    )
    assert claims["amr"] == ["pwd", "otp", "mfa"]
    async with visitor.client() as browser:
        begun = await browser.get(visitor.authorize_url(audience=None))
        asked = await browser.post(begun.headers["location"], data=form)
        step = asked.headers["location"]
        assert step.startswith("/u/second-step?")
        assert (await browser.post(step, data={"code": code})).status_code == 400
        visitor.clock.now += 60
        later = totp.code_at(secret, int(visitor.clock() // 30))
        assert (await browser.post(step, data={"code": later})).status_code == 303
        # Who has a second step cannot enrol another one over it.
        other = step.replace("second-step", "mfa-enrollment")
        assert "totp-secret" not in (await browser.get(other)).text


async def test_second_step_cannot_be_left_out(visitor: Visitor) -> None:
    """A user of whom a second step is required gets no code before it: neither silently nor by the
    consent page."""
    await require_second_step(visitor)
    page = await open_login(visitor)
    form = {"username": "alice@example.com", "password": "password"}
    enrolment = (await visitor.browser.post(page, data=form)).headers["location"]
    silent = answer(await visitor.authorize(prompt="none", audience=None))
    assert silent["error"] == "login_required"
    consent = enrolment.replace("mfa-enrollment", "consent")
    skipped = await visitor.browser.post(consent, data={"action": "accept"})
    assert "code=" not in skipped.headers.get("location", "")


def test_totp_vectors() -> None:
    """The codes are those of RFC 6238 appendix B (the last six of its eight digits)."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    vectors = {59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"}
    assert {at: totp.code_at(secret, at // 30) for at in vectors} == vectors


def test_passwords_are_hashed() -> None:
    """The hash of a password is salted, and no other password fits."""
    first, second = hash_password("correct-horse"), hash_password("correct-horse")
    assert first != second
    assert "correct" not in first
    assert is_password("correct-horse", first)
    assert not is_password("correct-hors", first)
    assert not is_password("\ud83d", first)
