"""The SQLite schema: hashes, sealed bytes and times; nothing that can be read."""

from __future__ import annotations

VERSION = 6
OLDEST_RECORDS = 3  # of the version before that, sessions have another shape
KEPT_CHANGES = 1000  # whoever looks so seldom that it misses one takes everything for changed

STATEMENTS = (
    """
    CREATE TABLE IF NOT EXISTS sessions (
        ref TEXT PRIMARY KEY,
        sub_tag TEXT NOT NULL,
        sid_tag TEXT,
        sealed BLOB NOT NULL,
        version INTEGER NOT NULL,
        created_at REAL NOT NULL,
        last_seen_at REAL NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX IF NOT EXISTS sessions_sub_tag ON sessions (sub_tag)",
    "CREATE INDEX IF NOT EXISTS sessions_sid_tag ON sessions (sid_tag) WHERE sid_tag IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS sessions_last_seen_at ON sessions (last_seen_at)",
    "CREATE INDEX IF NOT EXISTS sessions_created_at ON sessions (created_at)",
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
    # Which sessions began, ended or changed, in order. One that was only used is as it was.
    "DROP TRIGGER IF EXISTS session_begun",
    "DROP TRIGGER IF EXISTS session_ended",
    "DROP TRIGGER IF EXISTS session_changed",
    "DROP TABLE IF EXISTS changes",
    "CREATE TABLE changes (number INTEGER PRIMARY KEY, ref TEXT NOT NULL)",
    # So that the newest number can always be read; from anywhere, so that a process which is still
    # running does not take the numbers to come for those that it knows.
    "INSERT INTO changes VALUES (abs(random()) >> 16, '')",
    """
    CREATE TRIGGER session_begun AFTER INSERT ON sessions
    BEGIN INSERT INTO changes (ref) VALUES (NEW.ref); END
    """,
    """
    CREATE TRIGGER session_ended AFTER DELETE ON sessions
    BEGIN INSERT INTO changes (ref) VALUES (OLD.ref); END
    """,
    """
    CREATE TRIGGER session_changed AFTER UPDATE OF sealed, version ON sessions
    BEGIN INSERT INTO changes (ref) VALUES (OLD.ref); END
    """,
    f"""
    CREATE TRIGGER IF NOT EXISTS changes_kept AFTER INSERT ON changes
    BEGIN DELETE FROM changes WHERE number <= NEW.number - {KEPT_CHANGES}; END
    """,  # noqa: S608
    f"PRAGMA user_version = {VERSION}",
)
"""From any earlier version, or from nothing, to this one; all in one transaction."""

DROP_OLD_RECORDS = "DROP TABLE IF EXISTS sessions"
