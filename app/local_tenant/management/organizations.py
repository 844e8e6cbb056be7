"""`/api/v2/organizations`, with their members and invitations."""

from __future__ import annotations

import sqlite3
from typing import Any
from urllib.parse import urlencode

from .. import organizations as orgs
from ..schema import Schema
from ..seed_format import EMAIL, ORGANIZATION, array, record, text
from ..users import all_users, find_user, timestamp
from .endpoint import PAGE, Call, Endpoint
from .errors import ApiError, no_user


def _list(call: Call) -> Any:
    with call.server.database.transaction() as database:
        return call.page("organizations", orgs.all_organizations(database))


def _get(call: Call) -> Any:
    with call.server.database.transaction() as database:
        return _found(database, call.path["id"])


def _by_name(call: Call) -> Any:
    with call.server.database.transaction() as database:
        return _found(database, call.path["name"])


def _create(call: Call) -> Any:
    organization = {"display_name": call.body["name"], **call.body}
    return _save(call, {"id": orgs.new_organization_id(), **organization})


def _update(call: Call) -> Any:
    return _save(call, {**_get(call), **call.body})


def _save(call: Call, organization: dict[str, Any]) -> Any:
    try:
        with call.server.database.transaction() as database:
            orgs.save_organization(
                database,
                organization["id"],
                organization["name"],
                organization["display_name"],
                organization.get("metadata"),
            )
            return _found(database, organization["id"])
    except sqlite3.IntegrityError:
        text_ = f"An organization with this name already exists: {organization['name']}"
        raise ApiError(409, text_, "organization_conflict") from None


def _delete(call: Call) -> None:
    with call.server.database.transaction() as database:
        orgs.delete_organization(database, call.path["id"])


def _members(call: Call) -> Any:
    with call.server.database.transaction() as database:
        ids = set(orgs.members_of(database, _found(database, call.path["id"])["id"]))
        users = [user for user in all_users(database) if user.user_id in ids]
    issuer, members = call.server.settings.issuer, ("user_id", "email", "name", "picture")
    documents = [{name: user.document(issuer)[name] for name in members} for user in users]
    return call.page("members", documents)


def _change_members(call: Call) -> None:
    with call.server.database.transaction() as database:
        organization = _found(database, call.path["id"])
        if call.method == "DELETE":
            orgs.remove_members(database, organization["id"], call.body["members"])
            return
        for user_id in call.body["members"]:
            if find_user(database, user_id=user_id) is None:
                raise no_user()
        orgs.add_members(database, organization["id"], call.body["members"])


def _invite(call: Call) -> Any:
    server, email, client_id = call.server, call.body["invitee"]["email"], call.body["client_id"]
    if client_id not in server.clients:
        raise ApiError(404, "The client does not exist", "inexistent_client")
    with server.database.transaction() as database:
        organization = _found(database, call.path["id"])
        ticket = orgs.invite(database, organization["id"], email, client_id, call.now)
    names = {"organization": organization["id"], "organization_name": organization["name"]}
    document = server.clients.document(client_id)
    target = document.get("initiate_login_uri") or next(
        iter(document["callbacks"]), server.settings.issuer
    )
    url = f"{target}?{urlencode({'invitation': ticket, **names})}"
    return {
        "id": f"uinv_{ticket[:16]}",
        "organization_id": organization["id"],
        "inviter": call.body["inviter"],
        "invitee": call.body["invitee"],
        "client_id": client_id,
        "invitation_url": url,
        "created_at": timestamp(call.now),
        "expires_at": timestamp(call.now + orgs.INVITATION_LIFETIME),
        "ticket_id": ticket,
    }


def _of_user(call: Call) -> Any:
    with call.server.database.transaction() as database:
        if find_user(database, user_id=call.path["id"]) is None:
            raise no_user()
        return call.page("organizations", orgs.organizations_of(database, call.path["id"]))


def _found(database: sqlite3.Connection, reference: str) -> dict[str, Any]:
    organization = orgs.find_organization(database, reference)
    if organization is None:
        text_ = "No organization found by that id or name"
        raise ApiError(404, text_, "inexistent_organization")
    return organization


_PATH = "/organizations/{id}"
_MEMBERS: Schema = record({"members": {**array(text(255)), "minItems": 1}}, "members")
_INVITATION: Schema = record(
    {
        "inviter": record({"name": text(300)}, "name"),
        "invitee": record({"email": EMAIL}, "email"),
        "client_id": text(64),
        "send_invitation_email": {"type": "boolean"},
    },
    *("inviter", "invitee", "client_id"),
)
_READ, _MEMBER = ("read:organizations",), "organization_members"

ENDPOINTS = (
    Endpoint(
        *("GET", "/organizations", _READ, "List organizations", _list),
        result="Organization",
        is_list=True,
        query=PAGE,
    ),
    Endpoint(
        *("POST", "/organizations", ("create:organizations",), "Create an organization", _create),
        result="Organization",
        status=201,
        body=record(ORGANIZATION, "name"),
    ),
    Endpoint(
        *("GET", "/organizations/name/{name}", _READ, "Get an organization by name", _by_name),
        result="Organization",
    ),
    Endpoint("GET", _PATH, _READ, "Get an organization", _get, result="Organization"),
    Endpoint(
        *("PATCH", _PATH, ("update:organizations",), "Update an organization", _update),
        result="Organization",
        body=record(ORGANIZATION),
    ),
    Endpoint(
        *("DELETE", _PATH, ("delete:organizations",), "Delete an organization", _delete),
        status=204,
    ),
    Endpoint(
        *("GET", f"{_PATH}/members", (f"read:{_MEMBER}",), "List members", _members),
        result="RoleUser",
        is_list=True,
        query=PAGE,
    ),
    Endpoint(
        *("POST", f"{_PATH}/members", (f"create:{_MEMBER}",), "Add members", _change_members),
        status=204,
        body=_MEMBERS,
    ),
    Endpoint(
        *("DELETE", f"{_PATH}/members", (f"delete:{_MEMBER}",), "Remove members", _change_members),
        status=204,
        body=_MEMBERS,
    ),
    Endpoint(
        *("POST", f"{_PATH}/invitations", ("create:organization_invitations",)),
        *("Invite a user", _invite),
        result="Invitation",
        body=_INVITATION,
    ),
    Endpoint(
        *("GET", "/users/{id}/organizations", _READ, "List the organizations of a user", _of_user),
        result="Organization",
        is_list=True,
        query=PAGE,
    ),
)
