"""The APIs that this tenant issues access tokens for, and the scopes of each."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from .database import Database
from .oauth_errors import AccessDeniedError, described
from .roles import effective_permissions
from .settings import TenantSettings
from .strict_json import stored_object

IDENTITY = {
    "openid": "Know who you are",
    "profile": "See your name and picture",
    "email": "See your e-mail address",
    "offline_access": "Stay logged in while you are away",
}
MANAGEMENT = {
    "read:current_user": "Read your account, metadata included",
    "update:current_user_metadata": "Change your metadata",
    "create:current_user_metadata": "Add metadata about you",
}
EXTERNAL = {"read:messages": "Read your messages"}

DESCRIPTIONS = {**IDENTITY, **MANAGEMENT, **EXTERNAL}
"""What each scope of a new tenant allows, for the consent page."""

_ADMINISTERED = ("users", "roles", "clients", "resource_servers", "organizations", "grants")
ADMINISTRATION = (
    *(f"{verb}:{thing}" for thing in _ADMINISTERED for verb in ("create", "read", "update")),
    *(f"delete:{thing}" for thing in _ADMINISTERED),
    *("update:users_app_metadata", "read:logs", "read:sessions", "delete:sessions"),
    *("create:user_tickets", "read:organization_members", "create:organization_members"),
    *("delete:organization_members", "create:organization_invitations"),
    *("read:connections", "read:client_keys"),
)
"""The scopes of the Management API that an application gets by client credentials, and no user."""


class Apis:
    """The APIs by identifier, which is the audience of their access tokens.

    Three follow from the settings; the data file has others, and what was changed of these.
    """

    def __init__(self, settings: TenantSettings, database: Database) -> None:
        self._database = database
        self._lifetime = settings.access_token_lifetime
        self.userinfo = settings.userinfo_audience
        self.management = settings.management_audience
        self.built_in: Mapping[str, dict[str, Any]] = {
            self.userinfo: {"name": "UserInfo", "scopes": []},
            self.management: {"name": "Management API", "scopes": _scopes(MANAGEMENT)},
            settings.external_audience: {"name": "External API", "scopes": _scopes(EXTERNAL)},
        }

    def identifiers(self) -> list[str]:
        """The identifiers of all APIs but UserInfo."""
        with self._database.transaction() as connection:
            rows = connection.execute("SELECT identifier FROM resource_servers ORDER BY identifier")
            stored = [row["identifier"] for row in rows]
        return [each for each in dict.fromkeys((*self.built_in, *stored)) if each != self.userinfo]

    def find(self, identifier: str) -> dict[str, Any] | None:
        """An API as the Management API shows it."""
        with self._database.transaction() as connection:
            stored = stored_api(connection, identifier)
        built_in = self.built_in.get(identifier)
        if built_in is None and stored is None:
            return None
        return {
            "id": identifier,
            "name": identifier,
            "scopes": [],
            "signing_alg": "RS256",
            "token_lifetime": self._lifetime,
            "allow_offline_access": True,
            "enforce_policies": False,
            "token_dialect": "rfc9068_profile",
            **(built_in or {}),
            **(stored or {}),
            "identifier": identifier,
            "is_system": identifier == self.management,
        }

    def save(self, identifier: str, changes: Mapping[str, Any]) -> None:
        """Add an API, or change members of it."""
        with self._database.transaction() as connection:
            document = {**(stored_api(connection, identifier) or {}), **changes}
            write_api(connection, identifier, document)

    def delete(self, identifier: str) -> bool:
        """Delete an API; False if it is one of the settings, which stay."""
        if identifier in self.built_in:
            return False
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM resource_servers WHERE identifier = ?", (identifier,))
            for table in ("role_permissions", "user_permissions", "consents"):
                connection.execute(f"DELETE FROM {table} WHERE audience = ?", (identifier,))  # noqa: S608
        return True

    def check(self, audience: str | None) -> None:
        """Raise `AccessDeniedError` if a requested audience is not the identifier of an API."""
        if audience and self.find(audience) is None:
            raise AccessDeniedError(described(f"Service not found: {audience}"))

    def scopes(self, audience: str) -> dict[str, str]:
        """The scopes of an API that users can grant, with what each allows."""
        api = self.find(audience) or {}
        scopes = {scope["value"]: scope.get("description", "") for scope in api.get("scopes", ())}
        return {name: scopes[name] for name in scopes if name not in ADMINISTRATION}

    def application_scopes(self, audience: str) -> list[str] | None:
        """The scopes that an application gets for itself; None if it may not call the API so."""
        if audience == self.userinfo:
            return None
        if audience == self.management:
            return list(ADMINISTRATION)
        return list(self.scopes(audience))

    def describe(self, audience: str, name: str) -> str:
        """What a scope allows, for the consent page."""
        return IDENTITY.get(name) or self.scopes(audience).get(name) or name

    def allowed_scope(self, audience: str, scope: str | None) -> str:
        """The scopes of `scope` that can be granted for an API: its own and those of identity."""
        own = self.scopes(audience)
        return " ".join(name for name in (scope or "").split() if name in own or name in IDENTITY)

    def token_lifetime(self, audience: str) -> int:
        """The lifetime of access tokens, in seconds."""
        return int((self.find(audience) or {}).get("token_lifetime", self._lifetime))

    def token_type(self, audience: str) -> str:
        """The `typ` of access tokens: `at+jwt` in RFC 9068's profile, `JWT` in Auth0's."""
        dialect = str((self.find(audience) or {}).get("token_dialect", ""))
        return "at+jwt" if dialect.startswith("rfc9068_profile") else "JWT"

    def authorized(self, audience: str, scope: str, user_id: str) -> tuple[str, dict[str, Any]]:
        """The scopes that a user may have at an API, and further claims of the access token.

        Without Auth0's role-based access control (`enforce_policies`) every scope is the user's.
        With it, those of the user's permissions are, which the claim `permissions` may list.
        """
        api = self.find(audience) or {}
        if not api.get("enforce_policies"):
            return scope, {}
        with self._database.transaction() as connection:
            permissions = effective_permissions(connection, user_id, audience)
        names = [name for name in scope.split() if name in IDENTITY or name in permissions]
        is_listed = str(api.get("token_dialect", "")).endswith("_authz")
        return " ".join(names), {"permissions": permissions} if is_listed else {}


def identity_scope(scope: str) -> str:
    """The scopes of `scope` that are about the user and not about an API."""
    return " ".join(name for name in scope.split() if name in IDENTITY)


def stored_api(connection: sqlite3.Connection, identifier: str) -> dict[str, Any] | None:
    """The document of an API in the data file."""
    row = connection.execute(
        "SELECT document FROM resource_servers WHERE identifier = ?", (identifier,)
    ).fetchone()
    return stored_object(row["document"]) if row else None


def write_api(connection: sqlite3.Connection, identifier: str, document: dict[str, Any]) -> None:
    """Store an API's document."""
    connection.execute(
        "INSERT OR REPLACE INTO resource_servers VALUES (?, ?)", (identifier, json.dumps(document))
    )


def _scopes(descriptions: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"value": name, "description": text} for name, text in descriptions.items()]
