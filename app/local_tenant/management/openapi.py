"""The OpenAPI description of the tenant; that of the Management API is made from its endpoints."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from .api import ENDPOINTS
from .endpoint import Endpoint
from .oauth_paths import OAUTH_SCHEMAS, oauth_paths

_ERRORS = (400, 401, 403, 404, 409, 413, 415, 429)
_TYPES: dict[str, dict[str, Any]] = {
    "a": {"type": "array"},
    "b": {"type": "boolean"},
    "i": {"type": "integer"},
    "o": {"type": "object"},
    "t": {"type": "string"},
}


def _result(required: str, optional: str = "") -> dict[str, Any]:
    """The schema of an answer, from words such as `name:t`. Auth0's answers have further members,
    so these may have them, too."""
    members = dict(word.split(":") for word in f"{required} {optional}".split())
    return {
        "type": "object",
        "properties": {name: _TYPES[kind] for name, kind in members.items()},
        "required": [word.split(":")[0] for word in required.split()],
    }


_USER = "user_id:t email:t email_verified:b name:t picture:t created_at:t updated_at:t identities:a"
_SCHEMAS: dict[str, Any] = {
    "User": {**_result("", f"{_USER} user_metadata:o app_metadata:o blocked:b")},
    "RoleUser": _result("user_id:t email:t name:t picture:t"),
    "Role": _result("id:t name:t description:t"),
    "Permission": _result("permission_name:t description:t resource_server_identifier:t"),
    "Client": _result("", "client_id:t name:t callbacks:a grant_types:a refresh_token:o"),
    "ResourceServer": _result("id:t identifier:t name:t token_lifetime:i scopes:a", "is_system:b"),
    "Organization": _result("id:t name:t display_name:t", "metadata:o"),
    "Invitation": _result("id:t organization_id:t invitation_url:t ticket_id:t expires_at:t"),
    "Log": _result("log_id:t date:t type:t description:t", "user_id:t client_id:t ip:t"),
    "Session": _result("id:t user_id:t created_at:t authenticated_at:t"),
    "ConnectedAccounts": _result("connected_accounts:a", "next:t"),
    "Grant": _result("id:t clientID:t user_id:t audience:t scope:a"),
    "Ticket": _result("ticket:t"),
    "Job": _result("id:t type:t status:t created_at:t"),
    "Empty": _result(""),
    "Error": _result("statusCode:i error:t message:t", "errorCode:t"),
}


def description(issuer: str) -> dict[str, Any]:
    """The description (OpenAPI 3.1)."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(f"/api/v2{endpoint.path}", {})[endpoint.method.lower()] = _operation(
            endpoint
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The local tenant",
            "version": "2.0",
            "description": "Endpoints of OAuth, and the part of Auth0's Management API v2 that "
            "the local tenant has.",
        },
        "servers": [{"url": issuer.removesuffix("/")}],
        "security": [{"token": []}],
        "paths": {**oauth_paths(), **paths},
        "components": {
            "schemas": {**_SCHEMAS, **OAUTH_SCHEMAS},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    name = re.sub(r"[^a-z]+", "_", f"{endpoint.method}{endpoint.path}".lower()).strip("_")
    in_path = [
        {"name": each, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for each in re.findall(r"{(\w+)}", endpoint.path)
    ]
    in_query = [
        {"name": each, "in": "query", "schema": _anchored(schema)}
        for each, schema in endpoint.query.items()
    ]
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": endpoint.summary,
        "description": f"Takes one of the scopes {', '.join(endpoint.scopes)}.",
        "parameters": [*in_path, *in_query],
        "responses": {
            str(endpoint.status): _success(endpoint),
            **{str(status): _content(HTTPStatus(status).phrase, "Error") for status in _ERRORS},
        },
    }
    if endpoint.body is not None:
        content = {"application/json": {"schema": _anchored(endpoint.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _anchored(schema: Any) -> Any:
    """Patterns for the whole text: JSON Schema searches, the tenant compares everything."""
    if isinstance(schema, dict):
        return {
            name: f"^(?:{value})$"
            if name == "pattern" and isinstance(value, str)
            else _anchored(value)
            for name, value in schema.items()
        }
    return [_anchored(each) for each in schema] if isinstance(schema, list | tuple) else schema


def _success(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.result is None:
        return {"description": HTTPStatus(endpoint.status).phrase}
    answer = _content("Success", endpoint.result)
    if not endpoint.is_list:
        return answer
    items = {"type": "array", "items": _reference(endpoint.result)}
    schema = {"anyOf": [items, _result("", "start:i limit:i length:i total:i next:t")]}
    return {"description": "Success", "content": {"application/json": {"schema": schema}}}


def _content(text: str, name: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": _reference(name)}}}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
