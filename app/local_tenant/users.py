"""Users as the Management API and the ID token show them."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from .strict_json import stored_object
from .tables import OF_A_USER

CONNECTION = "Username-Password-Authentication"
ROLES_CLAIM = "https://example.com/roles"
"""The claim with the names of a user's roles; Auth0 wants a namespace for a custom claim."""


@dataclass(frozen=True, slots=True)
class User:
    """A user; `user_metadata` and `app_metadata` are None until they are set. The list `roles` in
    `app_metadata` is the claim `roles`; `roles` are the names of the roles of the user.
    `activity` has `last_login`, `last_ip`, `logins_count` and `last_password_reset`, if known."""

    user_id: str
    email: str
    profile: dict[str, Any]
    user_metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    app_metadata: dict[str, Any] | None = None
    email_verified: bool = True
    blocked: bool = False
    mfa_required: bool = False
    totp_secret: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)  # a hash
    roles: tuple[str, ...] = ()
    activity: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name to show, which is the e-mail address if the user has none."""
        return str(self.profile.get("name") or self.email)

    def claims(self, scope: str, issuer: str) -> dict[str, Any]:
        """The claims of OpenID Connect Core section 5.4 for the granted scope."""
        granted = scope.split()
        claims: dict[str, Any] = {"sub": self.user_id}
        if "profile" in granted:
            claims |= {**self.profile, "picture": self.picture(issuer)}
            claims["updated_at"] = self.updated_at
        if "email" in granted:
            claims |= {"email": self.email, "email_verified": self.email_verified}
        if self.roles:
            claims[ROLES_CLAIM] = list(self.roles)
        roles = (self.app_metadata or {}).get("roles")
        return claims if roles is None else {**claims, "roles": roles}

    def document(self, issuer: str) -> dict[str, Any]:
        """The user as `GET /api/v2/users/{id}` returns it; metadata only if there is some."""
        document: dict[str, Any] = {
            "created_at": self.created_at,
            "email": self.email,
            "email_verified": self.email_verified,
            "identities": [
                {
                    "user_id": self.user_id.partition("|")[2],
                    "connection": CONNECTION,
                    "provider": "auth0",
                    "isSocial": False,
                }
            ],
            "picture": self.picture(issuer),
            "updated_at": self.updated_at,
            "user_id": self.user_id,
            **self.profile,
            **self.activity,
        }
        if self.user_metadata is not None:
            document["user_metadata"] = self.user_metadata
        if self.app_metadata is not None:
            document["app_metadata"] = self.app_metadata
        if self.blocked:
            document["blocked"] = True
        if self.totp_secret:
            document["multifactor"] = ["google-authenticator"]
        return document

    def picture(self, issuer: str) -> str:
        """The user's own picture, or one that this tenant serves itself."""
        own = self.profile.get("picture")
        nickname = str(self.profile.get("nickname") or self.email)
        return str(own) if own else f"{issuer}avatars/{quote(nickname, safe='')}.svg"


def find_user(database: sqlite3.Connection, *, user_id: str = "", email: str = "") -> User | None:
    """The user with this id or e-mail address."""
    row = database.execute(
        "SELECT * FROM users WHERE user_id = ? OR email = ?", (user_id, email.strip().lower())
    ).fetchone()
    return _user(database, row) if row else None


def all_users(database: sqlite3.Connection) -> list[User]:
    """Every user, by e-mail address."""
    return [_user(database, row) for row in database.execute("SELECT * FROM users ORDER BY email")]


def new_user_id() -> str:
    """An id as Auth0's database connection gives them."""
    return f"auth0|{secrets.token_hex(12)}"


def add_user(
    database: sqlite3.Connection,
    *,
    user_id: str,
    email: str,
    now: float,
    profile: Mapping[str, Any],
    **columns: Any,
) -> None:
    """Add a user; `columns` are further ones of the table.

    Raises:
        sqlite3.IntegrityError: the id or the e-mail address is taken.
    """
    nickname = email.partition("@")[0]
    complete = {"name": email, "nickname": nickname, **profile}
    values = {
        "user_id": user_id,
        "email": email.strip().lower(),
        "profile": json.dumps(complete),
        "created_at": timestamp(now),
        "updated_at": timestamp(now),
        **columns,
    }
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    # The names are those of this program's tables, not from a request.
    database.execute(f"INSERT INTO users ({names}) VALUES ({marks})", tuple(values.values()))  # noqa: S608


def update_user(database: sqlite3.Connection, user_id: str, now: float, **columns: Any) -> None:
    """Change columns of a user, and `updated_at`."""
    values = {**columns, "updated_at": timestamp(now)}
    sets = ", ".join(f"{name} = ?" for name in values)
    # The names are those of this program's tables, not from a request.
    database.execute(
        f"UPDATE users SET {sets} WHERE user_id = ?",  # noqa: S608
        (*values.values(), user_id),
    )


def record_login(database: sqlite3.Connection, user_id: str, ip: str | None, now: float) -> None:
    """Count a login. It changes no `updated_at`, which claims of the profile go by."""
    database.execute(
        "UPDATE users SET logins_count = logins_count + 1, last_login = ?, last_ip = ? "
        "WHERE user_id = ?",
        (timestamp(now), ip, user_id),
    )


def delete_user(database: sqlite3.Connection, user_id: str) -> None:
    """Delete a user, with sessions, consents, codes, refresh tokens and roles."""
    for table in OF_A_USER:
        database.execute(f"DELETE FROM {table} WHERE user_id = ?", (user_id,))  # noqa: S608


def save_metadata(
    database: sqlite3.Connection, user_id: str, metadata: dict[str, Any] | None, now: float
) -> None:
    """Replace a user's `user_metadata`; None removes it."""
    update_user(database, user_id, now, user_metadata=json_column(metadata))


def save_app_metadata(
    database: sqlite3.Connection, user_id: str, metadata: dict[str, Any] | None, now: float
) -> None:
    """Replace a user's `app_metadata`; None removes it."""
    update_user(database, user_id, now, app_metadata=json_column(metadata))


def json_column(value: Any) -> str | None:
    """A value for a column with JSON; None stays None."""
    return None if value is None else json.dumps(value)


def timestamp(now: float) -> str:
    """A time as Auth0 writes it: ISO 8601 with milliseconds, in UTC."""
    text = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _user(database: sqlite3.Connection, row: sqlite3.Row) -> User:
    roles = database.execute(
        "SELECT name FROM roles JOIN user_roles USING (role_id) WHERE user_id = ? ORDER BY name",
        (row["user_id"],),
    )
    times = ("last_login", "last_ip", "logins_count", "last_password_reset")
    return User(
        user_id=row["user_id"],
        email=row["email"],
        profile=stored_object(row["profile"]) or {},
        user_metadata=stored_object(row["user_metadata"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        app_metadata=stored_object(row["app_metadata"]),
        email_verified=bool(row["email_verified"]),
        blocked=bool(row["blocked"]),
        mfa_required=bool(row["mfa_required"]),
        totp_secret=row["totp_secret"],
        password=row["password"],
        roles=tuple(role["name"] for role in roles),
        activity={name: row[name] for name in times if row[name]},
    )
