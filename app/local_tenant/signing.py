"""The signing key and the tokens it signs (RFC 7519, RFC 9068)."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from .database import Database

ALGORITHM = "RS256"


class Signer:
    """Signs with one RSA key, which is generated once for each data file."""

    def __init__(self, database: Database) -> None:
        with database.transaction() as connection:
            self.key = _load_key(connection)

    def jwks(self) -> dict[str, Any]:
        """The public key as a JWK set (RFC 7517 section 5)."""
        return {"keys": [{**self.key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}]}

    def signed(self, claims: dict[str, Any], *, typ: str = "JWT") -> str:
        """A signed JWT; the type of an access token is `at+jwt` by RFC 9068 section 2.1."""
        header = {"alg": ALGORITHM, "kid": self.key.kid, "typ": typ}
        return jwt.encode(header, claims, self.key, [ALGORITHM])

    def claims(self, token: str, *, typ: str | None = None) -> dict[str, Any] | None:
        """The claims of a token that this key signed, even if it has expired; else None."""
        try:
            decoded = jwt.decode(token, self.key, [ALGORITHM])
        except (JoseError, ValueError):
            return None
        if typ is not None and decoded.header.get("typ") != typ:
            return None
        return dict(decoded.claims)


def _load_key(connection: sqlite3.Connection) -> RSAKey:
    row = connection.execute("SELECT jwk FROM keys").fetchone()
    if row:
        return RSAKey.import_key(json.loads(row["jwk"]))
    key = RSAKey.generate_key(2048, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    connection.execute(
        "INSERT INTO keys VALUES (?, ?)", (key.kid, json.dumps(key.as_dict(private=True)))
    )
    return key
