"""The mailbox: what a tenant would send by e-mail is shown in the dashboard instead."""

from __future__ import annotations

from dataclasses import dataclass

from .database import Database
from .users import timestamp

KEPT = 200  # mails


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail; `link` is where its reader has to go, on this tenant."""

    id: int
    sent_at: str
    recipient: str
    subject: str
    body: str
    link: str | None


def send(
    database: Database, recipient: str, subject: str, body: str, link: str | None, now: float
) -> None:
    """Put a mail into the mailbox, and forget those before the last two hundred."""
    with database.transaction() as connection:
        sent = connection.execute(
            "INSERT INTO mails (at, recipient, subject, body, link) VALUES (?, ?, ?, ?, ?)",
            (now, recipient, subject, body, link),
        )
        connection.execute("DELETE FROM mails WHERE id <= ?", ((sent.lastrowid or 0) - KEPT,))


def all_mails(database: Database) -> list[Mail]:
    """Every mail, the newest first."""
    with database.transaction() as connection:
        rows = connection.execute("SELECT * FROM mails ORDER BY id DESC").fetchall()
    return [
        Mail(
            row["id"],
            timestamp(row["at"]),
            row["recipient"],
            row["subject"],
            row["body"],
            row["link"],
        )
        for row in rows
    ]


def delete_mails(database: Database) -> None:
    """Empty the mailbox."""
    with database.transaction() as connection:
        connection.execute("DELETE FROM mails")
