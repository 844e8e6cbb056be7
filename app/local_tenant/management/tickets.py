"""`/api/v2/tickets` and `/api/v2/jobs/verification-email`: links to verify an address or to choose
a new password. What Auth0 mails comes into the mailbox of the dashboard."""

from __future__ import annotations

import secrets
from typing import Any

from ..accounts.creation import RESET_LIFETIME, send_reset, send_verification
from ..schema import Schema
from ..seed_format import BOOLEAN, EMAIL, SECONDS, record, text
from ..tickets import LIFETIME
from ..users import User, find_user, timestamp
from .endpoint import Call, Endpoint
from .errors import ApiError, invalid_body, no_user


def _verification(call: Call) -> Any:
    user = _user(call, call.body["user_id"])
    lifetime = float(call.body.get("ttl_sec", LIFETIME))
    return {"ticket": send_verification(call.server, user, call.body.get("result_url"), lifetime)}


def _password(call: Call) -> Any:
    if "user_id" in call.body:
        user = _user(call, call.body["user_id"])
    elif "email" in call.body and "connection_id" in call.body:
        user = _user(call, email=call.body["email"])
    else:
        raise invalid_body("'Missing required property: user_id'")
    lifetime = float(call.body.get("ttl_sec", RESET_LIFETIME))
    return {"ticket": send_reset(call.server, user, call.body.get("result_url"), lifetime)}


def _job(call: Call) -> Any:
    send_verification(call.server, _user(call, call.body["user_id"]))
    return {
        "id": f"job_{secrets.token_hex(8)}",
        "type": "verification_email",
        "status": "completed",
        "created_at": timestamp(call.now),
    }


def _user(call: Call, user_id: str = "", *, email: str = "") -> User:
    with call.server.database.transaction() as database:
        user = find_user(database, user_id=user_id, email=email)
    if user is None:
        raise no_user()
    if not user.email:
        raise ApiError(400, "The user has no e-mail address.", "invalid_user")
    return user


_URL: Schema = {"type": "string", "format": "uri", "maxLength": 1000, "pattern": "https?://.*"}
_COMMON: dict[str, Schema] = {
    "user_id": text(255),
    "client_id": text(64),
    "organization_id": text(50),
    "result_url": _URL,
    "ttl_sec": SECONDS,
    "includeEmailInRedirect": BOOLEAN,
}
_SCOPES = ("create:user_tickets",)

ENDPOINTS = (
    Endpoint(
        *("POST", "/tickets/email-verification", _SCOPES),
        *("Create a link that verifies an e-mail address", _verification),
        result="Ticket",
        status=201,
        body=record({**_COMMON, "identity": {"type": "object"}}, "user_id"),
    ),
    Endpoint(
        *("POST", "/tickets/password-change", _SCOPES),
        *("Create a link to choose a new password", _password),
        result="Ticket",
        status=201,
        body=record(
            {
                **_COMMON,
                "email": EMAIL,
                "connection_id": text(100),
                "mark_email_as_verified": BOOLEAN,
            }
        ),
    ),
    Endpoint(
        *("POST", "/jobs/verification-email", ("update:users",)),
        *("Send a link that verifies an e-mail address", _job),
        result="Job",
        status=201,
        body=record(
            {
                **{name: _COMMON[name] for name in ("user_id", "client_id", "organization_id")},
                "identity": {"type": "object"},
            },
            "user_id",
        ),
    ),
)
