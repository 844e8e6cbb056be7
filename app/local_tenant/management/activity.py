"""Logs, sessions and grants, as far as the dashboard shows them."""

from __future__ import annotations

import sqlite3
from typing import Any

from .. import browser_sessions as browsers
from ..seed_format import text
from ..users import find_user, timestamp
from .endpoint import PAGE, Call, Endpoint
from .errors import ApiError, no_user


def _logs(call: Call) -> Any:
    entries = call.server.log.entries()
    wanted = call.query.get("q", "")
    kind = wanted.removeprefix("type:").strip('"') if wanted.startswith("type:") else None
    if wanted and kind is None:
        detail = "'The query is type:<type>' on property q."
        raise ApiError(400, f"Query validation error: {detail}", "invalid_query_string")
    return call.page("logs", [each for each in entries if kind in (None, each["type"])])


def _log(call: Call) -> Any:
    for entry in call.server.log.entries():
        if entry["log_id"] == call.path["id"]:
            return entry
    raise ApiError(404, "Log not found", "inexistent_log")


def _logs_of(call: Call) -> Any:
    _check_user(call)
    return call.page("logs", call.server.log.entries(user_id=call.path["id"]))


def _sessions_of(call: Call) -> Any:
    _check_user(call)
    with call.server.database.transaction() as database:
        rows = database.execute(
            "SELECT * FROM sessions WHERE user_id = ? ORDER BY auth_time", (call.path["id"],)
        )
        return call.page("sessions", [_session(row) for row in rows])


def _end_sessions_of(call: Call) -> Any:
    _check_user(call)
    browsers.end_sessions_of(call.server.database, call.path["id"])
    return {}


def _end_tokens_of(call: Call) -> Any:
    _check_user(call)
    with call.server.database.transaction() as database:
        database.execute("DELETE FROM refresh_tokens WHERE user_id = ?", (call.path["id"],))
    return {}


def _get_session(call: Call) -> Any:
    with call.server.database.transaction() as database:
        row = database.execute(
            "SELECT * FROM sessions WHERE sid = ?", (call.path["id"],)
        ).fetchone()
    if row is None:
        raise ApiError(404, "The session does not exist.", "inexistent_session")
    return _session(row)


def _end_session(call: Call) -> Any:
    _get_session(call)
    browsers.end_session(call.server.database, call.path["id"])
    return {}


def _grants(call: Call) -> Any:
    with call.server.database.transaction() as database:
        rows = database.execute("SELECT rowid, * FROM consents ORDER BY rowid").fetchall()
    names = ("user_id", "client_id", "audience")
    grants = [_grant(row) for row in rows]
    wanted = {name: call.query[name] for name in names if name in call.query}
    grants = [each for each in grants if wanted.items() <= {**each, **_keys(each)}.items()]
    return call.page("grants", grants)


def _delete_grant(call: Call) -> None:
    with call.server.database.transaction() as database:
        number = call.path["id"].removeprefix("cgr_")
        database.execute("DELETE FROM consents WHERE rowid = ?", (number[:18],))


def _delete_grants(call: Call) -> None:
    if "user_id" not in call.query:
        detail = "'Missing required property: user_id'."
        raise ApiError(400, f"Query validation error: {detail}", "invalid_query_string")
    with call.server.database.transaction() as database:
        database.execute("DELETE FROM consents WHERE user_id = ?", (call.query["user_id"],))


def _keys(grant: dict[str, Any]) -> dict[str, str]:
    return {"user_id": grant["user_id"], "client_id": grant["clientID"]}


def _grant(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": f"cgr_{row['rowid']}",
        "clientID": row["client_id"],
        "user_id": row["user_id"],
        "audience": row["audience"],
        "scope": row["scope"].split(),
    }


def _session(row: sqlite3.Row) -> dict[str, Any]:
    authenticated_at = timestamp(row["auth_time"])
    return {
        "id": row["sid"],
        "user_id": row["user_id"],
        "created_at": authenticated_at,
        "authenticated_at": authenticated_at,
        "updated_at": authenticated_at,
    }


def _check_user(call: Call) -> None:
    with call.server.database.transaction() as database:
        if find_user(database, user_id=call.path["id"]) is None:
            raise no_user()


_USER = "/users/{id}"
_LISTED: dict[str, Any] = {"is_list": True, "query": PAGE}

ENDPOINTS = (
    Endpoint(
        *("GET", "/logs", ("read:logs",), "List what happened, the newest first", _logs),
        result="Log",
        is_list=True,
        query={**PAGE, "q": text(100, 0), "sort": text(100)},
    ),
    Endpoint("GET", "/logs/{id}", ("read:logs",), "Get an entry of the log", _log, result="Log"),
    Endpoint(
        *("GET", f"{_USER}/logs", ("read:logs", "read:users"), "List a user's entries", _logs_of),
        result="Log",
        **_LISTED,
    ),
    Endpoint(
        *("GET", f"{_USER}/sessions", ("read:sessions",), "List a user's sessions", _sessions_of),
        result="Session",
        **_LISTED,
    ),
    Endpoint(
        *("DELETE", f"{_USER}/sessions", ("delete:sessions",)),
        *("End a user's sessions", _end_sessions_of),
        status=202,
        result="Empty",
    ),
    Endpoint(
        *("DELETE", f"{_USER}/refresh-tokens", ("delete:sessions", "update:users")),
        *("Revoke a user's refresh tokens", _end_tokens_of),
        status=202,
        result="Empty",
    ),
    Endpoint(
        *("GET", "/sessions/{id}", ("read:sessions",), "Get a session", _get_session),
        result="Session",
    ),
    Endpoint(
        *("DELETE", "/sessions/{id}", ("delete:sessions",), "End a session", _end_session),
        status=202,
        result="Empty",
    ),
    Endpoint(
        *("GET", "/grants", ("read:grants",), "List what users have consented to", _grants),
        result="Grant",
        is_list=True,
        query={**PAGE, **{name: text(600) for name in ("user_id", "client_id", "audience")}},
    ),
    Endpoint(
        *("DELETE", "/grants/{id}", ("delete:grants",), "Delete a consent", _delete_grant),
        status=204,
    ),
    Endpoint(
        *("DELETE", "/grants", ("delete:grants",), "Delete a user's consents", _delete_grants),
        status=204,
        query={"user_id": text(255)},
    ),
)
