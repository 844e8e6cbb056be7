"""The tenant's SQLite file: the tables of `tables`, sessions, codes, tokens and the signing key."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from . import tables

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    browser TEXT PRIMARY KEY, sid TEXT NOT NULL, user_id TEXT NOT NULL, auth_time REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS interactions (
    id TEXT PRIMARY KEY, browser TEXT NOT NULL, query TEXT NOT NULL,
    created_at REAL NOT NULL, logged_in INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS consents (
    user_id TEXT NOT NULL, client_id TEXT NOT NULL, audience TEXT NOT NULL, scope TEXT NOT NULL,
    PRIMARY KEY (user_id, client_id, audience)
);
CREATE TABLE IF NOT EXISTS codes (
    code TEXT PRIMARY KEY, family TEXT NOT NULL, client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL, scope TEXT NOT NULL, audience TEXT NOT NULL, user_id TEXT NOT NULL,
    sid TEXT NOT NULL, auth_time REAL NOT NULL, nonce TEXT, code_challenge TEXT NOT NULL,
    expires_at REAL NOT NULL, used REAL NOT NULL DEFAULT 0 -- or epoch seconds of the first use
);
CREATE TABLE IF NOT EXISTS refresh_tokens (
    token TEXT PRIMARY KEY, family TEXT NOT NULL, client_id TEXT NOT NULL, scope TEXT NOT NULL,
    audience TEXT NOT NULL, user_id TEXT NOT NULL, sid TEXT NOT NULL,
    expires_at REAL NOT NULL, used REAL NOT NULL DEFAULT 0, -- or epoch seconds of the first use
    auth_time REAL NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS access_tokens (
    token TEXT NOT NULL, family TEXT NOT NULL, expires_at REAL NOT NULL, revoked INTEGER NOT NULL,
    PRIMARY KEY (token, family) -- Auth0's profile has nothing that makes a token unique
);
CREATE TABLE IF NOT EXISTS session_clients (
    sid TEXT NOT NULL, client_id TEXT NOT NULL, user_id TEXT NOT NULL, PRIMARY KEY (sid, client_id)
);
CREATE TABLE IF NOT EXISTS pushed_requests (
    request_uri TEXT PRIMARY KEY, client_id TEXT NOT NULL, query TEXT NOT NULL,
    expires_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS devices (
    id TEXT PRIMARY KEY, device_code TEXT UNIQUE NOT NULL, user_code TEXT NOT NULL,
    client_id TEXT NOT NULL, scope TEXT NOT NULL, audience TEXT NOT NULL, expires_at REAL NOT NULL,
    poll_interval REAL NOT NULL, last_poll REAL, state TEXT NOT NULL DEFAULT 'pending',
    family TEXT, user_id TEXT, sid TEXT, auth_time REAL -- of a device that is approved
);
CREATE TABLE IF NOT EXISTS second_steps (sid TEXT PRIMARY KEY); -- of logins that passed it
CREATE TABLE IF NOT EXISTS wrong_codes (user_id TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS keys (kid TEXT PRIMARY KEY, jwk TEXT NOT NULL);
"""

# Columns that a data file of an earlier release lacks.
_ADDED = (
    *tables.ADDED,
    ("refresh_tokens", "auth_time", "REAL NOT NULL DEFAULT 0"),
    ("sessions", "last_used", "REAL NOT NULL DEFAULT 0"),
)


class Database:
    """Opens a connection for each transaction, so that any thread can use it.

    `on_session_end` is called with the `sid` of a login that has ended, the user's id and the
    ids of the clients that took part in it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.on_session_end: Callable[[str, str, list[str]], None] = lambda *_: None
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        with closing(self._connect()) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(tables.SCHEMA + _SCHEMA)
            _add_columns(connection)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock: committed, or rolled back on an error."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def reset(self) -> None:
        """Delete everything that is in the file, the signing key included."""
        with self.transaction() as connection:
            tables = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
            for row in tables.fetchall():
                connection.execute(f'DELETE FROM "{row["name"]}"')  # noqa: S608

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=5.0, isolation_level=None)
        # What is written survives the end of this process, though not a loss of power.
        connection.execute("PRAGMA synchronous = OFF")
        connection.row_factory = sqlite3.Row
        return connection


def _add_columns(connection: sqlite3.Connection) -> None:
    for table, name, kind in _ADDED:
        columns = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        if name not in {row["name"] for row in columns}:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
