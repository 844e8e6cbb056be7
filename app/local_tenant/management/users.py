"""`/api/v2/users` and `/api/v2/users-by-email`."""

from __future__ import annotations

import sqlite3
from typing import Any

from .. import browser_sessions as browsers
from ..accounts.creation import delete, send_verification
from ..connected_accounts import accounts_of
from ..passwords import hash_password, weakness
from ..schema import Schema
from ..seed_format import BOOLEAN, EMAIL, PROFILE, USER, record, text
from ..users import (
    CONNECTION,
    User,
    add_user,
    all_users,
    find_user,
    json_column,
    new_user_id,
    timestamp,
    update_user,
)
from . import search
from .endpoint import FIELDS, PAGE, Call, Endpoint
from .errors import ApiError, invalid_body, no_user

READ = ("read:users", "read:user_idp_tokens", "read:current_user")
UPDATE = ("update:users", "update:users_app_metadata", "update:current_user_metadata")
_COLUMNS = ("email_verified", "blocked")
_CONNECTION: dict[str, Schema] = {"connection": text(100)}


def _list(call: Call) -> Any:
    with call.server.database.transaction() as database:
        users = all_users(database)
    documents = [user.document(call.server.settings.issuer) for user in users]
    if call.query.get("q"):
        matches = search.parse(call.query["q"])
        documents = [document for document in documents if matches(document)]
    if "sort" in call.query:
        name, _, order = call.query["sort"].partition(":")
        documents.sort(key=lambda each: str(each.get(name, "")), reverse=order == "-1")
    return call.page("users", documents)


def _by_email(call: Call) -> Any:
    with call.server.database.transaction() as database:
        user = find_user(database, email=call.query.get("email", ""))
    return [call.selected(user.document(call.server.settings.issuer))] if user else []


def _get(call: Call) -> Any:
    return call.selected(_found(call).document(call.server.settings.issuer))


def _create(call: Call) -> Any:
    body = call.body
    _check_connection(body)
    if "password" not in body:
        raise invalid_body("'Missing required property: password'")
    _check_password(body["password"])
    given = body.get("user_id")
    user_id = f"auth0|{given}" if given else new_user_id()
    try:
        with call.server.database.transaction() as database:
            add_user(
                database,
                user_id=user_id,
                email=body["email"],
                now=call.now,
                profile={name: body[name] for name in PROFILE if name in body},
                password=hash_password(body["password"]),
                user_metadata=json_column(body.get("user_metadata")),
                app_metadata=json_column(body.get("app_metadata")),
                email_verified=body.get("email_verified", False),
                blocked=body.get("blocked", False),
            )
    except sqlite3.IntegrityError:
        raise ApiError(409, "The user already exists.", "auth0_idp_error") from None
    user = _read(call, user_id)
    if body.get("verify_email", True) and not user.email_verified:
        send_verification(call.server, user)
    return user.document(call.server.settings.issuer)


def _update(call: Call) -> Any:
    _check_changes(call)
    body = call.body
    _check_connection({"connection": CONNECTION, **body})
    columns: dict[str, Any] = {name: body[name] for name in _COLUMNS if name in body}
    if "password" in body:
        _check_password(body["password"])
        columns["password"] = hash_password(body["password"])
        columns["last_password_reset"] = timestamp(call.now)
    if "email" in body:
        columns["email"] = body["email"].strip().lower()
    try:
        with call.server.database.transaction() as database:
            user = find_user(database, user_id=call.path["id"])
            if user is None:
                raise no_user()
            for name in ("user_metadata", "app_metadata"):
                if name in body:
                    columns[name] = json_column(merged(getattr(user, name), body[name]))
            changed = {name: body[name] for name in PROFILE if name in body}
            if changed:
                columns["profile"] = json_column(merged(user.profile, changed))
            update_user(database, user.user_id, call.now, **columns)
    except sqlite3.IntegrityError:
        text = "The specified new email already exists"
        raise ApiError(400, text, "auth0_idp_error") from None
    if "password" in columns:
        browsers.end_sessions_of(call.server.database, user.user_id)
    if columns.get("blocked"):
        browsers.tell_clients_of(call.server.database, user.user_id)
    return call.selected(_read(call, call.path["id"]).document(call.server.settings.issuer))


def _delete(call: Call) -> None:
    delete(call.server, call.path["id"])


def _accounts(call: Call) -> Any:
    user = _found(call)
    with call.server.database.transaction() as database:
        accounts = [_account(row, user) for row in accounts_of(database, user.user_id)]
    page = call.page("connected_accounts", accounts)
    return {"connected_accounts": page} if isinstance(page, list) else page


def _account(row: sqlite3.Row, user: User) -> dict[str, Any]:
    return {
        "id": row["id"],
        "connection": row["connection"],
        "connection_id": f"con_{row['connection']}",
        "strategy": row["connection"],
        "access_type": "offline",
        "scopes": row["scope"].split(),
        "created_at": user.created_at,
    }


def _link(call: Call) -> None:
    _found(call)
    text = "The local tenant has one connection, so it cannot link accounts."
    raise ApiError(400, text, "operation_not_supported")


def merged(metadata: dict[str, Any] | None, changes: dict[str, Any]) -> dict[str, Any]:
    """Auth0's merge: first level only, `null` deletes a key, and an empty object empties it all."""
    if not changes:
        return {}
    result = {**(metadata or {}), **changes}
    return {name: value for name, value in result.items() if value is not None}


def _check_changes(call: Call) -> None:
    """A user's own token changes `user_metadata` only; `app_metadata` needs a scope of its own."""
    names = set(call.body)
    if call.granted == {"update:current_user_metadata"}:
        unknown = sorted(names - {"user_metadata"})
        if unknown:
            raise invalid_body(f"'Additional properties not allowed: {', '.join(unknown)}'")
        if "user_metadata" not in names:
            raise invalid_body("'Expected type object' on property user_metadata")
    for needed, wanted in (
        ("update:users_app_metadata", names & {"app_metadata"}),
        ("update:users", names - {"app_metadata", "user_metadata"}),
    ):
        if wanted and needed not in call.granted:
            text = f"Insufficient scope, expected any of: {needed}"
            raise ApiError(403, text, "insufficient_scope")


def _check_connection(body: dict[str, Any]) -> None:
    if body["connection"] != CONNECTION:
        raise ApiError(400, "The connection does not exist.", "inexistent_connection")


def _check_password(password: str) -> None:
    reason = weakness(password)
    if reason:
        raise ApiError(400, f"PasswordStrengthError: {reason}", "invalid_password")


def _found(call: Call) -> User:
    return _read(call, call.path["id"])


def _read(call: Call, user_id: str) -> User:
    with call.server.database.transaction() as database:
        user = find_user(database, user_id=user_id)
    if user is None:
        raise no_user()
    return user


_SORT: Schema = {"type": "string", "pattern": r"[A-Za-z_]+:(1|-1)", "maxLength": 100}
_SEARCH: dict[str, Schema] = {
    "q": {"type": "string", "maxLength": 1000},
    "search_engine": {"type": "string", "enum": ["v3"]},
    "sort": _SORT,
    "primary_order": BOOLEAN,
}
_PASSWORD: Schema = {"type": "string", "minLength": 1, "maxLength": 1000}
_NEW: Schema = record(
    {
        **USER,
        **_CONNECTION,
        "password": _PASSWORD,
        "user_id": text(100, pattern=r"[A-Za-z0-9_.-]+"),
        "verify_email": BOOLEAN,
    },
    "connection",
    "email",
)
_NULLABLE = {name: {**schema, "type": ["string", "null"]} for name, schema in PROFILE.items()}
_CHANGES: Schema = record(
    {**USER, **_NULLABLE, **_CONNECTION, "password": _PASSWORD, "verify_email": BOOLEAN}
)
_LINK: Schema = record(
    {
        "provider": text(100),
        "connection_id": text(100),
        "user_id": text(255),
        "link_with": text(4000),
    }
)

ENDPOINTS = (
    Endpoint(
        *("GET", "/users", ("read:users",), "List or search users", _list),
        result="User",
        is_list=True,
        query={**PAGE, **FIELDS, **_SEARCH},
    ),
    Endpoint(
        *("POST", "/users", ("create:users",), "Create a user", _create),
        result="User",
        status=201,
        body=_NEW,
    ),
    Endpoint(
        *("GET", "/users-by-email", ("read:users",), "Find users by e-mail address", _by_email),
        result="User",
        is_list=True,
        query={**FIELDS, "email": EMAIL},
    ),
    Endpoint(
        *("GET", "/users/{id}", READ, "Get a user", _get),
        result="User",
        query=FIELDS,
    ),
    Endpoint(
        *("PATCH", "/users/{id}", UPDATE, "Update a user", _update),
        result="User",
        query=FIELDS,
        body=_CHANGES,
    ),
    Endpoint("DELETE", "/users/{id}", ("delete:users",), "Delete a user", _delete, status=204),
    Endpoint(
        *("GET", "/users/{id}/connected-accounts", ("read:users",)),
        *("List a user's accounts at other providers", _accounts),
        result="ConnectedAccounts",
        query={name: PAGE[name] for name in ("from", "take")},
    ),
    Endpoint(
        *("POST", "/users/{id}/identities", ("update:users",), "Link a user account", _link),
        status=201,
        body=_LINK,
    ),
)
