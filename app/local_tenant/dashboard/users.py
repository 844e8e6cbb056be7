"""Users: their list, and one user with metadata, roles, sessions and second step."""

from __future__ import annotations

import json
from html import escape
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from .. import browser_sessions as browsers
from .. import roles
from ..accounts.creation import SignUpError, block, delete, send_reset, send_verification, sign_up
from ..connected_accounts import accounts_of, delete_accounts
from ..seeds import CODES
from ..strict_json import parse_json
from ..users import (
    User,
    all_users,
    find_user,
    save_app_metadata,
    save_metadata,
    timestamp,
    update_user,
)
from .view import Handler, View, area, checkbox, field, href, section, table

_OF_AN_ACCOUNT = ("connection", "external_id", "access_token")


def index(view: View) -> Response:
    """The list of users, and a form for a new one."""
    return _index(view)


def create(view: View) -> Response:
    """Create a user."""
    try:
        user = sign_up(view.server, view.text("email"), view.text("password"))
    except SignUpError as problem:
        return _index(view, email=view.text("email"), problem=str(problem))
    return view.saved(href("users", user.user_id))


def show(view: View) -> Response:
    """One user."""
    user = _user(view)
    if user is None:
        return view.unknown("users", "No such user")
    return _editor(view, user, _pretty(user.user_metadata), _pretty(user.app_metadata))


def change(view: View) -> Response:
    """Do what the button says."""
    user = _user(view)
    if user is None:
        return view.unknown("users", "No such user")
    action = view.text("action") or "save"
    if action in ("save", "remove"):
        return _save_metadata(view, user, action)
    if action == "delete":
        delete(view.server, user.user_id)
        return view.saved("")
    _ACTIONS.get(action, _nothing)(view, user)
    return view.saved(href("users", user.user_id))


def _nothing(view: View, user: User) -> None:
    """An unknown button."""


def _update(view: View, user: User, **columns: Any) -> None:
    with view.server.database.transaction() as database:
        update_user(database, user.user_id, view.server.clock(), **columns)


def _set_roles(view: View, user: User) -> None:
    with view.server.database.transaction() as database:
        there = [role["id"] for role in roles.all_roles(database)]
        roles.remove_roles(database, user.user_id, there)
        roles.assign_roles(database, user.user_id, set(view.texts("role")) & set(there))


def _end_sessions(view: View, user: User) -> None:
    browsers.end_sessions_of(view.server.database, user.user_id)
    with view.server.database.transaction() as database:
        database.execute("DELETE FROM refresh_tokens WHERE user_id = ?", (user.user_id,))


def _forget_accounts(view: View, user: User) -> None:
    with view.server.database.transaction() as database:
        delete_accounts(database, user.user_id)


def _verify(view: View, user: User) -> None:
    send_verification(view.server, user)


def _reset(view: View, user: User) -> None:
    send_reset(view.server, user)


_ACTIONS = {
    "block": lambda view, user: block(view.server, user.user_id),
    "unblock": lambda view, user: _update(view, user, blocked=False),
    "require-mfa": lambda view, user: _update(view, user, mfa_required=True),
    "no-mfa": lambda view, user: _update(view, user, mfa_required=False),
    "reset-mfa": lambda view, user: _update(view, user, totp_secret=None, totp_used=0),
    "verified": lambda view, user: _update(view, user, email_verified=True),
    "roles": _set_roles,
    "end-sessions": _end_sessions,
    "forget-accounts": _forget_accounts,
    "verify": _verify,
    "reset": _reset,
}


def _save_metadata(view: View, user: User, action: str) -> Response:
    """Save both texts. Without the field `app_metadata` it stays; empty, it is removed."""
    text, of_app = str(view.form.get("user_metadata", "")), view.form.get("app_metadata")
    app_text = of_app if isinstance(of_app, str) else None
    metadata: dict[str, Any] | None = None
    app_metadata = user.app_metadata
    try:
        if action != "remove":
            metadata = _parsed(text)
        if app_text is not None:
            app_metadata = _parsed(app_text) if app_text.strip() else None
    except ValueError as error:
        return _editor(view, user, text, app_text or "", problem=str(error))
    with view.server.database.transaction() as database:
        save_metadata(database, user.user_id, metadata, view.server.clock())
        save_app_metadata(database, user.user_id, app_metadata, view.server.clock())
    return view.saved(href("users", user.user_id))


def _user(view: View) -> User | None:
    with view.server.database.transaction() as database:
        return find_user(database, user_id=view.request.path_params["user_id"])


def _parsed(text: str) -> dict[str, Any]:
    try:
        value = parse_json(text)
    except ValueError as error:
        raise ValueError(f"Not saved: this is not JSON ({error}).") from None
    if not isinstance(value, dict):
        raise ValueError('Not saved: metadata is a JSON object, such as {"theme": "dark"}.')
    return value


def _pretty(metadata: dict[str, Any] | None) -> str:
    return "" if metadata is None else json.dumps(metadata, indent=2, ensure_ascii=False)


def _index(view: View, *, email: str = "", problem: str | None = None) -> Response:
    with view.server.database.transaction() as database:
        users = all_users(database)
    rows = (
        (_named(user), escape(", ".join(user.roles)) or "-", _last_login(user), _badges(user))
        for user in users
    )
    listed = table(("User", "Roles", "Last login", "State"), rows, "There are no users.")
    new = view.send(
        field("Email address", "email", email, kind="email", required="", autocomplete="off")
        + field("Password", "password", kind="password", required="", autocomplete="new-password")
        + '<button data-testid="user-create">Create user</button>',
        action="/dashboard/users",
        classes="fields",
    )
    return view.page("users", "Users", listed + section("New user", new), problem=problem)


def _editor(
    view: View, user: User, text: str, of_app: str, *, problem: str | None = None
) -> Response:
    none = "<p>No metadata yet.</p>" if user.user_metadata is None and not problem else ""
    roles_label = "app_metadata (<code>roles</code> in it become the claim <code>roles</code>)"
    metadata = view.send(
        none
        + area("user_metadata", "user_metadata", text, test_id="metadata-json", rows=10)
        + area(roles_label, "app_metadata", of_app, test_id="app-metadata-json", rows=5)
        + '<div class="buttons"><button name="action" value="save" data-testid="metadata-save">'
        'Save</button><button name="action" value="remove" class="quiet" '
        'data-testid="metadata-remove">Remove user_metadata</button></div>'
    )
    body = (
        f'<p class="under">{escape(user.email)}</p>'
        f"<p><code>{escape(user.user_id)}</code> {_badges(user)}</p>"
        + section("Metadata", metadata)
        + section("Roles", _role_form(view, user))
        + section("Account", _account(view, user))
        + section("Sessions", _sessions(view, user))
        + section("Accounts elsewhere", _accounts(view, user))
        + section("Delete", view.button("delete", "Delete user", classes="danger"))
    )
    return view.page("users", user.name, body, problem=problem)


def _role_form(view: View, user: User) -> str:
    with view.server.database.transaction() as database:
        everything = roles.all_roles(database)
    boxes = "".join(
        checkbox(role["name"], "role", role["id"], checked=role["name"] in user.roles)
        for role in everything
    )
    if not boxes:
        return '<p>There are no roles. <a href="/dashboard/roles">Create one</a>.</p>'
    save = '<button name="action" value="roles" data-testid="roles-save">Save roles</button>'
    return view.send(f'<fieldset><legend class="hidden">Roles</legend>{boxes}</fieldset>{save}')


def _account(view: View, user: User) -> str:
    has_step = user.totp_secret is not None or user.user_id in CODES
    facts = f"<p>Last login: {_last_login(user)}.</p>"
    buttons = [
        view.button("unblock", "Unblock") if user.blocked else view.button("block", "Block"),
        view.button("no-mfa", "Require no second step")
        if user.mfa_required
        else view.button("require-mfa", "Require a second step"),
        view.button("reset-mfa", "Remove the authenticator app") if user.totp_secret else "",
        "" if user.email_verified else view.button("verified", "Mark the address as verified"),
        view.button("verify", "Mail a verification link"),
        view.button("reset", "Mail a password link"),
    ]
    step = "has a second step" if has_step else "has no second step"
    return f'{facts}<p>The user {step}.</p><div class="buttons">{"".join(buttons)}</div>'


def _sessions(view: View, user: User) -> str:
    with view.server.database.transaction() as database:
        rows = database.execute(
            "SELECT sid, auth_time FROM sessions WHERE user_id = ? ORDER BY auth_time",
            (user.user_id,),
        ).fetchall()
    listed = table(
        ("Session", "Since"),
        (
            (f"<code>{escape(row['sid'])}</code>", _time(timestamp(row["auth_time"])))
            for row in rows
        ),
        "The user has no session.",
    )
    return listed + view.button("end-sessions", "End sessions and revoke refresh tokens")


def _accounts(view: View, user: User) -> str:
    with view.server.database.transaction() as database:
        rows = accounts_of(database, user.user_id)
    listed = table(
        ("Connection", "Id", "Token"),
        (tuple(f"<code>{escape(row[name])}</code>" for name in _OF_AN_ACCOUNT) for row in rows),
        "The user has no account at another provider.",
    )
    return listed + (view.button("forget-accounts", "Forget these tokens") if rows else "")


def _named(user: User) -> str:
    nickname = quote(str(user.profile.get("nickname") or user.email), safe="")
    return (
        f'<span class="person"><img src="/avatars/{nickname}.svg" alt=""><span>{escape(user.name)}'
        f'<br><a href="/dashboard{href("users", user.user_id)}">{escape(user.email)}</a></span>'
        "</span>"
    )


def _last_login(user: User) -> str:
    at = user.activity.get("last_login")
    return _time(at) if at else "never"


def _time(text: str) -> str:
    return f"<time>{escape(text[:19].replace('T', ' '))}</time>"


def _badges(user: User) -> str:
    states = {
        "blocked": user.blocked,
        "unverified": not user.email_verified,
        "second step": user.totp_secret is not None or user.user_id in CODES,
        "second step required": user.mfa_required,
    }
    shown = (f'<span class="badge">{name}</span>' for name, is_so in states.items() if is_so)
    return " ".join(shown)


PAGES: dict[str, tuple[Handler, Handler]] = {
    "": (index, create),
    "/users": (index, create),
    "/users/{user_id:path}": (show, change),
}
