"""The Management API, called by an application: users, sessions, tickets, limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.local_tenant.asgi import create_tenant
from app.local_tenant.settings import TenantSettings

from .administrator import Administrator, admin_of, administrator_token
from .visitor import ALICE, Visitor

MINE = "http://127.0.0.1:4401/api/"
CONNECTION = "Username-Password-Authentication"
DORA = {
    "connection": CONNECTION,
    "email": "Dora@example.com",
    "password": "correct-horse",
    "name": "Dora",
    "app_metadata": {"plan": "gold"},
}


async def test_life_of_a_user(visitor: Visitor, admin: Administrator) -> None:
    """A user is created, found by id and e-mail address, changed and deleted."""
    created = await admin.call("POST", "/users", body=DORA)
    assert created.status_code == 201
    user = created.json()
    assert (user["email"], user["email_verified"]) == ("dora@example.com", False)
    assert "password" not in created.text
    user_id = user["user_id"]
    assert await admin.get("/users/{}", user_id) == user
    assert await admin.get("/users-by-email", email="dora@example.com") == [user]
    changes = {"name": "Dora D.", "app_metadata": {"plan": None, "seats": 2}, "given_name": None}
    visitor.clock.now += 1
    changed = (await admin.call("PATCH", "/users/{}", user_id, body=changes)).json()
    assert (changed["name"], changed["app_metadata"]) == ("Dora D.", {"seats": 2})
    assert (await admin.call("DELETE", "/users/{}", user_id)).status_code == 204
    gone = await admin.call("GET", "/users/{}", user_id)
    assert (gone.status_code, gone.json()["errorCode"]) == (404, "inexistent_user")
    assert (await admin.call("DELETE", "/users/{}", user_id)).status_code == 204


@pytest.mark.parametrize(
    ("changes", "status", "part"),
    [
        ({"email": "alice@example.com"}, 409, "The user already exists."),
        ({"email": "no address"}, 400, "format email: no address' on property email"),
        ({"password": None}, 400, "Expected type string but found type null"),
        ({"password": "short"}, 400, "PasswordStrengthError"),
        ({"connection": "google-oauth2"}, 400, "The connection does not exist."),
        ({"name": 1}, 400, "Expected type string but found type integer' on property name"),
        ({"scopes": []}, 400, "Additional properties not allowed: scopes"),
        ({"user_metadata": []}, 400, "Expected type object"),
    ],
)
async def test_bad_user(
    admin: Administrator, changes: dict[str, Any], status: int, part: str
) -> None:
    """A user who cannot be created is refused by Auth0's words, and is not there."""
    response = await admin.call("POST", "/users", body={**DORA, **changes})
    assert (response.status_code, part in response.json()["message"]) == (status, True)
    assert await admin.get("/users-by-email", email="dora@example.com") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('email:"alice@example.com"', {"alice"}),
        ("name:ali*", {"alice"}),
        ("blocked:true", {"blocked"}),
        ("user_metadata.theme:dark", {"carol"}),
        ("user_metadata.theme:dark OR name:bob*", {"carol", "bob"}),
        ("email.domain:example.com AND NOT name:*i*", {"carol", "blocked"}),
        ("-_exists_:user_metadata AND -blocked:true", {"bob", "admin"}),
        ("identities.connection:Username-Password-Authentication AND nickname:BOB", {"bob"}),
        ('"Bob Builder"', {"bob"}),
        ("nickname:nobody", set()),
    ],
)
async def test_search(admin: Administrator, query: str, expected: set[str]) -> None:
    """`q` finds users by fields, with wildcards, AND, OR and NOT."""
    found = await admin.get("/users", q=query, fields="nickname")
    assert {user["nickname"] for user in found} == expected


@pytest.mark.parametrize("query", ["(a)", "AND", "name:", "a AND", "NOT", "date:[1 TO 2]", '"a'])
async def test_bad_search(admin: Administrator, query: str) -> None:
    """A query that is not understood is refused."""
    response = await admin.call("GET", "/users", q=query)
    assert response.status_code == 400
    assert response.json()["errorCode"] == "invalid_query_string"


async def test_paging(admin: Administrator) -> None:
    """Pages are told apart by number and size, with totals on request; bad numbers are refused."""
    everyone = await admin.get("/users", sort="email:1")
    page = await admin.get("/users", sort="email:1", per_page=2, page=1, include_totals="true")
    assert page["users"] == everyone[2:4]
    del page["users"]
    assert page == {"start": 2, "limit": 2, "length": 2, "total": len(everyone)}
    checkpoint = await admin.get("/users", sort="email:1", take=3)
    rest = await admin.get("/users", sort="email:1", **{"take": 3, "from": checkpoint["next"]})
    assert (checkpoint["users"] + rest["users"], "next" in rest) == (everyone, False)
    backwards = await admin.get("/users", sort="email:-1")
    assert backwards == everyone[::-1]
    for query in ({"page": -1}, {"per_page": 101}, {"page": "x"}, {"other": 1}, {"page": 2000}):
        response = await admin.call("GET", "/users", **query)
        assert response.status_code == 400, query


async def test_scopes_of_an_application(visitor: Visitor) -> None:
    """Each endpoint has its scope; `app_metadata` and the profile have one each; those of the
    current user are for the user's own token."""
    reader = admin_of(visitor, "read:users")
    assert (await reader.call("GET", "/users/{}", ALICE)).status_code == 200
    assert (await reader.call("PATCH", "/users/{}", ALICE, body={})).status_code == 403
    for scope, allowed in (
        ("update:users", {"name", "user_metadata"}),
        ("update:users_app_metadata", {"user_metadata", "app_metadata"}),
        ("update:current_user_metadata", set()),
    ):
        writer = admin_of(visitor, scope)
        for name in ("name", "user_metadata", "app_metadata"):
            body = {name: "Alice" if name == "name" else {"a": 1}}
            response = await writer.call("PATCH", "/users/{}", ALICE, body=body)
            assert (response.status_code == 200) == (name in allowed), (scope, name)


async def test_sessions_and_grants(visitor: Visitor, admin: Administrator) -> None:
    """A user's sessions and consents are listed and ended; refresh tokens end with the session."""
    refresh_token = (await visitor.tokens())["refresh_token"]
    (session,) = await admin.get("/users/{}/sessions", ALICE)
    assert await admin.get("/sessions/{}", session["id"]) == session
    (grant,) = await admin.get("/grants", user_id=ALICE)
    assert (grant["clientID"], "read:current_user" in grant["scope"]) == ("local-app", True)
    assert (await admin.call("DELETE", "/users/{}/sessions", ALICE)).status_code == 202
    assert (await visitor.refresh(refresh_token)).status_code == 403
    await admin.call("DELETE", "/grants/{}", grant["id"])
    assert await admin.get("/grants", user_id=ALICE) == []


@pytest.mark.parametrize(
    ("kind", "form"), [("email-verification", {}), ("password-change", {"password": "another-one"})]
)
async def test_ticket(
    visitor: Visitor, admin: Administrator, kind: str, form: dict[str, str]
) -> None:
    """A ticket is a link that is good once, for its time, and leads on to the given address."""
    done = "http://localhost:3000/done"
    wanted = {"user_id": ALICE, "result_url": done, "ttl_sec": 60}

    async def ticket() -> str:
        response = await admin.call("POST", f"/tickets/{kind}", body=wanted)
        assert response.status_code == 201
        return str(response.json()["ticket"])

    link = await ticket()
    visitor.clock.now += 60
    assert (await visitor.browser.post(link, data=form)).status_code == 400
    link = await ticket()
    page = await visitor.browser.get(link)
    assert "form-action 'self' http://localhost:3000;" in page.headers["content-security-policy"]
    used = await visitor.browser.post(link, data=form)
    assert (used.status_code, used.headers["location"]) == (303, done)
    assert (await visitor.browser.post(link, data=form)).status_code == 400
    for body in ({}, {"user_id": "auth0|nobody"}, {**wanted, "result_url": "javascript:alert(1)"}):
        refused = await admin.call("POST", f"/tickets/{kind}", body=body)
        assert refused.status_code in (400, 404)


async def test_link(admin: Administrator) -> None:
    """Linking accounts is answered by a sentence: there is one connection."""
    body = {"provider": "google-oauth2", "user_id": "1"}
    response = await admin.call("POST", "/users/{}/identities", ALICE, body=body)
    assert (response.status_code, response.json()["errorCode"]) == (400, "operation_not_supported")


async def test_rate_limit(visitor: Visitor) -> None:
    """Every answer says how many requests are left in this second; one too many is a 429."""
    settings = replace(TenantSettings(), data_file=visitor.file, management_rate_limit=2)
    visitor.tenant = create_tenant(settings, clock=visitor.clock)
    token = administrator_token(visitor.signing_key(), visitor.clock())
    async with visitor.client() as client:
        limited = Administrator(client, token)
        answers = [await limited.call("GET", "/users/{}", ALICE) for _ in range(3)]
        visitor.clock.now += 1
        answers.append(await limited.call("GET", "/users/{}", ALICE))
    assert [answer.status_code for answer in answers] == [200, 200, 429, 200]
    left = [answer.headers["x-ratelimit-remaining"] for answer in answers]
    assert left == ["1", "0", "0", "1"]
    refused = answers[2]
    assert (refused.json()["errorCode"], refused.json()["error"]) == (
        *("too_many_requests", "Too Many Requests"),
    )
    assert refused.headers["x-ratelimit-reset"] == str(int(visitor.clock()))


async def test_content_type(visitor: Visitor) -> None:
    """A body of another type than JSON is refused."""
    token = administrator_token(visitor.signing_key(), visitor.clock())
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/plain"}
    path = f"/api/v2/users/{ALICE}"
    response = await visitor.application.patch(path, headers=headers, content=b'{"name": "X"}')
    assert (response.status_code, response.json()["statusCode"]) == (415, 415)
