"""The Management API, called by an application: roles, applications, APIs, organizations."""

from __future__ import annotations

from typing import Any

from .administrator import Administrator
from .visitor import ALICE, API, BOB, Visitor

MINE = "http://127.0.0.1:4401/api/"


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
