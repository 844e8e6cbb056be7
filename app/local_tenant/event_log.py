"""What happened at the tenant: logins, consents, grants and refusals, with Auth0's types.

No entry holds a token, a code, a password or a secret.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from .clients import CONNECTION, DEVICE, EXCHANGE
from .database import Database
from .request import TenantRequest
from .users import timestamp

KEPT = 1000  # entries
TYPES = {
    "s": "Success Login",
    "f": "Failed Login",
    "fp": "Failed Login (Incorrect Password)",
    "fu": "Failed Login (Invalid Email/Username)",
    "limit_wc": "Blocked Account",
    "ssa": "Success Silent Auth",
    "fsa": "Failed Silent Auth",
    "ss": "Success Signup",
    "fs": "Failed Signup",
    "slo": "Success Logout",
    "scp": "Success Change Password",
    "scpr": "Success Change Password Request",
    "sv": "Success Verification Email",
    "gd_auth_succeed": "MFA Auth success",
    "gd_auth_failed": "MFA Auth failed",
    "gd_enrollment_complete": "MFA enrollment complete",
    "seacft": "Success Exchange",
    "feacft": "Failed Exchange",
    "sertft": "Success Exchange Refresh Token",
    "fertft": "Failed Exchange Refresh Token",
    "seccft": "Success Exchange Client Credentials",
    "feccft": "Failed Exchange Client Credentials",
    "sede": "Success Exchange Device Code",
    "fede": "Failed Exchange Device Code",
    "fdeac": "Failed Device Activation",
    "secte": "Success Token Exchange",
    "fecte": "Failed Token Exchange",
    "consent": "User gave consent",
    "noconsent": "User declined consent",
    "fault": "Fault set by the developer",
}
"""The types, with their names in the dashboard."""


_GRANTS = {
    "refresh_token": "ertft",
    "client_credentials": "eccft",
    DEVICE: "ede",
    EXCHANGE: "ecte",
    CONNECTION: "ecte",
}
_WAITING = ("authorization_pending", "slow_down")  # a device polls every few seconds


@dataclass(frozen=True)
class EventLog:
    """The log of one tenant, in its data file."""

    database: Database
    clock: Callable[[], float]

    def record(
        self,
        type_: str,
        description: str = "",
        *,
        user_id: str | None = None,
        client_id: str | None = None,
        ip: str | None = None,
    ) -> None:
        """Add an entry, and forget those before the last thousand."""
        with self.database.transaction() as connection:
            added = connection.execute(
                "INSERT INTO logs (at, type, description, user_id, client_id, ip) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (self.clock(), type_, description[:500], user_id, client_id, ip),
            )
            connection.execute("DELETE FROM logs WHERE id <= ?", ((added.lastrowid or 0) - KEPT,))

    def record_grant(self, request: TenantRequest, response: Response) -> None:
        """Add what the token endpoint answered."""
        grant_type = request.payload.data.get("grant_type", "")
        letter = "s" if response.status_code == 200 else "f"
        answer: dict[str, Any] = json.loads(bytes(response.body))
        if answer.get("error") in _WAITING:
            return
        said = (answer.get("error"), answer.get("error_description"))
        description = answer.get("scope", "") if letter == "s" else ": ".join(filter(None, said))
        user, client = getattr(request, "user", None), request.payload.data.get("client_id")
        self.record(
            f"{letter}{_GRANTS.get(grant_type, 'eacft')}",
            description,
            user_id=getattr(user, "user_id", None),
            client_id=getattr(request.client, "client_id", client),
            ip=request.address,
        )

    def entries(self, *, user_id: str | None = None) -> list[dict[str, Any]]:
        """The entries as the Management API shows them, the newest first."""
        where, values = ("WHERE user_id = ?", (user_id,)) if user_id else ("", ())
        with self.database.transaction() as connection:
            rows = connection.execute(
                f"SELECT * FROM logs {where} ORDER BY id DESC",  # noqa: S608 - one of two constants
                values,
            ).fetchall()
        return [_document(row) for row in rows]


def _document(row: sqlite3.Row) -> dict[str, Any]:
    document = {
        "log_id": str(row["id"]),
        "date": timestamp(row["at"]),
        "type": row["type"],
        "description": row["description"],
        "user_id": row["user_id"],
        "client_id": row["client_id"],
        "ip": row["ip"],
    }
    return {name: value for name, value in document.items() if value is not None}
