"""The provider ends a session, and every open tab of it shows that by itself."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from contextlib import closing

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey
from playwright.sync_api import expect

from .conftest import NewPerson
from .stack import Stack
from .walk import ALICE, BOB, by_test_id, log_in, open_profile, shown_metadata

EVENT = "http://schemas.openid.net/event/backchannel-logout"


def logout_token(stack: Stack, email: str) -> str:
    """What the tenant would sign to log this person out everywhere, with the tenant's own key."""
    with closing(sqlite3.connect(stack.tenant.data)) as database, database:
        (jwk,) = database.execute("SELECT jwk FROM keys").fetchone()
        (sub,) = database.execute("SELECT user_id FROM users WHERE email = ?", (email,)).fetchone()
    key, now = RSAKey.import_key(json.loads(jwk)), int(time.time())
    claims = {
        "iss": f"{stack.tenant.url}/",
        "aud": "local-app",
        "iat": now,
        "exp": now + 120,
        "jti": secrets.token_hex(8),
        "sub": sub,
        "events": {EVENT: {}},
    }
    return jwt.encode({"alg": "RS256", "typ": "logout+jwt", "kid": key.kid}, claims, key, ["RS256"])


def test_every_tab(new_person: NewPerson, stack: Stack) -> None:
    """Two tabs of one browser and one of another machine are nobody's at once, without a reload;
    somebody else stays logged in."""
    laptop, phone, bob = new_person(), new_person(), new_person()
    for page, email in ((laptop, ALICE), (phone, ALICE), (bob, BOB)):
        log_in(page, stack, email)
        open_profile(page, stack)
        shown_metadata(page)
    second_tab = laptop.context.new_page()
    second_tab.goto(f"{stack.url}/profile")
    shown_metadata(second_tab)
    form = {"logout_token": logout_token(stack, ALICE)}
    response = httpx.post(f"{stack.url}/auth/backchannel-logout", data=form)
    assert response.status_code == 200
    for page in (laptop, second_tab, phone):
        expect(page.get_by_text("You are not logged in.")).to_be_visible()
        expect(by_test_id(page, "user-metadata")).to_have_count(0)
    shown_metadata(bob)
    bob.reload()
    shown_metadata(bob)
