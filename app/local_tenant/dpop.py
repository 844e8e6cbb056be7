"""DPoP at the tenant (RFC 9449): accepted from each client, or required."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .database import Database
from .dpop_proof import ALGORITHM, ProofChecker, ProofError
from .request import TenantRequest
from .settings import TenantSettings

CODE, REFRESH_TOKEN = "code", "refresh_token"

# Here and not with the other tables: which tokens of a login are bound to a key.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS dpop_bindings (
    family TEXT NOT NULL, kind TEXT NOT NULL, jkt TEXT NOT NULL, PRIMARY KEY (family, kind)
)
"""


class DPoP:
    """Access tokens are bound to the key of the proof in the token request. So are the refresh
    tokens of a public client (section 5), and the code of a request with `dpop_jkt` (section
    10)."""

    def __init__(
        self, settings: TenantSettings, database: Database, clock: Callable[[], float]
    ) -> None:
        self._is_required = settings.dpop_required
        self._database = database
        self.tokens = ProofChecker(clock, needs_nonce=settings.dpop_nonces)
        self.resources = ProofChecker(clock, needs_nonce=settings.dpop_nonces)
        with database.transaction() as connection:
            connection.execute(_SCHEMA)

    def token_response(
        self,
        request: Request,
        oauth_request: TenantRequest,
        create_response: Callable[[TenantRequest], Response],
    ) -> Response:
        """Answer a token request. A proof is checked before the grant, which it does not use up."""
        try:
            if self._is_required or "dpop" in request.headers:
                oauth_request.dpop_jkt = self.tokens.check(request)
            response = create_response(oauth_request)
        except ProofError as error:
            body = {"error": error.error, "error_description": error.description}
            response = JSONResponse(body, 400, headers={"Cache-Control": "no-store"})
        response.headers.update(self.tokens.headers)
        return response

    def bind(self, family: str, kind: str, jkt: str | None) -> None:
        """Bind the code or the refresh tokens of a login to a key; to none if there is none."""
        if jkt:
            with self._database.transaction() as connection:
                connection.execute(
                    "INSERT OR IGNORE INTO dpop_bindings VALUES (?, ?, ?)", (family, kind, jkt)
                )

    def check(self, family: str, kind: str, jkt: str | None) -> None:
        """Raise `InvalidGrantError` if a code or refresh token is bound to another key."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT jkt FROM dpop_bindings WHERE family = ? AND kind = ?", (family, kind)
            ).fetchone()
        if row is not None and row["jkt"] != jkt:
            raise InvalidGrantError("The grant is bound to another DPoP key.")

    def check_token(
        self, request: Request, scheme: str, token: str, claims: dict[str, Any]
    ) -> None:
        """Check the use of a valid access token at UserInfo or the Management API. Raises
        `ProofError`."""
        if self._is_required and scheme.lower() != "dpop":
            raise ProofError("A DPoP proof is required.", "invalid_token")
        self.resources.check_token(request, scheme, token, claims)

    def refused(self, error: ProofError) -> Response:
        """Return the response for a `ProofError` of `check_token` (section 7.1)."""
        challenge = f'DPoP error="{error.error}", error_description="{error.description}"'
        headers = {"WWW-Authenticate": f'{challenge}, algs="{ALGORITHM}"', **self.resources.headers}
        body = {"error": error.error, "error_description": error.description}
        return JSONResponse(body, 401, headers=headers)


def confirmation(jkt: str | None) -> dict[str, Any]:
    """Return the claim `cnf` of an access token that is bound to a key (section 6.1)."""
    return {"cnf": {"jkt": jkt}} if jkt else {}
