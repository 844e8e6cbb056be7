"""`/api/v2/roles`, and the roles and permissions of users."""

from __future__ import annotations

import sqlite3
from typing import Any

from .. import roles
from ..schema import Schema
from ..seed_format import AUDIENCE, ROLE, SCOPE, array, record, text
from ..users import all_users, find_user
from .endpoint import PAGE, Call, Endpoint
from .errors import ApiError, no_user


def _list(call: Call) -> Any:
    with call.server.database.transaction() as database:
        found = roles.all_roles(database)
    wanted = call.query.get("name_filter", "").lower()
    return call.page("roles", [role for role in found if wanted in role["name"].lower()])


def _get(call: Call) -> Any:
    with call.server.database.transaction() as database:
        return _role(database, call)


def _create(call: Call) -> Any:
    role_id = roles.new_role_id()
    return _save(call, {"id": role_id, "description": "", **call.body})


def _update(call: Call) -> Any:
    return _save(call, {**_get(call), **call.body})


def _save(call: Call, role: dict[str, Any]) -> dict[str, Any]:
    try:
        with call.server.database.transaction() as database:
            roles.save_role(database, role["id"], role["name"], role["description"])
    except sqlite3.IntegrityError:
        text_ = f"There is already a role with this name: {role['name']}"
        raise ApiError(409, text_, "role_conflict") from None
    return role


def _delete(call: Call) -> None:
    with call.server.database.transaction() as database:
        roles.delete_role(database, call.path["id"])


def _users(call: Call) -> Any:
    with call.server.database.transaction() as database:
        ids = set(roles.users_with(database, _role(database, call)["id"]))
        users = [user for user in all_users(database) if user.user_id in ids]
    issuer = call.server.settings.issuer
    members = ("user_id", "email", "name", "picture")
    documents = [{name: user.document(issuer)[name] for name in members} for user in users]
    return call.page("users", documents)


def _add_users(call: Call) -> None:
    with call.server.database.transaction() as database:
        role = _role(database, call)
        for user_id in call.body["users"]:
            _check_user(database, user_id)
            roles.assign_roles(database, user_id, [role["id"]])


def _of_user(call: Call) -> Any:
    with call.server.database.transaction() as database:
        _check_user(database, call.path["id"])
        return call.page("roles", roles.roles_of(database, call.path["id"]))


def _change_roles(call: Call) -> None:
    change = roles.assign_roles if call.method == "POST" else roles.remove_roles
    with call.server.database.transaction() as database:
        _check_user(database, call.path["id"])
        for role_id in call.body["roles"]:
            if roles.find_role(database, role_id=role_id) is None:
                raise ApiError(404, "The role does not exist.", "inexistent_role")
        change(database, call.path["id"], call.body["roles"])


def _permissions_of_role(call: Call) -> Any:
    with call.server.database.transaction() as database:
        held = roles.role_permissions(database, _role(database, call)["id"])
    return call.page("permissions", [_permission(call, *each) for each in held])


def _permissions_of_user(call: Call) -> Any:
    with call.server.database.transaction() as database:
        _check_user(database, call.path["id"])
        held = roles.user_permissions(database, call.path["id"])
    return call.page("permissions", [_permission(call, *each) for each in held])


def _change_permissions(call: Call) -> None:
    change = roles.add_permissions if call.method == "POST" else roles.remove_permissions
    of_role = call.endpoint_path.startswith("/roles/")
    wanted = [
        (each["resource_server_identifier"], each["permission_name"])
        for each in call.body["permissions"]
    ]
    if call.method == "POST":
        for audience, scope in wanted:
            if scope not in call.server.apis.scopes(audience):
                text_ = f"The permission {scope} of {audience} does not exist."
                raise ApiError(400, text_, "inexistent_permission")
    with call.server.database.transaction() as database:
        if of_role:
            _role(database, call)
        else:
            _check_user(database, call.path["id"])
        change(database, call.path["id"], wanted, of_role=of_role)


def _role(database: sqlite3.Connection, call: Call) -> dict[str, Any]:
    role = roles.find_role(database, role_id=call.path["id"])
    if role is None:
        raise ApiError(404, "The role does not exist.", "inexistent_role")
    return role


def _check_user(database: sqlite3.Connection, user_id: str) -> None:
    if find_user(database, user_id=user_id) is None:
        raise no_user()


def _permission(call: Call, audience: str, scope: str) -> dict[str, Any]:
    api = call.server.apis.find(audience) or {"name": audience}
    return {
        "permission_name": scope,
        "description": call.server.apis.describe(audience, scope),
        "resource_server_identifier": audience,
        "resource_server_name": api["name"],
    }


_ROLES = record({"roles": {**array(text(100)), "minItems": 1}}, "roles")
_PERMISSIONS: Schema = record(
    {
        "permissions": {
            **array(
                record(
                    {"resource_server_identifier": AUDIENCE, "permission_name": SCOPE},
                    *("resource_server_identifier", "permission_name"),
                )
            ),
            "minItems": 1,
        }
    },
    "permissions",
)
_USERS = record({"users": {**array(text(255)), "minItems": 1}}, "users")


def _of(method: str, path: str, scope: str, summary: str, handle: Any, **further: Any) -> Endpoint:
    return Endpoint(method, path, (scope,), summary, handle, **further)


def _listing(path: str, scope: str, summary: str, handle: Any, result: str) -> Endpoint:
    return _of("GET", path, scope, summary, handle, result=result, is_list=True, query=PAGE)


ENDPOINTS = (
    Endpoint(
        *("GET", "/roles", ("read:roles",), "List roles", _list),
        result="Role",
        is_list=True,
        query={**PAGE, "name_filter": {"type": "string", "maxLength": 100}},
    ),
    _of(
        *("POST", "/roles", "create:roles", "Create a role", _create),
        result="Role",
        body=record(ROLE, "name"),
    ),
    _of("GET", "/roles/{id}", "read:roles", "Get a role", _get, result="Role"),
    _of(
        *("PATCH", "/roles/{id}", "update:roles", "Update a role", _update),
        result="Role",
        body=record(ROLE),
    ),
    _of("DELETE", "/roles/{id}", "delete:roles", "Delete a role", _delete, status=204),
    _listing("/roles/{id}/users", "read:roles", "List the users with a role", _users, "RoleUser"),
    _of(
        *("POST", "/roles/{id}/users", "update:roles", "Give users a role", _add_users),
        status=204,
        body=_USERS,
    ),
    _listing("/users/{id}/roles", "read:roles", "List the roles of a user", _of_user, "Role"),
    _of(
        *("POST", "/users/{id}/roles", "update:users", "Give a user roles", _change_roles),
        status=204,
        body=_ROLES,
    ),
    _of(
        *("DELETE", "/users/{id}/roles", "update:users", "Take roles from a user", _change_roles),
        status=204,
        body=_ROLES,
    ),
    *(
        endpoint
        for owner, scope, listed in (
            ("roles", "update:roles", _permissions_of_role),
            ("users", "update:users", _permissions_of_user),
        )
        for path in (f"/{owner}/{{id}}/permissions",)
        for endpoint in (
            _listing(path, f"read:{owner}", "List permissions", listed, "Permission"),
            _of(
                *("POST", path, scope, "Add permissions", _change_permissions),
                status=201,
                body=_PERMISSIONS,
            ),
            _of(
                *("DELETE", path, scope, "Remove permissions", _change_permissions),
                status=204,
                body=_PERMISSIONS,
            ),
        )
    ),
)
