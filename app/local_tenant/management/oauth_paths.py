"""The OpenAPI description of the endpoints that applications call without an access token."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from ..clients import GRANT_TYPES

_ERRORS = (400, 401, 403, 429)
_CREDENTIALS = ("client_id", "client_secret", "client_assertion", "client_assertion_type")
_GRANTS = (
    *("code", "redirect_uri", "code_verifier", "refresh_token", "audience", "scope"),
    *("device_code", "subject_token", "subject_token_type", "requested_token_type"),
    *("actor_token", "actor_token_type", "connection", "login_hint"),
)
_REQUEST = ("response_type", "redirect_uri", "scope", "audience", "state", "nonce", "request")
_ACCOUNT = ("client_id", "email", "password", "connection")

OAUTH_SCHEMAS: dict[str, Any] = {
    name: {
        "type": "object",
        "properties": {member: {"type": kind} for member, kind in members.items()},
        "required": list(members),
    }
    for name, members in {
        "OAuthError": {"error": "string"},
        "Token": {"access_token": "string", "token_type": "string", "expires_in": "integer"},
        "PushedRequest": {"request_uri": "string", "expires_in": "integer"},
        "Device": {
            **dict.fromkeys(("device_code", "user_code", "verification_uri"), "string"),
            **dict.fromkeys(("expires_in", "interval"), "integer"),
        },
        "Introspection": {"active": "boolean"},
        "Account": {"_id": "string", "email": "string", "email_verified": "boolean"},
        "SignUpError": {"statusCode": "integer"},
    }.items()
}


def oauth_paths() -> dict[str, Any]:
    """The paths, each with its operation."""
    token = _operation("Get tokens", ("grant_type",), (*_CREDENTIALS, *_GRANTS), "Token")
    body = token["requestBody"]["content"]["application/x-www-form-urlencoded"]
    body["schema"]["properties"]["grant_type"]["enum"] = list(GRANT_TYPES)
    of_token = ("token_type_hint", *_CREDENTIALS)
    device = _operation(
        "Get a device code", ("client_id",), (*_CREDENTIALS[1:], "scope", "audience"), "Device"
    )
    return {
        path: {"post": operation}
        for path, operation in {
            "/oauth/token": token,
            "/oauth/revoke": _operation("Revoke a refresh token", ("token",), of_token),
            "/oauth/introspect": _operation(
                "Introspect a token", ("token",), of_token, "Introspection"
            ),
            "/oauth/device/code": device,
            "/oauth/par": _operation(
                "Push a request", (), (*_CREDENTIALS, *_REQUEST), "PushedRequest", status=201
            ),
            "/dbconnections/signup": _operation(
                "Sign a user up", _ACCOUNT, (), "Account", error="SignUpError"
            ),
        }.items()
    }


def _operation(
    summary: str,
    required: tuple[str, ...],
    optional: tuple[str, ...],
    result: str | None = None,
    *,
    status: int = 200,
    error: str = "OAuthError",
) -> dict[str, Any]:
    """An operation that takes a form. Parameters that it does not know are ignored."""
    schema = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in (*required, *optional)},
        "required": list(required),
    }
    success = _content("Success", result) if result else {"description": "Success"}
    errors = {str(each): _content(HTTPStatus(each).phrase, error) for each in _ERRORS}
    too_large = {"413": _content(HTTPStatus(413).phrase, "Error")}
    return {
        "operationId": summary.lower().replace(" ", "_"),
        "summary": summary,
        "security": [],
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": schema}},
        },
        "responses": {str(status): success, **errors, **too_large},
    }


def _content(text: str, name: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{name}"}
    return {"description": text, "content": {"application/json": {"schema": reference}}}
