"""Users as the Management API and the ID token show them."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .strict_json import stored_object


@dataclass(frozen=True, slots=True)
class User:
    """A user; `user_metadata` and `app_metadata` are None until they are set. The list `roles` in
    `app_metadata` is the claim `roles`."""

    user_id: str
    email: str
    profile: dict[str, str]
    user_metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    app_metadata: dict[str, Any] | None = None

    def claims(self, scope: str, issuer: str) -> dict[str, Any]:
        """The claims of OpenID Connect Core section 5.4 for the granted scope."""
        granted = scope.split()
        claims: dict[str, Any] = {"sub": self.user_id}
        if "profile" in granted:
            claims |= {**self.profile, "picture": self.picture(issuer)}
            claims["updated_at"] = self.updated_at
        if "email" in granted:
            claims |= {"email": self.email, "email_verified": True}
        roles = (self.app_metadata or {}).get("roles")
        return claims if roles is None else {**claims, "roles": roles}

    def document(self, issuer: str) -> dict[str, Any]:
        """The user as `GET /api/v2/users/{id}` returns it; metadata only if there is some."""
        document: dict[str, Any] = {
            "created_at": self.created_at,
            "email": self.email,
            "email_verified": True,
            "identities": [
                {
                    "user_id": self.user_id.partition("|")[2],
                    "connection": "Username-Password-Authentication",
                    "provider": "auth0",
                    "isSocial": False,
                }
            ],
            "picture": self.picture(issuer),
            "updated_at": self.updated_at,
            "user_id": self.user_id,
            **self.profile,
        }
        if self.user_metadata is not None:
            document["user_metadata"] = self.user_metadata
        if self.app_metadata is not None:
            document["app_metadata"] = self.app_metadata
        return document

    def picture(self, issuer: str) -> str:
        """A picture that this tenant serves itself."""
        return f"{issuer}avatars/{self.profile['nickname']}.svg"


def find_user(database: sqlite3.Connection, *, user_id: str = "", email: str = "") -> User | None:
    """The user with this id or e-mail address."""
    row = database.execute(
        "SELECT * FROM users WHERE user_id = ? OR email = ?", (user_id, email.strip().lower())
    ).fetchone()
    return _user(row) if row else None


def all_users(database: sqlite3.Connection) -> list[User]:
    """Every user, by e-mail address."""
    return [_user(row) for row in database.execute("SELECT * FROM users ORDER BY email")]


def save_metadata(
    database: sqlite3.Connection, user_id: str, metadata: dict[str, Any] | None, now: float
) -> None:
    """Replace a user's `user_metadata`; None removes it."""
    _save(database, user_id, "user_metadata", metadata, now)


def save_app_metadata(
    database: sqlite3.Connection, user_id: str, metadata: dict[str, Any] | None, now: float
) -> None:
    """Replace a user's `app_metadata`; None removes it."""
    _save(database, user_id, "app_metadata", metadata, now)


def _save(
    database: sqlite3.Connection,
    user_id: str,
    column: str,
    metadata: dict[str, Any] | None,
    now: float,
) -> None:
    text = None if metadata is None else json.dumps(metadata)
    updated_at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    database.execute(
        f"UPDATE users SET {column} = ?, updated_at = ? WHERE user_id = ?",  # noqa: S608
        (text, updated_at.replace("+00:00", "Z"), user_id),
    )


def _user(row: sqlite3.Row) -> User:
    return User(
        row["user_id"],
        row["email"],
        stored_object(row["profile"]) or {},
        stored_object(row["user_metadata"]),
        row["created_at"],
        row["updated_at"],
        stored_object(row["app_metadata"]),
    )
