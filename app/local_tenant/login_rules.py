"""Rules for a login beyond password and second step: blocked users, and organizations."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Error

from . import organizations as orgs
from .clients import Client
from .database import Database
from .oauth_errors import described
from .users import User


def refusal(
    database: Database, client: Client, parameters: Mapping[str, str], user: User, now: float
) -> OAuth2Error | None:
    """Why a user may not log in with an authorization request, in Auth0's words; else None.

    A valid `invitation` makes the user a member of the organization.
    """
    if user.blocked:
        return OAuth2Error("user is blocked", error="unauthorized")
    reference = parameters.get("organization", "")
    if not reference:
        if client.organization_usage == "require":
            text = "parameter organization is required for this client"
            return OAuth2Error(described(text), error="invalid_request")
        return None
    if client.organization_usage == "deny":
        text = "parameter organization is not allowed for this client"
        return OAuth2Error(described(text), error="invalid_request")
    with database.transaction() as connection:
        return _of_organization(connection, reference, parameters, user, now)


def note_organization(database: Database, family: str, parameters: Mapping[str, str]) -> None:
    """Remember the organization of a login; `family` is the id of the login's tokens."""
    reference = parameters.get("organization", "")
    if reference:
        with database.transaction() as connection:
            found = orgs.find_organization(connection, reference)
            if found:
                connection.execute(
                    "INSERT OR REPLACE INTO organization_logins VALUES (?, ?)",
                    (family, found["id"]),
                )


def organization_claims(database: Database, family: str) -> dict[str, Any]:
    """The claims `org_id` and `org_name` of a login; empty without an organization."""
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT org_id FROM organization_logins WHERE family = ?", (family,)
        ).fetchone()
        found = orgs.find_organization(connection, row["org_id"]) if row else None
    return {"org_id": found["id"], "org_name": found["name"]} if found else {}


def _of_organization(
    connection: sqlite3.Connection,
    reference: str,
    parameters: Mapping[str, str],
    user: User,
    now: float,
) -> OAuth2Error | None:
    found = orgs.find_organization(connection, reference)
    if found is None:
        text = f"the organization {reference} does not exist"
        return OAuth2Error(described(text), error="invalid_request")
    if orgs.is_member(connection, found["id"], user.user_id):
        return None
    ticket = parameters.get("invitation", "")
    if not ticket:
        text = f"user {user.user_id} is not part of the {found['id']} organization"
        return OAuth2Error(described(text), error="access_denied")
    if not orgs.is_invited(connection, found["id"], user.email, ticket, now):
        text = "the specified account is not allowed to accept the current invitation"
        return OAuth2Error(described(text), error="access_denied")
    orgs.accept_invitation(connection, found["id"], user.user_id, ticket)
    return None
