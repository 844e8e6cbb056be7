"""The tables for what a tenant's administrator keeps: users, applications, APIs, organizations.

The tables of logins and tokens are in `database`.
"""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    user_id TEXT PRIMARY KEY, email TEXT UNIQUE NOT NULL, profile TEXT NOT NULL,
    user_metadata TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, app_metadata TEXT
);
CREATE TABLE IF NOT EXISTS roles (
    role_id TEXT PRIMARY KEY, name TEXT UNIQUE NOT NULL, description TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS role_permissions (
    role_id TEXT NOT NULL, audience TEXT NOT NULL, scope TEXT NOT NULL,
    PRIMARY KEY (role_id, audience, scope)
);
CREATE TABLE IF NOT EXISTS user_roles (
    user_id TEXT NOT NULL, role_id TEXT NOT NULL, PRIMARY KEY (user_id, role_id)
);
CREATE TABLE IF NOT EXISTS user_permissions (
    user_id TEXT NOT NULL, audience TEXT NOT NULL, scope TEXT NOT NULL,
    PRIMARY KEY (user_id, audience, scope)
);
-- The documents have the names of Auth0's Management API.
CREATE TABLE IF NOT EXISTS clients (client_id TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS resource_servers (identifier TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS organizations (
    org_id TEXT PRIMARY KEY, name TEXT UNIQUE NOT NULL, display_name TEXT NOT NULL, metadata TEXT
);
CREATE TABLE IF NOT EXISTS organization_members (
    org_id TEXT NOT NULL, user_id TEXT NOT NULL, PRIMARY KEY (org_id, user_id)
);
CREATE TABLE IF NOT EXISTS invitations (
    ticket TEXT PRIMARY KEY, -- a hash
    org_id TEXT NOT NULL, email TEXT NOT NULL, client_id TEXT NOT NULL, expires_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS tickets ( -- links for a new password or a verified e-mail address
    ticket TEXT PRIMARY KEY, -- a hash
    kind TEXT NOT NULL, user_id TEXT NOT NULL, result_url TEXT, expires_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, recipient TEXT NOT NULL,
    subject TEXT NOT NULL, body TEXT NOT NULL, link TEXT
);
CREATE TABLE IF NOT EXISTS logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, type TEXT NOT NULL,
    description TEXT NOT NULL, user_id TEXT, client_id TEXT, ip TEXT
);
CREATE TABLE IF NOT EXISTS organization_logins (family TEXT PRIMARY KEY, org_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS totp_enrolments (sid TEXT PRIMARY KEY, secret TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS connected_accounts (
    id TEXT NOT NULL, user_id TEXT NOT NULL, connection TEXT NOT NULL, external_id TEXT NOT NULL,
    access_token TEXT NOT NULL, scope TEXT NOT NULL, expires_in INTEGER NOT NULL,
    PRIMARY KEY (user_id, connection, external_id)
);
CREATE TABLE IF NOT EXISTS seeded (kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (kind, id));
"""

# Columns that a data file of an earlier release lacks.
ADDED = (
    ("users", "app_metadata", "TEXT"),
    ("users", "email_verified", "INTEGER NOT NULL DEFAULT 1"),
    ("users", "blocked", "INTEGER NOT NULL DEFAULT 0"),
    ("users", "password", "TEXT"),  # a hash; without one, the published password
    ("users", "mfa_required", "INTEGER NOT NULL DEFAULT 0"),
    ("users", "totp_secret", "TEXT"),
    ("users", "totp_used", "INTEGER NOT NULL DEFAULT 0"),  # the last time step that was used
    ("users", "logins_count", "INTEGER NOT NULL DEFAULT 0"),
    ("users", "last_login", "TEXT"),
    ("users", "last_ip", "TEXT"),
    ("users", "last_password_reset", "TEXT"),
)

OF_A_USER = (
    *("user_roles", "user_permissions", "organization_members", "tickets", "sessions"),
    *("consents", "codes", "refresh_tokens", "wrong_codes", "connected_accounts", "devices"),
    "users",
)
"""The tables with a column `user_id` whose rows go with the user."""
