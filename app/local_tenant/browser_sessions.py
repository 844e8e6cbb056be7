"""Who is signed in at the tenant in which browser, and the authorization requests it has open."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from .codes import digest
from .database import Database
from .users import User, find_user

COOKIE = "local_tenant"
INTERACTION_LIFETIME = 1800.0  # seconds a login or consent page stays usable


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A person signed in at the tenant; `sid` names it in ID tokens and at logout."""

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


def find_session(database: Database, browser: str | None) -> BrowserSession | None:
    """The session of a browser."""
    with database.work() as connection:
        row = connection.execute(
            "SELECT * FROM sessions WHERE browser = ?", (digest(browser or ""),)
        ).fetchone()
        user = find_user(connection, user_id=row["user_id"]) if row else None
    return BrowserSession(user, row["sid"], row["auth_time"]) if user else None


def begin_session(database: Database, old_browser: str, user: User, now: float) -> str:
    """Sign a person in under a new cookie value, to which open requests move along."""
    browser = new_browser()
    with database.work() as connection:
        connection.execute("DELETE FROM sessions WHERE browser = ?", (digest(old_browser),))
        connection.execute(
            "INSERT INTO sessions VALUES (?, ?, ?, ?)",
            (digest(browser), secrets.token_urlsafe(24), user.user_id, now),
        )
        connection.execute(
            "UPDATE interactions SET browser = ? WHERE browser = ?",
            (digest(browser), digest(old_browser)),
        )
    return browser


def end_session(database: Database, sid: str) -> None:
    """Sign out, and forget the refresh tokens that came from this session."""
    with database.work() as connection:
        connection.execute("DELETE FROM sessions WHERE sid = ?", (sid,))
        connection.execute("DELETE FROM refresh_tokens WHERE sid = ?", (sid,))


def open_interaction(database: Database, browser: str, query: str, now: float) -> str:
    """Remember an authorization request; the id goes into the page's URL."""
    interaction = secrets.token_urlsafe(24)
    with database.work() as connection:
        connection.execute(
            "DELETE FROM interactions WHERE created_at < ?", (now - INTERACTION_LIFETIME,)
        )
        connection.execute(
            "INSERT INTO interactions VALUES (?, ?, ?, ?, 0)",
            (interaction, digest(browser), query, now),
        )
    return interaction


def find_interaction(database: Database, browser: str | None, id_: str) -> Interaction | None:
    """An open request of this browser: nobody else's forms can go on with it."""
    with database.work() as connection:
        row = connection.execute(
            "SELECT * FROM interactions WHERE id = ? AND browser = ?",
            (id_, digest(browser or "")),
        ).fetchone()
    return Interaction(row["id"], row["query"], bool(row["logged_in"])) if row else None


def note_login(database: Database, interaction: Interaction) -> None:
    """The person has just given the password for this request."""
    with database.work() as connection:
        connection.execute("UPDATE interactions SET logged_in = 1 WHERE id = ?", (interaction.id,))


def close_interaction(database: Database, interaction: Interaction) -> None:
    """The request has been answered."""
    with database.work() as connection:
        connection.execute("DELETE FROM interactions WHERE id = ?", (interaction.id,))


def has_consented(database: Database, user: User, client: str, audience: str, scope: str) -> bool:
    """Whether the person has allowed all of this before."""
    consented = consented_scope(database, user.user_id, client, audience)
    return bool(consented) and set(scope.split()) <= set(consented.split())


def consented_scope(database: Database, user_id: str, client: str, audience: str) -> str:
    """What the person has allowed so far; empty when nothing."""
    with database.work() as connection:
        row = connection.execute(
            "SELECT scope FROM consents WHERE user_id = ? AND client_id = ? AND audience = ?",
            (user_id, client, audience),
        ).fetchone()
    return str(row["scope"]) if row else ""


def save_consent(database: Database, user: User, client: str, audience: str, scope: str) -> None:
    """Remember what the person allowed, on top of what they allowed before."""
    earlier = consented_scope(database, user.user_id, client, audience)
    scopes = " ".join(dict.fromkeys(f"{earlier} {scope}".split()))
    with database.work() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO consents VALUES (?, ?, ?, ?)",
            (user.user_id, client, audience, scopes),
        )
