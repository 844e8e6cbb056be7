"""The registered applications: those of the settings, changed and added to by the data file.

The file holds documents with the names of Auth0's Management API. The callback and logout URLs that
follow from the app's URL are always registered, and are not in the file: the app may move.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from .clients import Client
from .database import Database
from .strict_json import stored_object

URLS = {
    "callbacks": "redirect_uris",
    "allowed_logout_urls": "post_logout_redirect_uris",
    "web_origins": "web_origins",
    "allowed_origins": "allowed_origins",
}
Document = dict[str, Any]


class ClientRegistry(Mapping[str, Client]):
    """The clients by id, as the data file has them at each look."""

    def __init__(self, database: Database, built_in: Mapping[str, Client]) -> None:
        self._database = database
        self._origins: frozenset[str] | None = None
        self._lock = threading.Lock()
        self.built_in = built_in

    @property
    def origins(self) -> frozenset[str]:
        """The origins whose scripts may call the tenant, of all clients. They are kept until a
        client changes: each request with an `Origin` asks for them."""
        with self._lock:
            if self._origins is None:
                self._origins = frozenset(
                    origin
                    for client in list(self.values())
                    for origin in (*client.web_origins, *client.allowed_origins)
                )
            return self._origins

    def __getitem__(self, client_id: str) -> Client:
        with self._database.transaction() as connection:
            stored = _stored(connection, client_id)
        base = self.built_in.get(client_id)
        if base is None and stored is None:
            raise KeyError(client_id)
        return _client(client_id, base, stored or {})

    def __iter__(self) -> Iterator[str]:
        with self._database.transaction() as connection:
            rows = connection.execute("SELECT client_id FROM clients ORDER BY client_id").fetchall()
        return iter(dict.fromkeys((*self.built_in, *(row["client_id"] for row in rows))))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def document(self, client_id: str) -> Document:
        """A client as the Management API shows it.

        Raises:
            KeyError: there is none.
        """
        client = self[client_id]
        with self._database.transaction() as connection:
            stored = _stored(connection, client_id) or {}
        public = client.is_public
        lifetimes = {"token_lifetime": client.refresh_token_lifetime}
        refresh_token = {
            "rotation_type": "rotating" if client.rotates_refresh_tokens else "non-rotating",
            "expiration_type": "expiring",
            "leeway": client.rotation_overlap,
            **lifetimes,
        }
        return {
            "app_type": "spa" if public else "regular_web",
            "token_endpoint_auth_method": "none" if public else "client_secret_post",
            **stored,
            "grant_types": list(client.grant_types),
            "client_id": client_id,
            "name": client.name,
            **{member: list(getattr(client, field)) for member, field in URLS.items()},
            **({"client_secret": client.client_secret} if client.client_secret else {}),
            "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": client.id_token_lifetime},
            "refresh_token": {k: v for k, v in refresh_token.items() if v is not None},
            "organization_usage": client.organization_usage,
            "is_first_party": True,
        }

    def save(self, client_id: str, changes: Document) -> None:
        """Add a client or change members of it; None removes a member.

        URLs that follow from the settings are left out: they are registered anyway.
        """
        base = self.built_in.get(client_id)
        with self._database.transaction() as connection:
            document = {**(_stored(connection, client_id) or {}), **changes}
            for member, field in URLS.items():
                given = set(getattr(base, field)) if base else set()
                urls = document.get(member) or []
                document[member] = [url for url in dict.fromkeys(urls) if url not in given]
            kept = {name: value for name, value in document.items() if value is not None}
            write_client(connection, client_id, kept)
        self._forget_origins()

    def delete(self, client_id: str) -> bool:
        """Delete a client; False if it is one of the settings, which stay."""
        if client_id in self.built_in:
            return False
        with self._database.transaction() as connection:
            for table in ("clients", "consents", "codes", "refresh_tokens", "devices"):
                connection.execute(f"DELETE FROM {table} WHERE client_id = ?", (client_id,))  # noqa: S608
        self._forget_origins()
        return True

    def _forget_origins(self) -> None:
        with self._lock:
            self._origins = None


def new_client_id() -> str:
    """An id as Auth0 gives them: 32 letters and digits."""
    return secrets.token_hex(16)


def new_client_secret() -> str:
    """A secret of 256 bits."""
    return secrets.token_urlsafe(32)


def write_client(connection: sqlite3.Connection, client_id: str, document: Document) -> None:
    """Store a client's document."""
    connection.execute(
        "INSERT OR REPLACE INTO clients VALUES (?, ?)", (client_id, json.dumps(document))
    )


def _stored(connection: sqlite3.Connection, client_id: str) -> Document | None:
    row = connection.execute(
        "SELECT document FROM clients WHERE client_id = ?", (client_id,)
    ).fetchone()
    return stored_object(row["document"]) if row else None


def _client(client_id: str, base: Client | None, document: Document) -> Client:
    client = base or Client(client_id, client_id, (), ())
    refresh = document.get("refresh_token") or {}
    logout = document.get("oidc_logout") or {}
    jwt = document.get("jwt_configuration") or {}
    public = document.get("token_endpoint_auth_method") == "none"
    secret = document.get("client_secret", client.client_secret)
    urls: dict[str, Any] = {
        field: tuple(dict.fromkeys((*getattr(client, field), *document.get(member, ()))))
        for member, field in URLS.items()
    }
    return replace(
        client,
        name=document.get("name", client.name),
        client_secret=None if public else secret,
        rotates_refresh_tokens=refresh.get("rotation_type", "rotating") == "rotating",
        rotation_overlap=refresh.get("leeway", client.rotation_overlap),
        refresh_token_lifetime=refresh.get("token_lifetime", client.refresh_token_lifetime),
        id_token_lifetime=jwt.get("lifetime_in_seconds", client.id_token_lifetime),
        organization_usage=document.get("organization_usage", client.organization_usage),
        jwks=document.get("jwks"),
        resource_server=document.get("resource_server_identifier"),
        grant_types=tuple(document.get("grant_types", client.grant_types)),
        backchannel_logout_uris=tuple(
            logout.get("backchannel_logout_urls", client.backchannel_logout_uris)
        ),
        **urls,
    )
