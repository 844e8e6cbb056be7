"""Logout at the provider, and by the provider.

OpenID Connect RP-Initiated Logout 1.0 and Back-Channel Logout 1.0.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlencode

from ..errors import LogoutTokenError
from ..signing_key import SIGNATURE_ALGORITHMS
from ..urls import with_query
from . import jwt
from .discovery import ProviderMetadata
from .jwks import Jwks, Purpose
from .jwt import Claims, JwtError

EVENT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST_LIFETIME = 3600.0  # seconds from iat to exp; the specification advises two minutes
LONGEST_HINT = 4096  # characters; servers refuse URLs that are much longer
_LONGEST_ID = 255


def end_session_url(
    metadata: ProviderMetadata,
    *,
    client_id: str,
    post_logout_redirect_uri: str,
    id_token: str | None = None,
    sid: str | None = None,
    is_federated: bool = False,
) -> str | None:
    """Where to send the browser after the local logout (RP-Initiated Logout section 2).

    `id_token_hint` names the session. Auth0's own endpoint gets `logout_hint` instead, which puts
    no token into a URL. Without an end-session endpoint the result is Auth0's `/v2/logout` if the
    issuer ends in a slash, as Auth0's does, and None otherwise.

    With `is_federated`, Auth0 also logs the user out at the identity provider behind it (Google,
    for example). Other providers ignore a parameter that they do not know (section 2).
    """
    federated = {"federated": ""} if is_federated else {}
    parameters = {"client_id": client_id, "post_logout_redirect_uri": post_logout_redirect_uri}
    parameters |= federated
    endpoint = metadata.end_session_endpoint
    if endpoint is None:
        if not metadata.issuer.endswith("/"):
            return None
        auth0 = {"client_id": client_id, "returnTo": post_logout_redirect_uri, **federated}
        return f"{metadata.issuer}v2/logout?{urlencode(auth0)}"
    if sid and endpoint == f"{metadata.issuer}oidc/logout":
        parameters["logout_hint"] = sid
    elif id_token and len(id_token) <= LONGEST_HINT:
        parameters["id_token_hint"] = id_token
    return with_query(endpoint, parameters)


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """What a logout token ends: the session `sid` at the provider, or every session of `sub`.

    `jti` identifies the token. After `forget_at` (epoch seconds) it cannot be replayed.
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
    """The request of a valid logout token (Back-Channel Logout section 2.6).

    The caller checks that the token is not replayed.

    Raises:
        LogoutTokenError: the first check that failed.
        ProviderError, ProviderUnavailable: the provider's keys cannot be fetched.
    """
    try:
        header, claims = await jwt.verify(
            logout_token, jwks, algorithms=algorithms, purpose=Purpose.LOGOUT_TOKEN
        )
        _check_is_logout_token(header, claims)
        jwt.check_issuer(claims, issuer)
        jwt.check_audience(claims, client_id)
        jwt.check_times(claims, now)
        return _request(claims)
    except JwtError as error:
        raise LogoutTokenError(f"The logout token was not accepted: {error}.") from None


def _check_is_logout_token(header: Claims, claims: Claims) -> None:
    """No other token of the same key passes (RFC 8725 section 3.11, OWASP ASVS 5.0 10.5.5)."""
    if jwt.media_type(header) != "logout+jwt":
        raise JwtError("its typ is not logout+jwt")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise JwtError("its events have no back-channel logout")
    if "nonce" in claims:
        raise JwtError("it has a nonce")
    # Each `jti` is stored until its token expires, so a long lifetime is refused.
    if jwt.time_claim(claims, "exp") - jwt.time_claim(claims, "iat") > LONGEST_LIFETIME:
        raise JwtError("it is valid for longer than an hour")


def _request(claims: Claims) -> LogoutRequest:
    jti, sid = claims.get("jti"), claims.get("sid")
    if not _is_id(jti):
        raise JwtError("it has no usable jti")
    if "sid" in claims and not _is_id(sid):
        raise JwtError("its sid is not a string")
    if "sub" in claims:
        jwt.check_subject(claims)
    elif sid is None:
        raise JwtError("it has neither sub nor sid")
    return LogoutRequest(
        claims.get("sub"), sid, str(jti), jwt.time_claim(claims, "exp") + jwt.LEEWAY
    )


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_ID
