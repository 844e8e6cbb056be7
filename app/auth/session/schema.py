"""The SQLite schema: hashes, sealed bytes and times; nothing that can be read."""

from __future__ import annotations

VERSION = 1

SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS sessions (
    ref TEXT PRIMARY KEY,
    sealed BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at REAL NOT NULL,
    last_seen_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_last_seen_at ON sessions (last_seen_at);
CREATE TABLE IF NOT EXISTS transactions (
    key TEXT PRIMARY KEY,
    sealed BLOB NOT NULL,
    created_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS leases (
    ref TEXT PRIMARY KEY,
    fence INTEGER NOT NULL,
    expires_at REAL NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
COMMIT;
"""
