"""The dashboard: the users, and their metadata as JSON to edit."""

from __future__ import annotations

import json
from html import escape
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from .html import alert, document, message
from .server import TenantServer
from .strict_json import parse_json
from .users import User, all_users, find_user, save_app_metadata, save_metadata


class Dashboard:
    """It needs no login: it is a tool for the developer, on their own machine."""

    def __init__(self, server: TenantServer) -> None:
        self._server = server

    def index(self, request: Request) -> Response:
        """The list of users."""
        with self._server.database.transaction() as database:
            users = "".join(_list_item(user) for user in all_users(database))
        return document(
            "Dashboard",
            '<h1 class="wide">Users</h1><p>Choose a user to edit their metadata.</p>'
            f'<ul class="people">{users}</ul>',
        )

    def show(self, request: Request) -> Response:
        """One user's metadata."""
        user = self._user(request)
        if user is None:
            return _unknown()
        saved = "saved" in request.query_params
        texts = _pretty(user.user_metadata), _pretty(user.app_metadata)
        return _editor(user, *texts, saved=saved)

    async def save(self, request: Request) -> Response:
        """Replace the metadata; text that is not a JSON object stays in the editor."""
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return message("Not saved", "The change came from another site.", status=403)
        form = await request.form()
        text, action = str(form.get("user_metadata", "")), str(form.get("action", "save"))
        app_text = form.get("app_metadata")
        of_app = app_text if isinstance(app_text, str) else None
        return await run_in_threadpool(self._save, request, text, of_app, action)

    def _save(self, request: Request, text: str, of_app: str | None, action: str) -> Response:
        """Save both texts. Without `of_app`, `app_metadata` stays; empty, it is removed."""
        user = self._user(request)
        if user is None:
            return _unknown()
        metadata: dict[str, Any] | None = None
        app_metadata = user.app_metadata
        try:
            if action != "remove":
                metadata = _parsed(text)
            if of_app is not None:
                app_metadata = _parsed(of_app) if of_app.strip() else None
        except ValueError as error:
            return _editor(user, text, of_app or "", problem=str(error))
        with self._server.database.transaction() as database:
            save_metadata(database, user.user_id, metadata, self._server.clock())
            save_app_metadata(database, user.user_id, app_metadata, self._server.clock())
        return RedirectResponse(f"{_url(user)}?saved", 303)

    def _user(self, request: Request) -> User | None:
        with self._server.database.transaction() as database:
            return find_user(database, user_id=request.path_params["user_id"])


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


def _editor(
    user: User, text: str, of_app: str, *, problem: str | None = None, saved: bool = False
) -> Response:
    note = '<p role="status">Saved.</p>' if saved else ""
    if user.user_metadata is None and not problem:
        note += "<p>No metadata yet.</p>"
    body = f"""
        <h1 class="wide">{escape(user.name)}</h1>
        <p><code>{escape(user.user_id)}</code> · <a href="/dashboard">All users</a></p>
        {alert(problem)}{note}
        <form method="post">
          <label>user_metadata
            <textarea name="user_metadata" spellcheck="false"
              data-testid="metadata-json">{escape(text)}</textarea></label>
          <label>app_metadata (<code>roles</code> in it become the claim <code>roles</code>)
            <textarea name="app_metadata" spellcheck="false"
              data-testid="app-metadata-json">{escape(of_app)}</textarea></label>
          <div class="row">
            <button name="action" value="remove" class="quiet"
              data-testid="metadata-remove">Remove</button>
            <button name="action" value="save" data-testid="metadata-save">Save</button>
          </div>
        </form>"""
    return document(user.name, body, status=400 if problem else 200)


def _list_item(user: User) -> str:
    avatar = (
        f'<img src="/avatars/{quote(str(user.profile.get("nickname") or user.email))}.svg" alt="">'
    )
    link = f'<a href="{_url(user)}">{escape(user.email)}</a>'
    return f"<li>{avatar}<span>{escape(user.profile['name'])}<br>{link}</span></li>"


def _url(user: User) -> str:
    return f"/dashboard/users/{quote(user.user_id, safe='')}"


def _unknown() -> Response:
    return message("No such user", "No user has this id.", status=404)
