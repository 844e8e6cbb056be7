"""The signing key and the tokens it signs (RFC 7519, RFC 9068)."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from .database import Database

ALGORITHM = "RS256"


class Signer:
    """Signs with one RSA key, which is generated once for each data file, or by a rotation."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:
            self._keys = _load_keys(connection) or [_new_key(connection)]

    @property
    def key(self) -> RSAKey:
        """The key that signs."""
        return self._keys[0]

    def rotate(self, *, keep_old: bool) -> None:
        """Sign with a new key. The old ones stay published, and their tokens good, or do not."""
        with self._database.transaction() as connection:
            if not keep_old:
                connection.execute("DELETE FROM keys")
            new = _new_key(connection)
        self._keys = [new, *self._keys] if keep_old else [new]

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JWK set (RFC 7517 section 5), the newest first."""
        public = (key.as_dict(private=False) for key in self._keys)
        return {"keys": [{**key, "use": "sig", "alg": ALGORITHM} for key in public]}

    def signed(self, claims: dict[str, Any], *, typ: str = "JWT") -> str:
        """A signed JWT; the type of an access token is `at+jwt` by RFC 9068 section 2.1."""
        header = {"alg": ALGORITHM, "kid": self.key.kid, "typ": typ}
        return jwt.encode(header, claims, self.key, [ALGORITHM])

    def claims(self, token: str, *, typ: str | None = None) -> dict[str, Any] | None:
        """The claims of a token that such a key signed, even if it has expired; else None."""
        try:
            decoded = jwt.decode(token, KeySet(list(self._keys)), [ALGORITHM])
        except (JoseError, ValueError):
            return None
        if typ is not None and decoded.header.get("typ") != typ:
            return None
        return dict(decoded.claims)


def _load_keys(connection: sqlite3.Connection) -> list[RSAKey]:
    rows = connection.execute("SELECT jwk FROM keys ORDER BY rowid DESC")
    return [RSAKey.import_key(json.loads(row["jwk"])) for row in rows]


def _new_key(connection: sqlite3.Connection) -> RSAKey:
    key = RSAKey.generate_key(2048, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    connection.execute(
        "INSERT INTO keys VALUES (?, ?)", (key.kid, json.dumps(key.as_dict(private=True)))
    )
    return key
