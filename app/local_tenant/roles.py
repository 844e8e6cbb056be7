"""Roles and permissions, of users and of roles."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from typing import Any

Permission = tuple[str, str]
"""The identifier of an API, and one of its scopes."""


def new_role_id() -> str:
    """An id as Auth0 gives them."""
    return f"rol_{secrets.token_hex(8)}"


def all_roles(database: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every role as the Management API shows it, by name."""
    return [_document(row) for row in database.execute("SELECT * FROM roles ORDER BY name")]


def find_role(
    database: sqlite3.Connection, *, role_id: str = "", name: str = ""
) -> dict[str, Any] | None:
    """The role with this id or name."""
    row = database.execute(
        "SELECT * FROM roles WHERE role_id = ? OR name = ?", (role_id, name)
    ).fetchone()
    return _document(row) if row else None


def save_role(database: sqlite3.Connection, role_id: str, name: str, description: str) -> None:
    """Add or change a role.

    Raises:
        sqlite3.IntegrityError: another role has the name.
    """
    database.execute(
        "INSERT INTO roles VALUES (?, ?, ?) ON CONFLICT (role_id) DO UPDATE "
        "SET name = excluded.name, description = excluded.description",
        (role_id, name, description),
    )


def delete_role(database: sqlite3.Connection, role_id: str) -> None:
    """Delete a role, and take it from its users."""
    for table in ("roles", "role_permissions", "user_roles"):
        database.execute(f"DELETE FROM {table} WHERE role_id = ?", (role_id,))  # noqa: S608


def roles_of(database: sqlite3.Connection, user_id: str) -> list[dict[str, Any]]:
    """The roles of a user, by name."""
    rows = database.execute(
        "SELECT roles.* FROM roles JOIN user_roles USING (role_id) WHERE user_id = ? ORDER BY name",
        (user_id,),
    )
    return [_document(row) for row in rows]


def users_with(database: sqlite3.Connection, role_id: str) -> list[str]:
    """The ids of the users who have a role."""
    rows = database.execute(
        "SELECT user_id FROM user_roles WHERE role_id = ? ORDER BY user_id", (role_id,)
    )
    return [row["user_id"] for row in rows]


def assign_roles(database: sqlite3.Connection, user_id: str, role_ids: Iterable[str]) -> None:
    """Give a user roles."""
    rows = [(user_id, role_id) for role_id in role_ids]
    database.executemany("INSERT OR IGNORE INTO user_roles VALUES (?, ?)", rows)


def remove_roles(database: sqlite3.Connection, user_id: str, role_ids: Iterable[str]) -> None:
    """Take roles from a user."""
    rows = [(user_id, role_id) for role_id in role_ids]
    database.executemany("DELETE FROM user_roles WHERE user_id = ? AND role_id = ?", rows)


def role_permissions(database: sqlite3.Connection, role_id: str) -> list[Permission]:
    """The permissions of a role."""
    rows = database.execute(
        "SELECT audience, scope FROM role_permissions WHERE role_id = ? ORDER BY audience, scope",
        (role_id,),
    )
    return [tuple(row) for row in rows]


def user_permissions(database: sqlite3.Connection, user_id: str) -> list[Permission]:
    """The permissions that a user has directly, not by a role."""
    rows = database.execute(
        "SELECT audience, scope FROM user_permissions WHERE user_id = ? ORDER BY audience, scope",
        (user_id,),
    )
    return [tuple(row) for row in rows]


def effective_permissions(database: sqlite3.Connection, user_id: str, audience: str) -> list[str]:
    """The scopes of an API that a user has, directly or by a role."""
    rows = database.execute(
        "SELECT scope FROM user_permissions WHERE user_id = ?1 AND audience = ?2 "
        "UNION SELECT scope FROM role_permissions JOIN user_roles USING (role_id) "
        "WHERE user_id = ?1 AND audience = ?2 ORDER BY scope",
        (user_id, audience),
    )
    return [row["scope"] for row in rows]


def add_permissions(
    database: sqlite3.Connection, owner: str, permissions: Iterable[Permission], *, of_role: bool
) -> None:
    """Add permissions to a role or to a user, which `owner` is the id of."""
    table = "role_permissions" if of_role else "user_permissions"
    rows = [(owner, *permission) for permission in permissions]
    database.executemany(f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?)", rows)  # noqa: S608


def remove_permissions(
    database: sqlite3.Connection, owner: str, permissions: Iterable[Permission], *, of_role: bool
) -> None:
    """Remove permissions from a role or from a user."""
    table, column = ("role_permissions", "role_id") if of_role else ("user_permissions", "user_id")
    database.executemany(
        f"DELETE FROM {table} WHERE {column} = ? AND audience = ? AND scope = ?",  # noqa: S608
        [(owner, *permission) for permission in permissions],
    )


def _document(row: sqlite3.Row) -> dict[str, Any]:
    return {"id": row["role_id"], "name": row["name"], "description": row["description"]}
