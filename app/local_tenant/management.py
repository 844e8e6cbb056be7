"""The Management API: `GET` and `PATCH /api/v2/users/{id}`, with Auth0's scopes and errors."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from .dpop_proof import ProofError
from .server import TenantServer
from .strict_json import parse_json
from .users import User, find_user, save_metadata

READ_SCOPES = ("read:users", "read:user_idp_tokens", "read:current_user")
UPDATE_SCOPES = ("update:users", "update:users_app_metadata", "update:current_user_metadata")
_NAMES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


class ApiError(Exception):
    """An error in Auth0's envelope."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {
            "statusCode": status,
            "error": _NAMES[status],
            "message": message,
        }
        if code:
            self.body["errorCode"] = code
        if status == 401:
            self.body["attributes"] = {"error": message}


class Management:
    """The users endpoint, for access tokens with the audience of this API."""

    def __init__(self, server: TenantServer) -> None:
        self._server = server

    async def users(self, request: Request) -> Response:
        """The endpoint."""
        try:
            body = await request.body()
            document = await run_in_threadpool(self._handle, request, body)
        except ApiError as error:
            return _json(error.body, error.status)
        except ProofError as error:
            return self._server.dpop.refused(error)
        return _json(document, 200)

    def _handle(self, request: Request, body: bytes) -> dict[str, Any]:
        is_update = request.method == "PATCH"
        claims = self._claims(request)
        user_id = unquote(request.scope["raw_path"].decode("ascii").split("/users/", 1)[1])
        _check_scope(claims, UPDATE_SCOPES if is_update else READ_SCOPES)
        if claims["sub"] != user_id:
            raise ApiError(403, "User to be acted on does not match subject in bearer token.")
        user = self._update(user_id, body) if is_update else self._find(user_id)
        return _selected(user.document(self._server.settings.issuer), request)

    def _claims(self, request: Request) -> dict[str, Any]:
        """The claims of the Bearer token (RFC 6750 section 2.1)."""
        header = request.headers.get("authorization")
        if header is None:
            raise ApiError(401, "Missing authentication")
        scheme, _, token = header.partition(" ")
        if scheme.lower() not in ("bearer", "dpop") or token.count(".") != 2:
            raise ApiError(400, "Bad HTTP authentication header format")
        claims = self._server.signer.claims(token.strip(), typ="at+jwt")
        if claims is None:
            raise ApiError(401, "Invalid signature received for JSON Web Token validation")
        if claims["exp"] <= self._server.clock():
            raise ApiError(401, "Expired token received for JSON Web Token validation")
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if self._server.settings.management_audience not in audience:
            raise ApiError(401, "Invalid token")
        self._server.dpop.check_token(request, scheme, token.strip(), claims)
        return claims

    def _find(self, user_id: str) -> User:
        with self._server.database.transaction() as database:
            user = find_user(database, user_id=user_id)
        if user is None:
            raise ApiError(404, "The user does not exist.", "inexistent_user")
        return user

    def _update(self, user_id: str, body: bytes) -> User:
        changes = _changes(body)
        with self._server.database.transaction() as database:
            user = find_user(database, user_id=user_id)
            if user is None:
                raise ApiError(404, "The user does not exist.", "inexistent_user")
            metadata = merged(user.user_metadata, changes)
            save_metadata(database, user_id, metadata, self._server.clock())
        return self._find(user_id)


def merged(metadata: dict[str, Any] | None, changes: dict[str, Any]) -> dict[str, Any]:
    """Auth0's merge: first level only, `null` deletes a key, and an empty object empties it all."""
    if not changes:
        return {}
    result = {**(metadata or {}), **changes}
    return {name: value for name, value in result.items() if value is not None}


def _check_scope(claims: dict[str, Any], accepted: tuple[str, ...]) -> None:
    if not set(accepted) & set(str(claims.get("scope", "")).split()):
        raise ApiError(
            403,
            f"Insufficient scope, expected any of: {','.join(accepted)}",
            "insufficient_scope",
        )


def _changes(body: bytes) -> dict[str, Any]:
    try:
        document = parse_json(body)
    except ValueError:
        raise ApiError(400, "Invalid request payload JSON format") from None
    if not isinstance(document, dict):
        raise _invalid("Expected type object.")
    unknown = sorted(set(document) - {"user_metadata"})
    if unknown:
        raise _invalid(f"Additional properties not allowed: {', '.join(unknown)}")
    changes = document.get("user_metadata")
    if not isinstance(changes, dict):
        raise _invalid("Expected type object on property user_metadata.")
    return changes


def _invalid(detail: str) -> ApiError:
    return ApiError(400, f"Payload validation error: '{detail}'.", "invalid_body")


def _selected(document: dict[str, Any], request: Request) -> dict[str, Any]:
    """The `fields` and `include_fields` parameters."""
    fields = request.query_params.get("fields")
    if not fields:
        return document
    names = set(fields.split(","))
    include = request.query_params.get("include_fields", "true") != "false"
    return {name: value for name, value in document.items() if (name in names) == include}


def _json(body: dict[str, Any], status: int) -> Response:
    # ASCII: stored metadata may hold half of a surrogate pair, which JSON can escape.
    return Response(
        json.dumps(body),
        status,
        headers={"Cache-Control": "no-store", "Content-Type": "application/json; charset=utf-8"},
    )
