"""Links that are good once: to verify an e-mail address, and to choose a new password."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from .database import Database

LIFETIME = 5 * 86_400.0  # seconds, as at Auth0
VERIFICATION, NEW_PASSWORD = "email-verification", "reset-password"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link stands for; `result_url` is where it leads on to."""

    user_id: str
    result_url: str | None


def new_ticket(
    database: Database,
    kind: str,
    user_id: str,
    now: float,
    *,
    result_url: str | None = None,
    lifetime: float = LIFETIME,
) -> str:
    """The path of a new link. Earlier ones of this kind are no longer good."""
    value = secrets.token_urlsafe(32)
    with database.transaction() as connection:
        connection.execute("DELETE FROM tickets WHERE expires_at <= ?", (now,))
        connection.execute("DELETE FROM tickets WHERE kind = ? AND user_id = ?", (kind, user_id))
        connection.execute(
            "INSERT INTO tickets VALUES (?, ?, ?, ?, ?)",
            (_hash(value), kind, user_id, result_url, now + lifetime),
        )
    return f"/u/{kind}?ticket={value}"


def find_ticket(database: Database, kind: str, value: str, now: float) -> Ticket | None:
    """What an unused link stands for."""
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT * FROM tickets WHERE ticket = ? AND kind = ? AND expires_at > ?",
            (_hash(value), kind, now),
        ).fetchone()
    return Ticket(row["user_id"], row["result_url"]) if row else None


def use_ticket(database: Database, value: str) -> bool:
    """Use a link up; False if it has been used meanwhile."""
    with database.transaction() as connection:
        used = connection.execute("DELETE FROM tickets WHERE ticket = ?", (_hash(value),))
    return used.rowcount == 1


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode(errors="replace")).hexdigest()
