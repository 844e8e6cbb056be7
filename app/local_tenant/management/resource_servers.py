"""`/api/v2/resource-servers`: the APIs that access tokens are for."""

from __future__ import annotations

from typing import Any

from ..seed_format import API, AUDIENCE, record
from .endpoint import PAGE, Call, Endpoint
from .errors import ApiError


def _list(call: Call) -> Any:
    apis = call.server.apis
    return call.page("resource_servers", [apis.find(each) for each in apis.identifiers()])


def _get(call: Call) -> Any:
    found = call.server.apis.find(call.path["id"])
    if found is None:
        raise ApiError(404, "The resource server does not exist", "inexistent_resource_server")
    return found


def _create(call: Call) -> Any:
    apis, identifier = call.server.apis, call.body["identifier"]
    if apis.find(identifier) is not None:
        text = f"A resource server with the identifier {identifier} already exists"
        raise ApiError(409, text, "resource_server_conflict")
    changes = {name: value for name, value in call.body.items() if name != "identifier"}
    apis.save(identifier, {"name": identifier, **changes})
    return apis.find(identifier)


def _update(call: Call) -> Any:
    _get(call)
    call.server.apis.save(call.path["id"], call.body)
    return _get(call)


def _delete(call: Call) -> None:
    if not call.server.apis.delete(call.path["id"]):
        text = "This API follows from the tenant's settings and stays."
        raise ApiError(400, text, "operation_not_supported")


_PATH = "/resource-servers/{id}"

ENDPOINTS = (
    Endpoint(
        *("GET", "/resource-servers", ("read:resource_servers",), "List APIs", _list),
        result="ResourceServer",
        is_list=True,
        query=PAGE,
    ),
    Endpoint(
        *("POST", "/resource-servers", ("create:resource_servers",), "Create an API", _create),
        result="ResourceServer",
        status=201,
        body=record({**API, "identifier": AUDIENCE}, "identifier"),
    ),
    Endpoint(
        *("GET", _PATH, ("read:resource_servers",), "Get an API", _get),
        result="ResourceServer",
    ),
    Endpoint(
        *("PATCH", _PATH, ("update:resource_servers",), "Update an API", _update),
        result="ResourceServer",
        body=record(API),
    ),
    Endpoint("DELETE", _PATH, ("delete:resource_servers",), "Delete an API", _delete, status=204),
)
