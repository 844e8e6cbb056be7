"""The checks that an ID token and a logout token share, one small function for each rule."""

from __future__ import annotations

from collections.abc import Collection

from .signed_jwt import Claims, JwtError

LEEWAY = 60.0  # seconds of clock skew, each way


def check_issuer(claims: Claims, issuer: str) -> None:
    """`iss` is the provider, letter by letter."""
    if claims.get("iss") != issuer:
        raise JwtError("its iss is another issuer")


def check_audience(claims: Claims, client_id: str, trusted: Collection[str] = ()) -> None:
    """`aud` is this client, and nobody else who is not `trusted`.

    A further audience could use the token as if it were its own (OpenID Connect Core section
    3.1.3.7 rules 3 and 4).
    """
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise JwtError("its aud is another client")
    if any(other != client_id and other not in trusted for other in audiences):
        raise JwtError("its aud names a further audience that is not trusted")
    if len(audiences) > 1 and trusted and "azp" not in claims:
        raise JwtError("it has several audiences and no azp")


def check_subject(claims: Claims) -> None:
    """`sub` is a text of at most 255 characters (OpenID Connect Core section 2)."""
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= 255:
        raise JwtError("it has no usable sub")


def check_expiry(claims: Claims, now: float) -> None:
    """`exp` has not passed."""
    if time_claim(claims, "exp") + LEEWAY <= now:
        raise JwtError("it has expired")


def check_issued_at(claims: Claims, now: float) -> None:
    """`iat` is not in the future."""
    if time_claim(claims, "iat") - LEEWAY > now:
        raise JwtError("it was issued in the future")


def check_not_before(claims: Claims, now: float) -> None:
    """`nbf`, if there is one, has come."""
    if "nbf" in claims and time_claim(claims, "nbf") - LEEWAY > now:
        raise JwtError("it is not valid yet")


def time_claim(claims: Claims, name: str) -> float:
    """A NumericDate (RFC 7519 section 2), epoch seconds.

    Raises:
        JwtError: there is none, or it is not a plausible number.
    """
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise JwtError(f"its {name} is not a time")
    return float(value)
