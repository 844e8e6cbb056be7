"""Creating, changing and ending accounts, for the pages, `/dbconnections` and administrators."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from .. import browser_sessions as browsers
from .. import mailbox, tickets
from ..passwords import hash_password, weakness
from ..schema import Invalid, check
from ..seed_format import EMAIL
from ..server import TenantServer
from ..users import (
    User,
    add_user,
    delete_user,
    find_user,
    json_column,
    new_user_id,
    timestamp,
    update_user,
)

TOO_MANY = "too_many_requests"
RESET_LIFETIME = 86_400.0  # seconds


class SignUpError(ValueError):
    """An account cannot be created or changed; `code` is Auth0's."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def sign_up(
    server: TenantServer,
    email: str,
    password: str,
    *,
    profile: Mapping[str, Any] | None = None,
    user_metadata: dict[str, Any] | None = None,
    client_id: str | None = None,
    ip: str | None = None,
) -> User:
    """Create a user, and put a mail with the link that verifies the address into the mailbox.

    Sign-ups from an `ip` are counted, whether they succeed or not.

    Raises:
        SignUpError: the address is not one or is taken, the password is too weak, or there were too
            many sign-ups from this `ip`.
    """
    if ip is not None:
        _count(server, ip)
    try:
        check(email, EMAIL)
    except Invalid as problem:
        raise SignUpError("invalid_email", "Enter an e-mail address.") from problem
    reason = weakness(password)
    if reason:
        raise SignUpError("invalid_password", reason)
    user_id = new_user_id()
    try:
        with server.database.transaction() as database:
            add_user(
                database,
                user_id=user_id,
                email=email,
                now=server.clock(),
                profile=profile or {},
                password=hash_password(password),
                user_metadata=json_column(user_metadata),
                email_verified=False,
            )
            user = find_user(database, user_id=user_id)
    except sqlite3.IntegrityError:
        text = "An account with this e-mail address cannot be created."
        server.log.record("fs", text, client_id=client_id)
        raise SignUpError("invalid_signup", text) from None
    assert user is not None  # noqa: S101 - it has just been added
    server.log.record("ss", user.email, user_id=user_id, client_id=client_id)
    send_verification(server, user)
    return user


def _count(server: TenantServer, ip: str) -> None:
    if server.sign_ups.is_blocked("sign-up", ip, ip):
        server.log.record("fs", "Too many sign-ups from this address.", ip=ip)
        raise SignUpError(TOO_MANY, "Too many sign-ups. Wait five minutes.")
    server.sign_ups.wrong("sign-up", ip, ip)


def send_verification(
    server: TenantServer, user: User, result_url: str | None = None, lifetime: float | None = None
) -> str:
    """Put a link that verifies the address into the mailbox; the result is the link."""
    path = tickets.new_ticket(
        server.database,
        tickets.VERIFICATION,
        user.user_id,
        server.clock(),
        result_url=result_url,
        lifetime=lifetime or tickets.LIFETIME,
    )
    body = f"Confirm that {user.email} is your address."
    return _send(server, user, "Verify your e-mail address", body, path)


def send_reset(
    server: TenantServer, user: User, result_url: str | None = None, lifetime: float | None = None
) -> str:
    """Put a link to choose a new password into the mailbox; the result is the link."""
    path = tickets.new_ticket(
        server.database,
        tickets.NEW_PASSWORD,
        user.user_id,
        server.clock(),
        result_url=result_url,
        lifetime=lifetime or RESET_LIFETIME,
    )
    server.log.record("scpr", user.email, user_id=user.user_id)
    return _send(server, user, "Choose a new password", "Somebody asked for a new password.", path)


def change_password(server: TenantServer, user_id: str, password: str) -> None:
    """Change a user's password, and end the user's sessions.

    Raises:
        SignUpError: the password is too weak.
    """
    reason = weakness(password)
    if reason:
        raise SignUpError("invalid_password", reason)
    now = server.clock()
    with server.database.transaction() as database:
        update_user(
            database,
            user_id,
            now,
            password=hash_password(password),
            last_password_reset=timestamp(now),
        )
    browsers.end_sessions_of(server.database, user_id)
    server.log.record("scp", user_id=user_id)


def block(server: TenantServer, user_id: str) -> None:
    """Block a user, and tell the clients of the user's sessions. These stay, so that the user is
    told the reason at the next login, as at Auth0."""
    with server.database.transaction() as database:
        update_user(database, user_id, server.clock(), blocked=True)
    browsers.tell_clients_of(server.database, user_id)


def delete(server: TenantServer, user_id: str) -> None:
    """Delete a user, and end the user's sessions before, so that their clients are told."""
    browsers.end_sessions_of(server.database, user_id)
    with server.database.transaction() as database:
        delete_user(database, user_id)


def verify_email(server: TenantServer, user_id: str) -> None:
    """Mark a user's address as verified."""
    with server.database.transaction() as database:
        update_user(database, user_id, server.clock(), email_verified=True)
    server.log.record("sv", user_id=user_id)


def _send(server: TenantServer, user: User, subject: str, body: str, path: str) -> str:
    link = f"{server.settings.issuer.removesuffix('/')}{path}"
    mailbox.send(server.database, user.email, subject, body, path, server.clock())
    return link
