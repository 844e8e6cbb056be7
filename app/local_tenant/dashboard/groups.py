"""Roles with their permissions, and organizations with their members."""

from __future__ import annotations

import sqlite3
from html import escape
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from .. import organizations as orgs
from .. import roles
from ..schema import Invalid, check
from ..seed_format import EMAIL, ORGANIZATION, ROLE, record
from ..users import all_users
from .view import Handler, View, checkbox, field, href, link, section, select, table


def role_index(view: View) -> Response:
    """The list of roles, and a form for a new one."""
    return _roles(view)


def create_role(view: View) -> Response:
    """Create a role."""
    document = {"name": view.text("name"), "description": view.text("description")}
    try:
        check(document, record(ROLE, "name"))
        role_id = roles.new_role_id()
        with view.server.database.transaction() as database:
            roles.save_role(database, role_id, document["name"], document["description"])
    except Invalid as problem:
        return _roles(view, problem=f"Not saved: {problem.text}.")
    except sqlite3.IntegrityError:
        return _roles(view, problem="Not saved: there is already a role with this name.")
    return view.saved(href("roles", role_id))


def role(view: View) -> Response:
    """One role."""
    with view.server.database.transaction() as database:
        found = roles.find_role(database, role_id=view.request.path_params["id"])
        if found is None:
            return view.unknown("roles", "No such role")
        held = set(roles.role_permissions(database, found["id"]))
        having = set(roles.users_with(database, found["id"]))
        people = [user for user in all_users(database) if user.user_id in having]
    boxes = "".join(
        checkbox(f"{scope} of {audience}", "permission", f"{audience} {scope}", checked=is_held)
        for audience in view.server.apis.identifiers()
        for scope in view.server.apis.scopes(audience)
        for is_held in ((audience, scope) in held,)
    )
    form = view.send(
        f'<fieldset><legend class="hidden">Permissions</legend>{boxes}</fieldset>'
        '<button name="action" value="save" data-testid="role-save">Save permissions</button>'
    )
    listed = table(
        ("User",), ((link(user.email, "users", user.user_id),) for user in people), "Nobody has it."
    )
    body = (
        f"<p>{escape(found['description'])}</p>"
        + section("Permissions", form)
        + section("Users", listed)
        + section("Delete", view.button("delete", "Delete role", classes="danger"))
    )
    return view.page("roles", found["name"], body)


def change_role(view: View) -> Response:
    """Save the permissions, or delete."""
    role_id = view.request.path_params["id"]
    with view.server.database.transaction() as database:
        if roles.find_role(database, role_id=role_id) is None:
            return view.unknown("roles", "No such role")
        if view.text("action") == "delete":
            roles.delete_role(database, role_id)
            return view.saved("/roles")
        parts = (value.partition(" ") for value in view.texts("permission"))
        wanted = [(audience, scope) for audience, _, scope in parts]
        held = roles.role_permissions(database, role_id)
        roles.remove_permissions(database, role_id, held, of_role=True)
        roles.add_permissions(database, role_id, wanted, of_role=True)
    return view.saved(href("roles", role_id))


def _roles(view: View, *, problem: str | None = None) -> Response:
    with view.server.database.transaction() as database:
        found = roles.all_roles(database)
    rows = (
        (link(each["name"], "roles", each["id"]), escape(each["description"])) for each in found
    )
    new = view.send(
        field("Name", "name", view.text("name"), required="")
        + field("Description", "description", view.text("description"))
        + '<button data-testid="role-create">Create role</button>',
        classes="fields",
    )
    body = table(("Role", "Description"), rows, "There are no roles.") + section("New role", new)
    return view.page("roles", "Roles", body, problem=problem)


def organizations(view: View) -> Response:
    """The list of organizations, and a form for a new one."""
    return _organizations(view)


def create_organization(view: View) -> Response:
    """Create an organization."""
    name = view.text("name")
    document = {"name": name, "display_name": view.text("display_name") or name}
    org_id = orgs.new_organization_id()
    try:
        check(document, record(ORGANIZATION, "name"))
        with view.server.database.transaction() as database:
            orgs.save_organization(database, org_id, name, document["display_name"], None)
    except Invalid as problem:
        return _organizations(view, problem=f"Not saved: {problem.text}.")
    except sqlite3.IntegrityError:
        return _organizations(view, problem="Not saved: an organization has this name already.")
    return view.saved(href("organizations", org_id))


def organization(view: View) -> Response:
    """One organization."""
    return _organization(view)


def change_organization(view: View) -> Response:
    """Add or remove a member, invite somebody, or delete."""
    server, action = view.server, view.text("action")
    with server.database.transaction() as database:
        found = orgs.find_organization(database, view.request.path_params["id"])
        if found is None:
            return view.unknown("organizations", "No such organization")
        if action == "delete":
            orgs.delete_organization(database, found["id"])
            return view.saved("/organizations")
        if action == "remove":
            orgs.remove_members(database, found["id"], [view.text("user")])
        elif action == "add":
            people = {user.user_id for user in all_users(database)}
            orgs.add_members(database, found["id"], {view.text("user")} & people)
    if action == "invite":
        return _invite(view, found)
    return view.saved(href("organizations", found["id"]))


def _invite(view: View, found: dict[str, Any]) -> Response:
    email, client_id = view.text("email"), view.text("client_id")
    try:
        check(email, EMAIL)
        document = view.server.clients.document(client_id)
    except (Invalid, KeyError):
        return _organization(view, problem="Not sent: enter an e-mail address.")
    with view.server.database.transaction() as database:
        ticket = orgs.invite(database, found["id"], email, client_id, view.server.clock())
    query = {"invitation": ticket, "organization": found["id"], "organization_name": found["name"]}
    target = document.get("initiate_login_uri")
    where = f"{target}?{urlencode(query)}" if target else urlencode(query)
    note = (
        "<p>The application begins a login with these parameters:</p>"
        f'<p><code data-testid="invitation">{escape(where)}</code></p>'
    )
    return _organization(view, note=note)


def _organizations(view: View, *, problem: str | None = None) -> Response:
    with view.server.database.transaction() as database:
        found = [
            (each, len(orgs.members_of(database, each["id"])))
            for each in orgs.all_organizations(database)
        ]
    rows = (
        (
            link(each["display_name"], "organizations", each["id"]),
            f"<code>{escape(each['name'])}</code>",
            str(members),
        )
        for each, members in found
    )
    new = view.send(
        field("Name, as in org_name", "name", view.text("name"), required="")
        + field("Name to show", "display_name", view.text("display_name"))
        + '<button data-testid="organization-create">Create organization</button>',
        classes="fields",
    )
    listed = table(("Organization", "Name", "Members"), rows, "There are no organizations.")
    body = listed + section("New organization", new)
    return view.page("organizations", "Organizations", body, problem=problem)


def _organization(view: View, *, problem: str | None = None, note: str = "") -> Response:
    with view.server.database.transaction() as database:
        found = orgs.find_organization(database, view.request.path_params["id"])
        if found is None:
            return view.unknown("organizations", "No such organization")
        members = set(orgs.members_of(database, found["id"]))
        people = all_users(database)
    rows = (
        (
            link(user.email, "users", user.user_id),
            view.send(
                f'<input type="hidden" name="user" value="{escape(user.user_id, quote=True)}">'
                f'<button name="action" value="remove" class="quiet" '
                f'aria-label="Remove {escape(user.email, quote=True)}">Remove</button>',
                classes="inline",
            ),
        )
        for user in people
        if user.user_id in members
    )
    others = {user.user_id: user.email for user in people if user.user_id not in members}
    add = view.send(
        select("User", "user", others, "")
        + '<button name="action" value="add" data-testid="member-add">Add member</button>',
        classes="fields",
    )
    clients = {client_id: client.name for client_id, client in view.server.clients.items()}
    invite = view.send(
        field("Email address", "email", kind="email", required="", autocomplete="off")
        + select("Application", "client_id", clients, "")
        + '<button name="action" value="invite" data-testid="invite">Invite</button>',
        classes="fields",
    )
    body = (
        f"<p><code>{escape(found['id'])}</code> · <code>{escape(found['name'])}</code></p>"
        + section("Members", table(("Member", "Change"), rows, "There are no members.") + add)
        + section("Invite", note + invite)
        + section("Delete", view.button("delete", "Delete organization", classes="danger"))
    )
    return view.page("organizations", found["display_name"], body, problem=problem)


PAGES: dict[str, tuple[Handler, Handler]] = {
    "/roles": (role_index, create_role),
    "/roles/{id}": (role, change_role),
    "/organizations": (organizations, create_organization),
    "/organizations/{id}": (organization, change_organization),
}
