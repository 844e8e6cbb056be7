"""What a client by hand can think of to send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .raw_tab import STATE

NONSENSE: list[Any] = [
    *({}, [], "", "x", None, 0, True),
    *({"x": 1}, {"self": 1}, {"user": {"sub": "somebody"}}, {"": {}}, [["device_id", "x"]]),
]


def payloads(arguments: list[str], device_id: str) -> list[Any]:
    """For a handler with these arguments: what would work, what has the wrong types, nonsense."""
    plausible = {
        "device_id": device_id,
        "form": {"metadata": '{"stolen": true}'},
        "var_name": "rows",
        "value": [],
        "rule": "0123456789ab",
    }
    odd: list[Any] = [None, -1, "x", [[]], {"x": {}}]
    wrong = [dict.fromkeys(arguments, value) for value in odd]
    return [{name: plausible.get(name, "x") for name in arguments}, *wrong, *NONSENSE]


def names_like(name: str) -> list[str]:
    """What looks like the name of a handler, and is none."""
    state, _, handler = name.rpartition(".")
    return [
        *(name.upper(), name.title(), f" {name}", f"{name} ", f"{name}\n", f"{name}\0", f"{name}."),
        *(f".{name}", f"{state}..{handler}", f"{state}/{handler}", f"{STATE}.{name}", handler),
        *(name.removeprefix(f"{STATE}."), f"{STATE}.{handler}", f"{name}.fn", f"{name}.__call__"),
        *(f"{state}.__class__.{handler}", f"{state}._{handler}", f"{state}.set_{handler}"),
        *(f"{name}%20", name.replace("_", "\uff3f"), name.replace(".", "\u2024"), f"_{name}"),
    ]


def forged_fields(handle: str, sid: str, token: str) -> Iterator[dict[str, Any]]:
    """What an event can say about where it comes from, in the name of somebody's open tab."""
    page = {"pathname": "/account", "asPath": "/account"}
    claims = {
        "headers": {"cookie": f"auth_session={handle}", "authorization": f"Bearer {handle}"},
        **dict.fromkeys(("sid", "session_id", "sessionId"), sid),
        **dict.fromkeys(("token", "client_token", "clientToken"), token),
        **{"ip": "127.0.0.1", "auth.session_reference": handle, "asgi.scope": {}},
    }
    yield {"router_data": {**page, **claims}}
    for name, value in claims.items():
        yield {"router_data": {**page, name: value}}
        yield {name: value}
    odd: list[Any] = [None, [], "x", 1, {"pathname": None}, {"pathname": "/x", "asPath": []}]
    for each in odd:
        yield {"router_data": each}
    yield {"substate_token": token, "client_state": {}, "is_authenticated": True}


def settings(states: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """An attempt at each variable of each State, by each handler that could set one."""
    everything: dict[str, Any] = {}
    for state, variables in states.items():
        for variable in (name.removesuffix("_rx_state_") for name in variables):
            everything[f"{state}.{variable}"] = "forged"
            yield f"{state}.setvar", {"var_name": variable, "value": "forged"}
            yield f"{state}.set_{variable}", {"value": "forged"}
    internal = f"{STATE}.reflex___state____update_vars_internal_state.update_vars_internal"
    yield internal, {"vars": everything}
    yield f"{STATE}.hydrate_and_load", {"vars": everything, "hashes": ["0"] * len(states)}
    yield f"{STATE}.hydrate_and_load", {"vars": everything}


NO_EVENTS: list[Any] = [
    *(None, [], "", "x", 1, True, {}, '{"name": 1}', "[]", {"name": None, "payload": {}}),
    *({"name": [], "payload": {}}, {"name": {}, "payload": {}}, {"payload": {}}),
]
