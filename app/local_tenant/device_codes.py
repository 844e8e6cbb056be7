"""Device codes (RFC 8628) and the short user codes that belong to them."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass

from .codes import Grant, digest
from .database import Database

LIFETIME = 900  # seconds, as at Auth0
INTERVAL = 5  # seconds between two polls, at least
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so that no words appear (section 6.1)


@dataclass(frozen=True, slots=True)
class Device:
    """A device that waits for a user. `id` is known to the tenant only."""

    id: str
    client_id: str
    scope: str
    audience: str


def new_device(
    database: Database, client_id: str, scope: str, audience: str, now: float
) -> tuple[str, str]:
    """Store a new device. The result is its device code and its user code, as `BCDF-GHJK`."""
    device_code = secrets.token_urlsafe(32)
    letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
    with database.transaction() as connection:
        # Expired ones stay for a time, so that their devices learn of it.
        connection.execute("DELETE FROM devices WHERE expires_at <= ?", (now - LIFETIME,))
        connection.execute(
            "INSERT INTO devices (id, device_code, user_code, client_id, scope, audience, "
            "expires_at, poll_interval) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(secrets.token_urlsafe(32), digest(device_code), digest(letters)),
                *(client_id, scope, audience, now + LIFETIME, INTERVAL),
            ),
        )
    return device_code, f"{letters[:4]}-{letters[4:]}"


def find_device(
    database: Database, now: float, *, user_code: str = "", id_: str = ""
) -> Device | None:
    """The device that waits for a user, by its user code or id. Case and hyphens do not matter."""
    letters = "".join(letter for letter in user_code.upper() if letter in _LETTERS)
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT id, client_id, scope, audience FROM devices "
            "WHERE (id = ? OR user_code = ?) AND state = 'pending' AND expires_at > ?",
            (id_, digest(letters), now),
        ).fetchone()
    return Device(**dict(row)) if row else None


def approve(database: Database, id_: str, grant: Grant, now: float) -> bool:
    """Give a device what its user has granted; False if it no longer waits."""
    with database.transaction() as connection:
        changed = connection.execute(
            "UPDATE devices SET state = 'approved', family = ?, scope = ?, audience = ?, "
            "user_id = ?, sid = ?, auth_time = ? "
            "WHERE id = ? AND state = 'pending' AND expires_at > ?",
            (
                *(grant.family, grant.scope, grant.audience, grant.user_id, grant.sid),
                *(grant.auth_time, id_, now),
            ),
        )
    return changed.rowcount == 1


def deny(database: Database, id_: str) -> None:
    """Refuse a device what it asks for."""
    with database.transaction() as connection:
        connection.execute(
            "UPDATE devices SET state = 'denied' WHERE id = ? AND state = 'pending'", (id_,)
        )


def poll(database: Database, device_code: str, client_id: str, now: float) -> Grant | str:
    """What a device gets: its grant, once; or an error of section 3.5. Only the device's own
    client uses the code up."""
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT * FROM devices WHERE device_code = ? AND client_id = ?",
            (digest(device_code), client_id),
        ).fetchone()
        if row is None:
            return "invalid_grant"
        if row["state"] == "pending" and row["expires_at"] > now:
            return _waiting(connection, row, now)
        connection.execute("DELETE FROM devices WHERE id = ?", (row["id"],))
    if row["state"] == "denied":
        return "access_denied"
    if row["expires_at"] <= now:
        return "expired_token"
    names = ("family", "client_id", "scope", "audience", "user_id", "sid", "auth_time")
    return Grant(**{name: row[name] for name in names})


def _waiting(connection: sqlite3.Connection, row: sqlite3.Row, now: float) -> str:
    """Each poll that comes too early makes the interval longer (section 3.5)."""
    is_early = row["last_poll"] is not None and now < row["last_poll"] + row["poll_interval"]
    connection.execute(
        "UPDATE devices SET last_poll = ?, poll_interval = poll_interval + ? WHERE id = ?",
        (now, INTERVAL if is_early else 0, row["id"]),
    )
    return "slow_down" if is_early else "authorization_pending"
