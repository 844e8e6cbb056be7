"""The SQLite schema: hashes, sealed bytes and times; nothing that can be read."""

from __future__ import annotations

VERSION = 3

STATEMENTS = (
    "DROP TABLE IF EXISTS sessions",  # earlier records have another shape
    """
    CREATE TABLE sessions (
        ref TEXT PRIMARY KEY,
        sub_tag TEXT NOT NULL,
        sid_tag TEXT,
        sealed BLOB NOT NULL,
        version INTEGER NOT NULL,
        created_at REAL NOT NULL,
        last_seen_at REAL NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX sessions_sub_tag ON sessions (sub_tag)",
    "CREATE INDEX sessions_sid_tag ON sessions (sid_tag) WHERE sid_tag IS NOT NULL",
    "CREATE INDEX sessions_last_seen_at ON sessions (last_seen_at)",
    "CREATE INDEX sessions_created_at ON sessions (created_at)",
    """
    CREATE TABLE IF NOT EXISTS transactions (
        key TEXT PRIMARY KEY,
        sealed BLOB NOT NULL,
        created_at REAL NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS leases (
        ref TEXT PRIMARY KEY,
        fence INTEGER NOT NULL,
        expires_at REAL NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS news (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        text TEXT NOT NULL,
        published_at REAL NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS remembered (
        key TEXT PRIMARY KEY,
        until REAL NOT NULL
    ) WITHOUT ROWID
    """,
    f"PRAGMA user_version = {VERSION}",
)
"""From any earlier version, or from nothing, to this one; all in one transaction."""
