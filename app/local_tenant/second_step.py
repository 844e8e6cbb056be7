"""The second step of a login: a six-digit code, which is asked for when a client wants it.

A client asks with `acr_values` (OpenID Connect Core section 3.1.2.1). The ID token then has `acr`,
and `amr` says how the user logged in (RFC 8176). A user without a second step logs in with the
password only, and gets no `acr`.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from .browser_sessions import BrowserSession
from .database import Database
from .seeds import CODES

MULTI_FACTOR = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
WRONG_CODES = 5  # of a user
WRONG_CODES_WITHIN = 900.0  # seconds


def wants_second_step(
    database: Database, parameters: Mapping[str, str], session: BrowserSession
) -> bool:
    """Whether a client asks for the second step, the user has one, and has not done it yet."""
    is_asked = MULTI_FACTOR in parameters.get("acr_values", "").split()
    return is_asked and lacks_second_step(database, session.user.user_id, session.sid)


def lacks_second_step(database: Database, user_id: str, sid: str) -> bool:
    """Whether the user has a second step, and has not done it in this login."""
    return user_id in CODES and not _has_passed(database, sid)


def is_locked(database: Database, user_id: str, now: float) -> bool:
    """Whether there were too many wrong codes. Also the right one is then refused."""
    with database.transaction() as connection:
        connection.execute("DELETE FROM wrong_codes WHERE at <= ?", (now - WRONG_CODES_WITHIN,))
        (count,) = connection.execute(
            "SELECT COUNT(*) FROM wrong_codes WHERE user_id = ?", (user_id,)
        ).fetchone()
    return bool(count >= WRONG_CODES)


def pass_second_step(database: Database, session: BrowserSession, code: str, now: float) -> bool:
    """Check a code, and mark the login if it is the user's."""
    user_id = session.user.user_id
    expected = CODES.get(user_id)
    is_right = expected is not None and hmac.compare_digest(code.encode(), expected.encode())
    with database.transaction() as connection:
        if is_right:
            connection.execute("INSERT OR IGNORE INTO second_steps VALUES (?)", (session.sid,))
            connection.execute("DELETE FROM wrong_codes WHERE user_id = ?", (user_id,))
        else:
            connection.execute("INSERT INTO wrong_codes VALUES (?, ?)", (user_id, now))
    return is_right


def authentication_claims(database: Database, sid: str) -> dict[str, Any]:
    """The claims `acr` and `amr` of a login."""
    if _has_passed(database, sid):
        return {"acr": MULTI_FACTOR, "amr": ["pwd", "otp", "mfa"]}
    return {"amr": ["pwd"]}


def _has_passed(database: Database, sid: str) -> bool:
    with database.transaction() as connection:
        row = connection.execute("SELECT 1 FROM second_steps WHERE sid = ?", (sid,)).fetchone()
    return row is not None
