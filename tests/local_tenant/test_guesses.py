"""The limit on guesses of passwords and client secrets."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from app.local_tenant.guesses import PER_ACCOUNT, PER_ADDRESS, SIGN_UPS, WITHIN, Guesses

from ..flow.world import Clock
from .visitor import Visitor


async def log_in(
    visitor: Visitor, password: str, email: str = "alice@example.com"
) -> httpx.Response:
    """The answer to the login form."""
    page = str((await visitor.authorize()).headers["location"])
    form = {"username": email, "password": password}
    return await visitor.browser.post(page, data=form)


async def test_passwords(visitor: Visitor) -> None:
    """After ten wrong passwords of an account the right one is refused, too, in every browser and
    however the address is spelled, for five minutes. Other accounts are not concerned."""
    for _ in range(PER_ACCOUNT):
        assert (await log_in(visitor, "wrong")).status_code == 400
    visitor.browser = visitor.client()
    blocked = await log_in(visitor, "password")
    assert blocked.status_code == 429
    assert "Too many wrong passwords." in blocked.text
    assert (await log_in(visitor, "password", " Alice@Example.com")).status_code == 429
    assert (await log_in(visitor, "password", "bob@example.com")).status_code == 303
    visitor.clock.now += WITHIN
    assert (await log_in(visitor, "password")).status_code == 303


async def test_right_password(visitor: Visitor) -> None:
    """A login clears the count of its account."""
    for _ in range(3):
        for _ in range(PER_ACCOUNT - 1):
            assert (await log_in(visitor, "wrong")).status_code == 400
        assert (await log_in(visitor, "password")).status_code == 303
        visitor.browser = visitor.client()


@pytest.mark.parametrize("way", ["basic", "post", "assertion", "revoke", "par"])
async def test_secrets(visitor: Visitor, way: str) -> None:
    """After ten wrong secrets of a client the right one is refused, too, wherever and in whichever
    way they were sent."""
    wrong = {"client_id": "local-app", "client_secret": "wrong"}
    if way == "assertion":
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        wrong = {
            "client_id": "local-app",
            "client_assertion_type": kind,
            "client_assertion": "eyJhbGciOiJIUzI1NiJ9.e30.AAAA",
        }
    path = {"revoke": "/oauth/revoke", "par": "/oauth/par"}.get(way, "/oauth/token")
    form = {"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}
    for _ in range(PER_ACCOUNT):
        if way == "basic":
            basic = ("local-app", "wrong")
            response = await visitor.application.post(path, data=form, auth=basic)
        else:
            response = await visitor.application.post(path, data={**form, **wrong})
        assert (response.status_code, response.json()["error"]) == (401, "access_denied")
    blocked = await visitor.refresh("x")
    assert (blocked.status_code, blocked.json()["error"]) == (429, "too_many_attempts")
    visitor.clock.now += WITHIN
    assert (await visitor.refresh("x")).json()["error"] == "invalid_grant"


def test_one_address() -> None:
    """An address that tries many accounts is stopped, too; another address is not."""
    guesses = Guesses(Clock())
    for number in range(PER_ADDRESS):
        assert not guesses.is_blocked("password", "alice", "here")
        guesses.wrong("password", f"user{number}", "here")
    assert guesses.is_blocked("password", "alice", "here")
    assert not guesses.is_blocked("password", "alice", "there")
    assert not guesses.is_blocked("secret", "local-app", "here")


def test_memory() -> None:
    """The number of counters is bounded, and the last ones count."""
    guesses = Guesses(Clock())
    for number in range(30_000):
        guesses.wrong("password", f"user{number}", f"address{number}")
    assert len(guesses._counts) <= 10_000
    for _ in range(PER_ACCOUNT):
        guesses.wrong("password", "alice", "here")
    assert guesses.is_blocked("password", "alice", "elsewhere")


async def test_a_secret_of_an_unknown_client(tmp_path: Path) -> None:
    """Unknown clients take no memory of their own."""
    visitor = Visitor(tmp_path)
    for number in range(20):
        response = await visitor.token(auth=(f"nobody{number}", "x"), grant_type="refresh_token")
        assert response.json()["error_description"] == f"Unknown client: nobody{number}"
    assert (await visitor.refresh("x")).status_code == 403


async def test_sign_ups(visitor: Visitor) -> None:
    """After fifty sign-ups from an address, by an application or at the page, the next ones are
    refused for five minutes, with Auth0's body. The dashboard is not concerned."""
    new = {
        "client_id": "local-spa",
        "connection": "Username-Password-Authentication",
        "password": "correct-horse",
    }
    page = str((await visitor.authorize(screen_hint="signup")).headers["location"])
    assert page.startswith("/u/signup")
    for _ in range(SIGN_UPS - 1):
        body = {**new, "email": "alice@example.com"}
        refused = await visitor.application.post("/dbconnections/signup", json=body)
        assert refused.status_code == 400
    form = {"email": "dora@example.com", "password": "weak"}
    assert (await visitor.browser.post(page, data=form)).status_code == 400
    body = {**new, "email": "dora@example.com"}
    flood = await visitor.application.post("/dbconnections/signup", json=body)
    assert (flood.status_code, flood.json()["error"]) == (429, "too_many_requests")
    assert int(flood.headers["retry-after"]) == WITHIN
    form["password"] = "correct-horse"
    at_page = await visitor.browser.post(page, data=form)
    assert (at_page.status_code, "Too many sign-ups" in at_page.text) == (429, True)
    assert (await visitor.dashboard("/users", **form)).status_code == 303
    visitor.clock.now += WITHIN
    body["email"] = "erik@example.com"
    again = await visitor.application.post("/dbconnections/signup", json=body)
    assert again.status_code == 200
