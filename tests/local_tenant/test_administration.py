"""The Management API, called by an application: users, roles, applications, APIs, organizations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.local_tenant.asgi import create_tenant
from app.local_tenant.settings import TenantSettings

from .administrator import Administrator, administrator_token
from .visitor import ALICE, API, BOB, Visitor

MINE = "http://127.0.0.1:4401/api/"
CONNECTION = "Username-Password-Authentication"
DORA = {
    "connection": CONNECTION,
    "email": "Dora@example.com",
    "password": "correct-horse",
    "name": "Dora",
    "app_metadata": {"plan": "gold"},
}


@pytest.fixture
def admin(visitor: Visitor) -> Administrator:
    """An application with every scope."""
    return with_scopes(visitor)


def with_scopes(visitor: Visitor, *scopes: str) -> Administrator:
    """An application with these scopes; without any, with all."""
    key, now = visitor.signing_key(), visitor.clock()
    token = administrator_token(key, now, scopes) if scopes else administrator_token(key, now)
    return Administrator(visitor.application, token)


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
    reader = with_scopes(visitor, "read:users")
    assert (await reader.call("GET", "/users/{}", ALICE)).status_code == 200
    assert (await reader.call("PATCH", "/users/{}", ALICE, body={})).status_code == 403
    for scope, allowed in (
        ("update:users", {"name", "user_metadata"}),
        ("update:users_app_metadata", {"user_metadata", "app_metadata"}),
        ("update:current_user_metadata", set()),
    ):
        writer = with_scopes(visitor, scope)
        for name in ("name", "user_metadata", "app_metadata"):
            body = {name: "Alice" if name == "name" else {"a": 1}}
            response = await writer.call("PATCH", "/users/{}", ALICE, body=body)
            assert (response.status_code == 200) == (name in allowed), (scope, name)


async def test_roles(visitor: Visitor, admin: Administrator) -> None:
    """A role with permissions is given to a user, is a claim of the next login, and is taken away.
    An API with access control issues the scopes of the user's permissions only."""
    role = (await admin.call("POST", "/roles", body={"name": "reader"})).json()
    permission = {"resource_server_identifier": MINE, "permission_name": "read:messages"}
    wanted = {"permissions": [permission]}
    api = {"enforce_policies": True, "token_dialect": "rfc9068_profile_authz"}
    assert (await admin.call("PATCH", "/resource-servers/{}", MINE, body=api)).status_code == 200

    async def access() -> Any:
        tokens = await visitor.tokens(audience=MINE, scope="openid read:messages")
        return (await visitor.decoded(tokens["access_token"])).claims

    before = await access()
    assert (before["scope"], before["permissions"]) == ("openid", [])
    added = await admin.call("POST", "/roles/{}/permissions", role["id"], body=wanted)
    given = await admin.call("POST", "/users/{}/roles", ALICE, body={"roles": [role["id"]]})
    assert (added.status_code, given.status_code) == (201, 204)
    after = await access()
    assert (after["scope"], after["permissions"]) == ("openid read:messages", ["read:messages"])
    (held,) = await admin.get("/roles/{}/permissions", role["id"])
    assert permission.items() <= held.items()
    assert await admin.get("/users/{}/roles", ALICE) == [role]
    (user,) = await admin.get("/roles/{}/users", role["id"])
    assert user["user_id"] == ALICE
    tokens = await visitor.tokens(audience=None)
    claims = (await visitor.decoded(tokens["id_token"])).claims
    assert claims["https://example.com/roles"] == ["reader"]
    await admin.call("DELETE", "/users/{}/roles", ALICE, body={"roles": [role["id"]]})
    assert (await access())["permissions"] == []
    await admin.call("DELETE", "/roles/{}", role["id"])
    assert (await admin.call("GET", "/roles/{}", role["id"])).status_code == 404


async def test_permissions_of_a_user(admin: Administrator) -> None:
    """A user has permissions of their own; one that the API does not have is refused."""
    wanted = {"resource_server_identifier": MINE, "permission_name": "read:messages"}
    path = "/users/{}/permissions"
    unknown = {"permissions": [{**wanted, "permission_name": "no:such"}]}
    assert (await admin.call("POST", path, BOB, body=unknown)).status_code == 400
    assert (await admin.call("POST", path, BOB, body={"permissions": [wanted]})).status_code == 201
    assert wanted.items() <= (await admin.get(path, BOB))[0].items()
    await admin.call("DELETE", path, BOB, body={"permissions": [wanted]})
    assert await admin.get(path, BOB) == []


async def test_application(visitor: Visitor, admin: Administrator) -> None:
    """An application is created, can log a user in at once, gets a new secret, and is deleted. The
    callbacks of the app's own URL stay registered."""
    callback = "http://localhost:3000/auth/callback"
    new = {"name": "Shop", "callbacks": [callback], "app_type": "regular_web"}
    client = (await admin.call("POST", "/clients", body=new)).json()
    credentials = client["client_id"], client["client_secret"]
    tokens = await visitor.tokens(auth=credentials, client_id=client["client_id"], audience=None)
    assert "id_token" in tokens
    rotated = await admin.call("POST", "/clients/{}/rotate-secret", client["client_id"])
    assert rotated.json()["client_secret"] != client["client_secret"]
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await visitor.token(auth=credentials, **form)).status_code == 401
    assert (await admin.call("DELETE", "/clients/{}", client["client_id"])).status_code == 204
    assert (await visitor.authorize(client_id=client["client_id"])).status_code == 400
    more = {"callbacks": ["http://localhost:9000/cb"], "name": "Mine"}
    changed = (await admin.call("PATCH", "/clients/{}", "local-app", body=more)).json()
    assert (changed["name"], set(changed["callbacks"])) == (
        "Mine",
        {callback, "http://localhost:9000/cb"},
    )
    refused = await admin.call("DELETE", "/clients/{}", "local-app")
    assert (refused.status_code, "client_secret" in changed) == (400, True)


async def test_api(visitor: Visitor, admin: Administrator) -> None:
    """An API is created with scopes and a lifetime, tokens are issued for it, and it is deleted."""
    orders = "https://orders.example/"
    scopes = [{"value": "read:orders", "description": "See your orders"}]
    new = {"identifier": orders, "name": "Orders", "scopes": scopes, "token_lifetime": 60}
    assert (await admin.call("POST", "/resource-servers", body=new)).status_code == 201
    assert (await admin.call("POST", "/resource-servers", body=new)).status_code == 409
    tokens = await visitor.tokens(audience=orders, scope="openid read:orders read:messages")
    assert (tokens["scope"], tokens["expires_in"]) == ("openid read:orders", 60)
    assert (await admin.call("DELETE", "/resource-servers/{}", orders)).status_code == 204
    assert (await admin.call("GET", "/resource-servers/{}", orders)).status_code == 404
    assert (await admin.call("DELETE", "/resource-servers/{}", API)).status_code == 400


async def test_organization(admin: Administrator) -> None:
    """An organization is created, gets members and an invitation, and is deleted."""
    new = {"name": "Orders-Inc", "display_name": "Orders"}
    organization = (await admin.call("POST", "/organizations", body=new)).json()
    org_id = organization["id"]
    assert organization["name"] == "orders-inc"
    assert await admin.get("/organizations/name/{}", "orders-inc") == organization
    members = {"members": [ALICE, BOB]}
    assert (await admin.call("POST", "/organizations/{}/members", org_id, body=members)).is_success
    await admin.call("DELETE", "/organizations/{}/members", org_id, body={"members": [BOB]})
    (member,) = await admin.get("/organizations/{}/members", org_id)
    assert member["user_id"] == ALICE
    assert organization in await admin.get("/users/{}/organizations", ALICE)
    invitation = {
        "inviter": {"name": "Alice"},
        "invitee": {"email": "bob@example.com"},
        "client_id": "local-app",
    }
    invited = await admin.call("POST", "/organizations/{}/invitations", org_id, body=invitation)
    assert f"invitation={invited.json()['ticket_id']}" in invited.json()["invitation_url"]
    await admin.call("DELETE", "/organizations/{}", org_id)
    assert (await admin.call("GET", "/organizations/{}", org_id)).status_code == 404


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
