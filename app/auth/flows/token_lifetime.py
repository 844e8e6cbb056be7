"""From a token response to the access token that a session holds."""

from __future__ import annotations

import base64
import binascii
import json

from ..oidc.token_endpoint import TokenResponse
from ..session import AccessToken

REFRESH_AHEAD = 60.0  # seconds before expiry at which a token is renewed at the latest
JITTER = 30.0  # up to this many seconds earlier, so that tokens of one moment spread out
_LONGEST_SHARE = 0.25  # of a short lifetime: a token of one minute is not always old


def issued_token(
    response: TokenResponse,
    *,
    audience: str,
    scope: str,
    now: float,
    jitter: float,
    refresh_token: str | None = None,
) -> AccessToken:
    """The access token of a response; `audience` and `scope` are what was asked for.

    `scope` holds where the response names none (RFC 6749 section 5.1), and `refresh_token`, the one
    that was redeemed, where the provider does not rotate. `jitter` is from 0 up to 1.
    """
    ahead = min(REFRESH_AHEAD + JITTER * jitter, response.expires_in * _LONGEST_SHARE)
    return AccessToken(
        value=response.access_token,
        audience=audience,
        scope=response.scope if response.scope is not None else scope,
        refresh_at=now + response.expires_in - ahead,
        expires_at=now + response.expires_in,
        refresh_token=response.refresh_token or refresh_token,
    )


def names_another_audience(access_token: str, audience: str) -> bool:
    """Whether a token says that it is for somebody else than `audience` (empty: for anybody).

    A provider that does not know `audience` in a refresh request ignores it and answers with a
    token for the first API. To a client a token is opaque (RFC 6749 section 1.4), so one that
    cannot be read is taken at the provider's word, and nothing is concluded from one that can but
    this.
    """
    claimed = _claimed_audience(access_token) if audience else None
    return claimed is not None and audience not in claimed


def _claimed_audience(access_token: str) -> list[object] | None:
    """`aud` of a JWT (RFC 7519 section 4.1.3), unverified; None when there is none to read."""
    parts = access_token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    audience = claims.get("aud") if isinstance(claims, dict) else None
    if audience is None:
        return None
    return audience if isinstance(audience, list) else [audience]
