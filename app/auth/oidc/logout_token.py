"""Checking a logout token: OpenID Connect Back-Channel Logout 1.0 section 2.6."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..errors import LogoutTokenError
from ..signing_key import SIGNATURE_ALGORITHMS
from .claim_checks import (
    LEEWAY,
    check_audience,
    check_expiry,
    check_issued_at,
    check_issuer,
    check_not_before,
    check_subject,
    time_claim,
)
from .jwks import Jwks, Purpose
from .signed_jwt import Claims, JwtError, media_type, verified

EVENT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST_LIFETIME = 3600.0  # seconds from iat to exp; the specification advises two minutes
_LONGEST_ID = 255


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """Whom to log out: the session `sid` at the provider, or every session of `sub`.

    `jti` names the token, and `forget_at` (epoch seconds) is when it cannot be replayed any more.
    """

    sub: str | None
    sid: str | None
    jti: str
    forget_at: float


async def check_logout_token(
    logout_token: str,
    jwks: Jwks,
    *,
    issuer: str,
    client_id: str,
    now: float,
    algorithms: Collection[str] = SIGNATURE_ALGORITHMS,
) -> LogoutRequest:
    """Whom a logout token that passed every check but that of its replay logs out.

    Raises:
        LogoutTokenError: the first check that failed.
        ProviderError, ProviderUnavailable: the keys could not be had.
    """
    try:
        header, claims = await verified(
            logout_token, jwks, algorithms=algorithms, purpose=Purpose.LOGOUT_TOKEN
        )
        _check_type(header)
        check_issuer(claims, issuer)
        check_audience(claims, client_id)
        check_issued_at(claims, now)
        check_expiry(claims, now)
        check_not_before(claims, now)
        _check_lifetime(claims)
        _check_event(claims)
        _check_is_no_id_token(claims)
        return _request(claims)
    except JwtError as error:
        raise LogoutTokenError(f"The logout token was not accepted: {error}.") from None


def _check_type(header: Claims) -> None:
    """No other kind of token that the same key has signed can pass for one (RFC 8725 section 3.11,
    OWASP ASVS 5.0 10.5.5)."""
    if media_type(header) != "logout+jwt":
        raise JwtError("its typ is not logout+jwt")


def _check_lifetime(claims: Claims) -> None:
    """Each jti is remembered until its token has expired, so that has to be soon."""
    if time_claim(claims, "exp") - time_claim(claims, "iat") > LONGEST_LIFETIME:
        raise JwtError("it is valid for longer than an hour")


def _check_event(claims: Claims) -> None:
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise JwtError("its events have no back-channel logout")


def _check_is_no_id_token(claims: Claims) -> None:
    if "nonce" in claims:
        raise JwtError("it has a nonce")


def _request(claims: Claims) -> LogoutRequest:
    jti, sid = claims.get("jti"), claims.get("sid")
    if not _is_id(jti):
        raise JwtError("it has no usable jti")
    if "sid" in claims and not _is_id(sid):
        raise JwtError("its sid is not a text")
    if "sub" in claims:
        check_subject(claims)
    elif sid is None:
        raise JwtError("it has neither sub nor sid")
    return LogoutRequest(claims.get("sub"), sid, str(jti), time_claim(claims, "exp") + LEEWAY)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_ID
