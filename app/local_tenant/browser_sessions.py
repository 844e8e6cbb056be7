"""The login sessions of browsers, their open authorization requests, and consents."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from .codes import digest
from .database import Database
from .users import User, find_user

INTERACTION_LIFETIME = 1800.0  # seconds a login or consent page stays usable


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A login of a user in a browser. ID tokens and logout requests name it by `sid`."""

    user: User
    sid: str
    auth_time: float


@dataclass(frozen=True, slots=True)
class Interaction:
    """An authorization request that waits for a login or a consent."""

    id: str
    query: str
    logged_in: bool


def new_browser() -> str:
    """A fresh value for the tenant's cookie."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class SessionLifetimes:
    """How long a session lasts: without use, and at the most. In seconds, as at Auth0."""

    idle: float
    absolute: float


def find_session(
    database: Database, browser: str | None, now: float, lifetimes: SessionLifetimes
) -> BrowserSession | None:
    """The session of a browser, which counts as a use of it."""
    end_expired_sessions(database, now, lifetimes)
    with database.transaction() as connection:
        row = connection.execute(
            "UPDATE sessions SET last_used = ? WHERE browser = ? RETURNING *",
            (now, digest(browser or "")),
        ).fetchone()
        user = find_user(connection, user_id=row["user_id"]) if row else None
    return BrowserSession(user, row["sid"], row["auth_time"]) if user else None


def end_expired_sessions(database: Database, now: float, lifetimes: SessionLifetimes) -> None:
    """End the sessions that have reached their lifetime, and let their clients be told. Their
    refresh tokens stay good: those have a lifetime of their own."""
    with database.transaction() as connection:
        rows = connection.execute(
            "DELETE FROM sessions WHERE max(last_used, auth_time) <= ? OR auth_time <= ? "
            "RETURNING sid",
            (now - lifetimes.idle, now - lifetimes.absolute),
        ).fetchall()
    for row in rows:
        _tell_clients(database, row["sid"])


def begin_session(database: Database, old_browser: str, user: User, now: float) -> str:
    """Log a user in under a new cookie value, and move the browser's open requests to it."""
    browser = new_browser()
    with database.transaction() as connection:
        connection.execute("DELETE FROM sessions WHERE browser = ?", (digest(old_browser),))
        # Of sessions that another login in the same browser has replaced.
        connection.execute(
            "DELETE FROM session_clients WHERE sid NOT IN (SELECT sid FROM sessions)"
        )
        connection.execute(
            "INSERT INTO sessions (browser, sid, user_id, auth_time) VALUES (?, ?, ?, ?)",
            (digest(browser), secrets.token_urlsafe(24), user.user_id, now),
        )
        connection.execute(
            "UPDATE interactions SET browser = ? WHERE browser = ?",
            (digest(browser), digest(old_browser)),
        )
    return browser


def end_session(database: Database, sid: str) -> None:
    """End a session, delete its refresh tokens and what it has granted to devices that have not
    fetched it yet, and let its clients be told."""
    with database.transaction() as connection:
        connection.execute("DELETE FROM sessions WHERE sid = ?", (sid,))
        connection.execute("DELETE FROM refresh_tokens WHERE sid = ?", (sid,))
        connection.execute("DELETE FROM devices WHERE sid = ?", (sid,))
        connection.execute("DELETE FROM second_steps WHERE sid = ?", (sid,))
    _tell_clients(database, sid)


def _tell_clients(database: Database, sid: str) -> None:
    """Tell the clients of a session that it has ended, once."""
    with database.transaction() as connection:
        rows = connection.execute(
            "DELETE FROM session_clients WHERE sid = ? RETURNING *", (sid,)
        ).fetchall()
    if rows:
        clients = [row["client_id"] for row in rows]
        database.on_session_end(sid, rows[0]["user_id"], clients)


def tell_clients_of(database: Database, user_id: str) -> None:
    """Tell the clients of a user's sessions that they have ended, though the tenant keeps them."""
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT DISTINCT sid FROM session_clients WHERE user_id = ?", (user_id,)
        )
        sids = [row["sid"] for row in rows]
    for sid in sids:
        _tell_clients(database, sid)


def end_sessions_of(database: Database, user_id: str) -> None:
    """End every session of a user."""
    with database.transaction() as connection:
        rows = connection.execute("SELECT sid FROM sessions WHERE user_id = ?", (user_id,))
        sids = [row["sid"] for row in rows]
    for sid in sids:
        end_session(database, sid)


def open_interaction(database: Database, browser: str, query: str, now: float) -> str:
    """Store an authorization request; the result is its id, for the form's URL."""
    interaction = secrets.token_urlsafe(24)
    with database.transaction() as connection:
        connection.execute(
            "DELETE FROM interactions WHERE created_at < ?", (now - INTERACTION_LIFETIME,)
        )
        connection.execute(
            "INSERT INTO interactions VALUES (?, ?, ?, ?, 0)",
            (interaction, digest(browser), query, now),
        )
    return interaction


def find_interaction(database: Database, browser: str | None, id_: str) -> Interaction | None:
    """An open request of this browser. No other browser can continue it."""
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT * FROM interactions WHERE id = ? AND browser = ?",
            (id_, digest(browser or "")),
        ).fetchone()
    return Interaction(row["id"], row["query"], bool(row["logged_in"])) if row else None


def mark_logged_in(database: Database, interaction: Interaction) -> None:
    """Record that the user has just entered the password for this request."""
    with database.transaction() as connection:
        connection.execute("UPDATE interactions SET logged_in = 1 WHERE id = ?", (interaction.id,))


def close_interaction(database: Database, interaction: Interaction) -> None:
    """Delete a request that has been answered."""
    with database.transaction() as connection:
        connection.execute("DELETE FROM interactions WHERE id = ?", (interaction.id,))


def has_consented(database: Database, user: User, client: str, audience: str, scope: str) -> bool:
    """Whether the user has consented to all of `scope` before."""
    consented = consented_scope(database, user.user_id, client, audience)
    return bool(consented) and set(scope.split()) <= set(consented.split())


def consented_scope(database: Database, user_id: str, client: str, audience: str) -> str:
    """The scope that the user has consented to so far; may be empty."""
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT scope FROM consents WHERE user_id = ? AND client_id = ? AND audience = ?",
            (user_id, client, audience),
        ).fetchone()
    return str(row["scope"]) if row else ""


def save_consent(database: Database, user: User, client: str, audience: str, scope: str) -> None:
    """Add `scope` to what the user has consented to."""
    earlier = consented_scope(database, user.user_id, client, audience)
    scopes = " ".join(dict.fromkeys(f"{earlier} {scope}".split()))
    with database.transaction() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO consents VALUES (?, ?, ?, ?)",
            (user.user_id, client, audience, scopes),
        )
