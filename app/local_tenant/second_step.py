"""The second step of a login: a six-digit code, which a client or the user's account asks for.

A client asks with `acr_values` (OpenID Connect Core section 3.1.2.1). The ID token then has `acr`,
and `amr` says how the user logged in (RFC 8176). A user without a second step, whose account asks
for none, logs in with the password only, and gets no `acr`.
"""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Mapping
from typing import Any

from .browser_sessions import BrowserSession
from .database import Database
from .seeds import CODES
from .totp import new_secret, step_of

MULTI_FACTOR = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
WRONG_CODES = 5  # of a user
WRONG_CODES_WITHIN = 900.0  # seconds


def second_step_page(
    database: Database, parameters: Mapping[str, str], session: BrowserSession
) -> str | None:
    """The page for the second step if it is asked for, by the client or by the user's account, and
    not done yet. A user whose account asks for one and who has none enrols first."""
    user = session.user
    is_asked = MULTI_FACTOR in parameters.get("acr_values", "").split()
    if lacks_second_step(database, user.user_id, session.sid):
        return "/u/second-step" if is_asked or user.mfa_required else None
    is_missing = user.mfa_required and not _has_passed(database, session.sid)
    return "/u/mfa-enrollment" if is_missing else None


def lacks_second_step(database: Database, user_id: str, sid: str) -> bool:
    """Whether the user has a second step, and has not done it in this login."""
    has_one = user_id in CODES or _secret(database, user_id) is not None
    return has_one and not _has_passed(database, sid)


def offered_secret(database: Database, session: BrowserSession) -> str | None:
    """The secret that a user may enrol in this login, the same at each look; None if the user has a
    second step already."""
    user_id = session.user.user_id
    if user_id in CODES or _secret(database, user_id) is not None:
        return None
    with database.transaction() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO totp_enrolments VALUES (?, ?)", (session.sid, new_secret())
        )
        row = connection.execute(
            "SELECT secret FROM totp_enrolments WHERE sid = ?", (session.sid,)
        ).fetchone()
    return str(row["secret"])


def enrol(database: Database, session: BrowserSession, code: str, now: float) -> bool:
    """Enrol the offered secret if the code is its own, and mark the login."""
    user_id, secret = session.user.user_id, offered_secret(database, session)
    if secret is None or is_locked(database, user_id, now):
        return False
    step = step_of(secret, code, now)
    with database.transaction() as connection:
        if step is None:
            connection.execute("INSERT INTO wrong_codes VALUES (?, ?)", (user_id, now))
            return False
        connection.execute(
            "UPDATE users SET totp_secret = ?, totp_used = ? WHERE user_id = ?",
            (secret, step, user_id),
        )
        connection.execute("DELETE FROM totp_enrolments WHERE sid = ?", (session.sid,))
        connection.execute("INSERT OR IGNORE INTO second_steps VALUES (?)", (session.sid,))
    return True


def is_locked(database: Database, user_id: str, now: float) -> bool:
    """Whether there were too many wrong codes. Also the right one is then refused."""
    with database.transaction() as connection:
        connection.execute("DELETE FROM wrong_codes WHERE at <= ?", (now - WRONG_CODES_WITHIN,))
        (count,) = connection.execute(
            "SELECT COUNT(*) FROM wrong_codes WHERE user_id = ?", (user_id,)
        ).fetchone()
    return bool(count >= WRONG_CODES)


def pass_second_step(database: Database, session: BrowserSession, code: str, now: float) -> bool:
    """Check a code, and mark the login if it is the user's. A code of an app is good once."""
    user_id = session.user.user_id
    expected = CODES.get(user_id)
    is_right = expected is not None and hmac.compare_digest(code.encode(), expected.encode())
    with database.transaction() as connection:
        is_right = is_right or _is_totp(connection, user_id, code, now)
        if is_right:
            connection.execute("INSERT OR IGNORE INTO second_steps VALUES (?)", (session.sid,))
            connection.execute("DELETE FROM wrong_codes WHERE user_id = ?", (user_id,))
        else:
            connection.execute("INSERT INTO wrong_codes VALUES (?, ?)", (user_id, now))
    return is_right


def _is_totp(connection: sqlite3.Connection, user_id: str, code: str, now: float) -> bool:
    row = connection.execute(
        "SELECT totp_secret, totp_used FROM users WHERE user_id = ?", (user_id,)
    ).fetchone()
    if row is None or row["totp_secret"] is None:
        return False
    step = step_of(row["totp_secret"], code, now, after=row["totp_used"])
    if step is not None:
        connection.execute("UPDATE users SET totp_used = ? WHERE user_id = ?", (step, user_id))
    return step is not None


def _secret(database: Database, user_id: str) -> str | None:
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT totp_secret FROM users WHERE user_id = ?", (user_id,)
        ).fetchone()
    return row["totp_secret"] if row else None


def authentication_claims(database: Database, sid: str) -> dict[str, Any]:
    """The claims `acr` and `amr` of a login."""
    if _has_passed(database, sid):
        return {"acr": MULTI_FACTOR, "amr": ["pwd", "otp", "mfa"]}
    return {"amr": ["pwd"]}


def _has_passed(database: Database, sid: str) -> bool:
    with database.transaction() as connection:
        row = connection.execute("SELECT 1 FROM second_steps WHERE sid = ?", (sid,)).fetchone()
    return row is not None
