"""Applications and APIs: what the settings register, and what was added or changed here."""

from __future__ import annotations

from html import escape
from typing import Any

from starlette.responses import Response

from ..client_store import new_client_id, new_client_secret
from ..schema import Invalid, check
from ..seed_format import API, APPLICATION, AUDIENCE, record
from .view import Handler, View, area, checkbox, field, href, link, section, select, table

_KINDS = {
    "regular_web": "Regular web application (with a secret)",
    "spa": "Single-page application",
    "native": "Native application",
    "non_interactive": "Machine to machine",
}
_USAGES = {"allow": "Users or members", "deny": "Users", "require": "Members of organizations"}
_ROTATIONS = {"rotating": "Rotating", "non-rotating": "Not rotating"}


def applications(view: View) -> Response:
    """The list of applications, and a form for a new one."""
    return _applications(view)


def create_application(view: View) -> Response:
    """Create an application."""
    kind = view.text("app_type")
    is_public = kind in ("spa", "native")
    document: dict[str, Any] = {
        "name": view.text("name"),
        "app_type": kind,
        "callbacks": view.lines("callbacks"),
        "token_endpoint_auth_method": "none" if is_public else "client_secret_post",
        **({} if is_public else {"client_secret": new_client_secret()}),
    }
    problem = _problem(document, record(APPLICATION, "name"))
    if problem:
        return _applications(view, problem=problem)
    client_id = new_client_id()
    view.server.clients.save(client_id, document)
    return view.saved(href("applications", client_id))


def application(view: View) -> Response:
    """One application."""
    return _application(view)


def change_application(view: View) -> Response:
    """Save, give a new secret, or delete."""
    client_id, clients = view.request.path_params["id"], view.server.clients
    if client_id not in clients:
        return view.unknown("applications", "No such application")
    if view.text("action") == "delete":
        if clients.delete(client_id):
            return view.saved("/applications")
        return _application(view, problem="This application follows from the settings and stays.")
    if view.text("action") == "rotate-secret":
        clients.save(client_id, {"client_secret": new_client_secret()})
        return view.saved(href("applications", client_id))
    try:
        changes = _application_changes(view)
    except ValueError:
        return _application(view, problem="Not saved: lifetimes are whole seconds.")
    problem = _problem(changes, record(APPLICATION))
    if problem:
        return _application(view, problem=problem)
    clients.save(client_id, changes)
    return view.saved(href("applications", client_id))


def _application_changes(view: View) -> dict[str, Any]:
    refresh: dict[str, Any] = {"rotation_type": view.text("rotation_type")}
    for name in ("leeway", "token_lifetime"):
        if view.text(name):
            refresh[name] = int(view.text(name))
    lines = ("callbacks", "allowed_logout_urls", "web_origins")
    return {
        "name": view.text("name"),
        **{name: view.lines(name) for name in lines},
        "refresh_token": refresh,
        "jwt_configuration": {"lifetime_in_seconds": int(view.text("lifetime_in_seconds"))},
        "organization_usage": view.text("organization_usage"),
    }


def _applications(view: View, *, problem: str | None = None) -> Response:
    clients = view.server.clients
    rows = (
        (
            link(client.name, "applications", client_id),
            f"<code>{escape(client_id)}</code>",
            "no secret" if client.client_secret is None else "with a secret",
        )
        for client_id, client in clients.items()
    )
    listed = table(("Application", "Client id", "Kind"), rows, "There are no applications.")
    new = view.send(
        field("Name", "name", view.text("name"), required="")
        + select("Kind", "app_type", _KINDS, view.text("app_type"))
        + area("Callback URLs, one per line", "callbacks", view.text("callbacks"), rows=2)
        + '<button data-testid="application-create">Create application</button>',
        classes="fields",
    )
    body = listed + section("New application", new)
    return view.page("applications", "Applications", body, problem=problem)


def _application(view: View, *, problem: str | None = None) -> Response:
    client_id = view.request.path_params["id"]
    if client_id not in view.server.clients:
        return view.unknown("applications", "No such application")
    document = view.server.clients.document(client_id)
    refresh, secret = document["refresh_token"], document.get("client_secret")
    lifetime = str(document["jwt_configuration"]["lifetime_in_seconds"])
    credentials = f"<p>Client id: <code>{escape(client_id)}</code></p>"
    if secret:
        credentials += f"<p>Secret: <code>{escape(secret)}</code></p>" + view.button(
            "rotate-secret", "Give it a new secret"
        )
    settings = view.send(
        field("Name", "name", document["name"], required="")
        + _lines("Callback URLs", "callbacks", document)
        + _lines("Logout URLs", "allowed_logout_urls", document)
        + _lines("Web origins", "web_origins", document)
        + field("ID token lifetime, seconds", "lifetime_in_seconds", lifetime, inputmode="numeric")
        + select("Refresh tokens", "rotation_type", _ROTATIONS, refresh["rotation_type"])
        + field(
            *("Overlap of rotation, seconds", "leeway", str(refresh.get("leeway", ""))),
            inputmode="numeric",
        )
        + field(
            *("Refresh token lifetime, seconds", "token_lifetime"),
            str(refresh.get("token_lifetime", "")),
            inputmode="numeric",
        )
        + select("For whom", "organization_usage", _USAGES, document["organization_usage"])
        + '<button name="action" value="save" data-testid="application-save">Save</button>'
    )
    body = section("Credentials", credentials) + section("Settings", settings)
    if client_id not in view.server.clients.built_in:
        body += section("Delete", view.button("delete", "Delete application", classes="danger"))
    return view.page("applications", document["name"], body, problem=problem)


def apis(view: View) -> Response:
    """The list of APIs, and a form for a new one."""
    return _apis(view)


def create_api(view: View) -> Response:
    """Create an API."""
    identifier = view.text("identifier")
    document = {"identifier": identifier, "name": view.text("name") or identifier}
    problem = _problem(document, record({**API, "identifier": AUDIENCE}, "identifier"))
    if not problem and view.server.apis.find(identifier) is not None:
        problem = "Not saved: there is already an API with this identifier."
    if problem:
        return _apis(view, problem=problem)
    view.server.apis.save(identifier, {"name": document["name"], "scopes": []})
    return view.saved(href("apis", identifier))


def api(view: View) -> Response:
    """One API."""
    return _api(view)


def change_api(view: View) -> Response:
    """Save or delete."""
    identifier = view.request.path_params["id"]
    if view.server.apis.find(identifier) is None:
        return view.unknown("apis", "No such API")
    if view.text("action") == "delete":
        if view.server.apis.delete(identifier):
            return view.saved("/apis")
        return _api(view, problem="This API follows from the settings and stays.")
    is_controlled = "enforce" in view.texts("policy")
    parts = (line.partition(" ") for line in view.lines("scopes"))
    changes: dict[str, Any] = {
        "name": view.text("name"),
        "scopes": [{"value": name, "description": text.strip()} for name, _, text in parts],
        "enforce_policies": is_controlled,
    }
    try:
        changes["token_lifetime"] = int(view.text("token_lifetime"))
    except ValueError:
        return _api(view, problem="Not saved: the lifetime is a whole number of seconds.")
    problem = _problem(changes, record(API))
    if problem:
        return _api(view, problem=problem)
    view.server.apis.save(identifier, changes)
    return view.saved(href("apis", identifier))


def _apis(view: View, *, problem: str | None = None) -> Response:
    found = [view.server.apis.find(identifier) for identifier in view.server.apis.identifiers()]
    rows = (
        (
            link(each["name"], "apis", each["identifier"]),
            f"<code>{escape(each['identifier'])}</code>",
            f"{len(each['scopes'])}",
        )
        for each in found
        if each
    )
    new = view.send(
        field("Identifier (the audience)", "identifier", view.text("identifier"), required="")
        + field("Name", "name", view.text("name"))
        + '<button data-testid="api-create">Create API</button>',
        classes="fields",
    )
    listed = table(("API", "Identifier", "Scopes"), rows, "There are no APIs.")
    return view.page("apis", "APIs", listed + section("New API", new), problem=problem)


def _api(view: View, *, problem: str | None = None) -> Response:
    identifier = view.request.path_params["id"]
    found = view.server.apis.find(identifier)
    if found is None:
        return view.unknown("apis", "No such API")
    scopes = "\n".join(
        f"{scope['value']} {scope.get('description', '')}".strip() for scope in found["scopes"]
    )
    form = view.send(
        field("Name", "name", found["name"], required="")
        + area("Scopes, one per line, each with what it allows", "scopes", scopes)
        + field(
            *("Access token lifetime, seconds", "token_lifetime", str(found["token_lifetime"])),
            inputmode="numeric",
        )
        + checkbox(
            "Issue only the scopes that are permissions of the user",
            *("policy", "enforce"),
            checked=found["enforce_policies"],
        )
        + '<button name="action" value="save" data-testid="api-save">Save</button>'
    )
    body = f"<p><code>{escape(identifier)}</code></p>" + section("Settings", form)
    if identifier not in view.server.apis.built_in:
        body += section("Delete", view.button("delete", "Delete API", classes="danger"))
    return view.page("apis", found["name"], body, problem=problem)


def _lines(label: str, name: str, document: dict[str, Any]) -> str:
    return area(f"{label}, one per line", name, "\n".join(document.get(name, ())), rows=4)


def _problem(document: dict[str, Any], schema: Any) -> str | None:
    try:
        check(document, schema)
    except Invalid as problem:
        return f"Not saved: {problem.text} ({problem.path or 'all of it'})."
    return None


PAGES: dict[str, tuple[Handler, Handler]] = {
    "/applications": (applications, create_application),
    "/applications/{id}": (application, change_application),
    "/apis": (apis, create_api),
    "/apis/{id:path}": (api, change_api),
}
