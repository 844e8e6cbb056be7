"""Organizations, their members, and invitations to them."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterable
from typing import Any

from .strict_json import stored_object

INVITATION_LIFETIME = 7 * 86_400.0  # seconds


def new_organization_id() -> str:
    """An id as Auth0 gives them."""
    return f"org_{secrets.token_hex(8)}"


def all_organizations(database: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every organization as the Management API shows it, by name."""
    return [_document(row) for row in database.execute("SELECT * FROM organizations ORDER BY name")]


def find_organization(database: sqlite3.Connection, reference: str) -> dict[str, Any] | None:
    """The organization with this id or name. Names are in lower case, as at Auth0."""
    row = database.execute(
        "SELECT * FROM organizations WHERE org_id = ? OR name = ?", (reference, reference.lower())
    ).fetchone()
    return _document(row) if row else None


def save_organization(
    database: sqlite3.Connection,
    org_id: str,
    name: str,
    display_name: str,
    metadata: dict[str, Any] | None,
) -> None:
    """Add or change an organization.

    Raises:
        sqlite3.IntegrityError: another organization has the name.
    """
    database.execute(
        "INSERT INTO organizations VALUES (?, ?, ?, ?) ON CONFLICT (org_id) DO UPDATE SET "
        "name = excluded.name, display_name = excluded.display_name, metadata = excluded.metadata",
        (org_id, name.lower(), display_name, None if metadata is None else json.dumps(metadata)),
    )


def delete_organization(database: sqlite3.Connection, org_id: str) -> None:
    """Delete an organization. Its members stay users."""
    for table in ("organizations", "organization_members", "invitations"):
        database.execute(f"DELETE FROM {table} WHERE org_id = ?", (org_id,))  # noqa: S608


def members_of(database: sqlite3.Connection, org_id: str) -> list[str]:
    """The ids of the members."""
    rows = database.execute(
        "SELECT user_id FROM organization_members WHERE org_id = ? ORDER BY user_id", (org_id,)
    )
    return [row["user_id"] for row in rows]


def organizations_of(database: sqlite3.Connection, user_id: str) -> list[dict[str, Any]]:
    """The organizations that a user is a member of."""
    rows = database.execute(
        "SELECT organizations.* FROM organizations JOIN organization_members USING (org_id) "
        "WHERE user_id = ? ORDER BY name",
        (user_id,),
    )
    return [_document(row) for row in rows]


def is_member(database: sqlite3.Connection, org_id: str, user_id: str) -> bool:
    """Whether a user is a member."""
    row = database.execute(
        "SELECT 1 FROM organization_members WHERE org_id = ? AND user_id = ?", (org_id, user_id)
    ).fetchone()
    return row is not None


def add_members(database: sqlite3.Connection, org_id: str, user_ids: Iterable[str]) -> None:
    """Make users members."""
    rows = [(org_id, user_id) for user_id in user_ids]
    database.executemany("INSERT OR IGNORE INTO organization_members VALUES (?, ?)", rows)


def remove_members(database: sqlite3.Connection, org_id: str, user_ids: Iterable[str]) -> None:
    """Let users be members no longer."""
    rows = [(org_id, user_id) for user_id in user_ids]
    database.executemany("DELETE FROM organization_members WHERE org_id = ? AND user_id = ?", rows)


def invite(
    database: sqlite3.Connection, org_id: str, email: str, client_id: str, now: float
) -> str:
    """Invite an e-mail address; the result is the ticket, for the parameter `invitation`."""
    ticket = secrets.token_urlsafe(24)
    database.execute(
        "INSERT INTO invitations VALUES (?, ?, ?, ?, ?)",
        (_hash(ticket), org_id, email.strip().lower(), client_id, now + INVITATION_LIFETIME),
    )
    return ticket


def is_invited(
    database: sqlite3.Connection, org_id: str, email: str, ticket: str, now: float
) -> bool:
    """Whether a ticket invites this e-mail address to this organization."""
    row = database.execute(
        "SELECT 1 FROM invitations WHERE ticket = ? AND org_id = ? AND email = ? "
        "AND expires_at > ?",
        (_hash(ticket), org_id, email, now),
    ).fetchone()
    return row is not None


def accept_invitation(database: sqlite3.Connection, org_id: str, user_id: str, ticket: str) -> None:
    """Use a ticket up, and make the user a member."""
    database.execute("DELETE FROM invitations WHERE ticket = ?", (_hash(ticket),))
    add_members(database, org_id, [user_id])


def _hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode(errors="replace")).hexdigest()


def _document(row: sqlite3.Row) -> dict[str, Any]:
    document = {"id": row["org_id"], "name": row["name"], "display_name": row["display_name"]}
    metadata = stored_object(row["metadata"])
    return document if metadata is None else {**document, "metadata": metadata}
