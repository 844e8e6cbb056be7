"""Accounts of users at other providers, such as `google-oauth2`, with tokens that are made up.

Auth0 keeps the tokens of such providers in its Token Vault. Here they come from a seed file, so
that an application can exchange for them offline.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping
from typing import Any

EXPIRES_IN = 3599  # seconds, as at Google


def save_account(connection: sqlite3.Connection, user_id: str, account: Mapping[str, Any]) -> None:
    """Store an account in the form of a seed file. A token that is not given is made up."""
    name = account["connection"]
    connection.execute(
        "INSERT OR REPLACE INTO connected_accounts VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(f"cac_{secrets.token_hex(8)}", user_id, name, account.get("id", "")),
            account.get("access_token") or f"{name}.{secrets.token_urlsafe(24)}",
            " ".join(account.get("scopes", ())),
            account.get("expires_in", EXPIRES_IN),
        ),
    )


def accounts_of(connection: sqlite3.Connection, user_id: str) -> list[sqlite3.Row]:
    """The accounts of a user."""
    return connection.execute(
        "SELECT * FROM connected_accounts WHERE user_id = ? ORDER BY connection, external_id",
        (user_id,),
    ).fetchall()


def delete_accounts(connection: sqlite3.Connection, user_id: str) -> None:
    """Forget the accounts of a user."""
    connection.execute("DELETE FROM connected_accounts WHERE user_id = ?", (user_id,))
