"""Authorization codes and refresh tokens. A second use revokes the whole token family."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core import AuthorizationCodeMixin

from .clients import Client
from .database import Database


@dataclass(frozen=True)
class Grant(AuthorizationCodeMixin):  # type: ignore[misc]
    """What a code or a refresh token stands for, with the accessors that Authlib asks for."""

    family: str
    client_id: str
    scope: str
    audience: str
    user_id: str
    sid: str
    redirect_uri: str = ""
    nonce: str | None = None
    auth_time: float = 0.0
    code_challenge: str = ""
    expires_at: float = 0.0
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(self.auth_time)

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None

    def check_client(self, client: Client) -> bool:
        return client.client_id == self.client_id


def digest(text: str) -> str:
    """The hash that is stored in place of a secret value."""
    return hashlib.sha256(text.encode()).hexdigest()


def new_family() -> str:
    """An id for the tokens of one login."""
    return secrets.token_hex(16)


def note_client(database: Database, grant: Grant) -> None:
    """Record that a client takes part in a login, and is told when it ends."""
    with database.transaction() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO session_clients VALUES (?, ?, ?)",
            (grant.sid, grant.client_id, grant.user_id),
        )


def save_code(database: Database, code: str, grant: Grant, expires_at: float) -> None:
    """Store a new code."""
    note_client(database, grant)
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (
                *(digest(code), grant.family, grant.client_id, grant.redirect_uri, grant.scope),
                *(grant.audience, grant.user_id, grant.sid, grant.auth_time, grant.nonce),
                *(grant.code_challenge, expires_at),
            ),
        )


def take_code(database: Database, code: str, client_id: str, now: float) -> Grant | None:
    """Use a code up (RFC 6749 section 4.1.2). A second use revokes the tokens of the first."""
    with database.transaction() as connection:
        return _take(connection, "codes", "code", code, client_id, now)


def save_access_token(
    database: Database, token: str, grant: Grant, now: float, expires_at: float
) -> None:
    """Record which login an access token is of, until it expires."""
    with database.transaction() as connection:
        connection.execute("DELETE FROM access_tokens WHERE expires_at < ?", (now,))
        connection.execute(
            "INSERT OR REPLACE INTO access_tokens VALUES (?, ?, ?, 0)",
            (digest(token), grant.family, expires_at),
        )


def family_of(database: Database, token: str) -> str | None:
    """The id of the login that an access token is of; None if it is of none, or has expired."""
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT family FROM access_tokens WHERE token = ? AND NOT revoked", (digest(token),)
        ).fetchone()
    return str(row["family"]) if row else None


def is_revoked(database: Database, token: str) -> bool:
    """Whether an access token was revoked, since the code that it came from was used twice."""
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT min(revoked) AS revoked FROM access_tokens WHERE token = ?", (digest(token),)
        ).fetchone()
    return bool(row["revoked"])


def save_refresh_token(database: Database, token: str, grant: Grant, expires_at: float) -> None:
    """Store a new refresh token."""
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO refresh_tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
            (
                *(digest(token), grant.family, grant.client_id, grant.scope, grant.audience),
                *(grant.user_id, grant.sid, expires_at, grant.auth_time),
            ),
        )


def take_refresh_token(
    database: Database, token: str, client_id: str, now: float, *, overlap: float
) -> Grant | None:
    """Use a refresh token up (RFC 9700 section 4.14.2).

    A used one revokes its family, unless its first use was less than `overlap` seconds ago.
    """
    with database.transaction() as connection:
        return _take(connection, "refresh_tokens", "token", token, client_id, now, overlap=overlap)


def find_refresh_token(
    database: Database, token: str, now: float, *, overlap: float
) -> Grant | None:
    """The grant of a refresh token that is still valid, without using it up."""
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT * FROM refresh_tokens WHERE token = ?", (digest(token),)
        ).fetchone()
    return None if row is None or _is_spent(row, now, overlap) else _grant(row)


def revoke_family(database: Database, family: str) -> None:
    """Delete every refresh token of a login."""
    with database.transaction() as connection:
        connection.execute("DELETE FROM refresh_tokens WHERE family = ?", (family,))


def _take(
    connection: sqlite3.Connection,
    table: str,
    column: str,
    value: str,
    client_id: str,
    now: float,
    *,
    overlap: float = 0.0,
) -> Grant | None:
    # `table` and `column` are names from this module, not from a request.
    row = connection.execute(
        f"SELECT * FROM {table} WHERE {column} = ? AND client_id = ?",  # noqa: S608
        (digest(value), client_id),
    ).fetchone()
    if row is None:
        return None
    if _is_spent(row, now, overlap):
        connection.execute("DELETE FROM refresh_tokens WHERE family = ?", (row["family"],))
        if table == "codes":  # RFC 6749 section 4.1.2
            connection.execute(
                "UPDATE access_tokens SET revoked = 1 WHERE family = ?", (row["family"],)
            )
        return None
    connection.execute(
        f"UPDATE {table} SET used = ? WHERE {column} = ? AND NOT used",  # noqa: S608
        (now, digest(value)),
    )
    return _grant(row) if row["expires_at"] > now else None


def _is_spent(row: sqlite3.Row, now: float, overlap: float) -> bool:
    """`used` is 0, or the time of the first use."""
    return bool(row["used"]) and now >= row["used"] + overlap


def _grant(row: sqlite3.Row) -> Grant:
    fields: dict[str, Any] = dict(row)
    return Grant(**{name: fields[name] for name in Grant.__dataclass_fields__ if name in fields})
