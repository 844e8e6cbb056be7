"""When the access tokens of a session expire. The tokens themselves stay in the session."""

from __future__ import annotations

from dataclasses import dataclass

from ..session import Session


@dataclass(frozen=True, slots=True)
class TokenExpiry:
    """When the access token for one API expires.

    `audience` is the API's identifier; empty for a provider that has none. `scope` is what was
    granted (space-separated), and `expires_at` is in epoch seconds by the server's clock. With
    `is_renewable`, the session has a refresh token for it: the next request that needs the token
    renews it.
    """

    audience: str
    scope: str
    expires_at: float
    is_renewable: bool


def token_expiries(session: Session) -> list[TokenExpiry]:
    """Return one entry for each access token of a session, by audience."""
    expiries = [
        TokenExpiry(token.audience, token.scope, token.expires_at, token.refresh_token is not None)
        for token in session.access_tokens
    ]
    return sorted(expiries, key=lambda each: each.audience)
