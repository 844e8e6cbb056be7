"""`/api/v2/clients`."""

from __future__ import annotations

from typing import Any

from ..client_store import new_client_id, new_client_secret
from ..seed_format import APPLICATION, BOOLEAN, record
from .endpoint import FIELDS, PAGE, Call, Endpoint
from .errors import ApiError


def _list(call: Call) -> Any:
    registry = call.server.clients
    return call.page("clients", [registry.document(client_id) for client_id in registry])


def _get(call: Call) -> Any:
    return call.selected(_document(call, call.path["id"]))


def _create(call: Call) -> Any:
    client_id = new_client_id()
    is_public = call.body.get("token_endpoint_auth_method") == "none"
    secret = {} if is_public else {"client_secret": new_client_secret()}
    call.server.clients.save(client_id, {**secret, **call.body})
    return _document(call, client_id)


def _update(call: Call) -> Any:
    _document(call, call.path["id"])
    call.server.clients.save(call.path["id"], call.body)
    return _document(call, call.path["id"])


def _delete(call: Call) -> None:
    if not call.server.clients.delete(call.path["id"]):
        text = "This application follows from the tenant's settings and stays."
        raise ApiError(400, text, "operation_not_supported")


def _rotate(call: Call) -> Any:
    if "client_secret" not in _document(call, call.path["id"]):
        text = "A public client has no secret."
        raise ApiError(400, text, "operation_not_supported")
    call.server.clients.save(call.path["id"], {"client_secret": new_client_secret()})
    return _document(call, call.path["id"])


def _document(call: Call, client_id: str) -> dict[str, Any]:
    try:
        return call.server.clients.document(client_id)
    except KeyError:
        raise ApiError(404, "The client does not exist", "inexistent_client") from None


_PATH = "/clients/{id}"
_IS_FIRST_PARTY = {"is_first_party": BOOLEAN, "oidc_conformant": BOOLEAN}

ENDPOINTS = (
    Endpoint(
        *("GET", "/clients", ("read:clients",), "List applications", _list),
        result="Client",
        is_list=True,
        query={**PAGE, **FIELDS},
    ),
    Endpoint(
        *("POST", "/clients", ("create:clients",), "Create an application", _create),
        result="Client",
        status=201,
        body=record({**APPLICATION, **_IS_FIRST_PARTY}, "name"),
    ),
    Endpoint(
        *("GET", _PATH, ("read:clients",), "Get an application", _get),
        result="Client",
        query=FIELDS,
    ),
    Endpoint(
        *("PATCH", _PATH, ("update:clients",), "Update an application", _update),
        result="Client",
        body=record({**APPLICATION, **_IS_FIRST_PARTY}),
    ),
    Endpoint("DELETE", _PATH, ("delete:clients",), "Delete an application", _delete, status=204),
    Endpoint(
        *("POST", f"{_PATH}/rotate-secret", ("update:clients",), "Give it a new secret", _rotate),
        result="Client",
    ),
)
