"""Sessions without a login."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..service import AuthService
from ..session import AccessToken, Cookies, Session, SessionStore, hash_session_id, new_session_id

ACCESS_TOKEN = "access-token-of-a-test"  # noqa: S105
LIFETIME = 3600.0  # seconds for which the access token is valid


def new_session(
    user: Mapping[str, Any],
    *,
    scopes: str = "openid profile email",
    roles: Sequence[str] = (),
    audience: str | None = None,
    access_token: str = ACCESS_TOKEN,
    refresh_token: str | None = None,
    auth_time: float | None = None,
    acr: str | None = None,
    amr: Sequence[str] = (),
    now: float | None = None,
    session_expiry: float | None = None,
) -> Session:
    """Return the session that a login of this user would begin.

    `user` holds the claims; `sub` is needed. `roles` become the claim `roles`. The access token is
    for `audience` (None: the default one), has these `scopes` (space-separated), and is valid for
    an hour. `auth_time` (epoch seconds) is when the user authenticated, `now` by default; `acr` and
    `amr` are how (for `second_factor`). `session_expiry` (epoch seconds) is when the session ends
    at the latest.
    """
    now = time.time() if now is None else now
    claims = {**user, **({"roles": list(roles)} if roles else {})}
    token = AccessToken(
        access_token, audience or "", scopes, now + LIFETIME - 60, now + LIFETIME, refresh_token
    )
    return Session(
        claims["sub"],
        claims.get("sid"),
        claims,
        (token,),
        now,
        authenticated_at=now if auth_time is None else auth_time,
        session_expiry=session_expiry,
        acr=acr,
        amr=tuple(amr),
    )


def new_session_of(auth: AuthService, user: Mapping[str, Any], **session: Any) -> Session:
    """Return a session that begins now, by the clock of `auth`, for its default audience. The other
    parameters are those of `new_session`."""
    defaults = {"audience": auth.config.authorization_params.audience, "now": auth.clock()}
    return new_session(user, **{**defaults, **session})


async def add_session(store: SessionStore, session: Session) -> str:
    """Store a session, and return its session id, which is the value of the cookie.

    Raises:
        StoreUnavailable: the store cannot be used now.
    """
    session_id = new_session_id()
    await store.create(hash_session_id(session_id), session)
    return session_id


async def session_cookie(
    auth: AuthService, user: Mapping[str, Any], **session: Any
) -> dict[str, Any]:
    """Sign a user in, and return the session cookie in the form that Playwright takes
    (`context.add_cookies([cookie])`). For HTTP clients, take its `name` and `value`.

    The store of `auth` must be the one of the app that runs: the same file or Redis, and the same
    `AUTH0_SECRET`. The other parameters are those of `new_session`.
    """
    config = auth.config
    session_id = await add_session(auth.store, new_session_of(auth, user, **session))
    return {
        "name": Cookies.of(config.app_base_url, is_https=config.is_https).session.name,
        "value": session_id,
        "url": config.app_api_url,
        "httpOnly": True,
        "secure": config.is_https,
        "sameSite": "Lax",
    }
