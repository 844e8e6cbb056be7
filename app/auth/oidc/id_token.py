"""ID token validation: OpenID Connect Core sections 3.1.3.7 and 12.2."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass, field

from ..errors import IdTokenError
from ..signing_key import SIGNATURE_ALGORITHMS
from . import jwt
from .jwks import Jwks, Purpose
from .jwt import Claims, JwtError

# JWTs that are not ID tokens, though the same key may have signed them (RFC 8725 section 3.11).
_OTHER_TYPES = frozenset({"at+jwt", "logout+jwt", "token-introspection+jwt", "dpop+jwt"})


@dataclass(frozen=True, slots=True)
class IdTokenExpectations:
    """What an ID token must say.

    `now` is in epoch seconds, `max_age` in seconds. `nonce`, `max_age` and `organization` are not
    checked if they are None. `access_token`, `code` and `state` are checked if the token has their
    hashes. `organization` is what the login asked for, by id or by name (Auth0's `org_id` and
    `org_name`). `trusted_audiences` are accepted beside the client in `aud`.
    """

    issuer: str
    client_id: str
    nonce: str | None
    access_token: str = field(repr=False)
    now: float
    max_age: int | None = None
    organization: str | None = None
    trusted_audiences: tuple[str, ...] = ()
    code: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)


async def check_id_token(
    id_token: str,
    jwks: Jwks,
    expected: IdTokenExpectations,
    *,
    algorithms: Collection[str] = SIGNATURE_ALGORITHMS,
) -> Claims:
    """The claims of an ID token that passed every check.

    Raises:
        IdTokenError: the first check that failed.
        ProviderError, ProviderUnavailable: the provider's keys cannot be fetched.
    """
    try:
        header, claims = await jwt.verify(
            id_token, jwks, algorithms=algorithms, purpose=Purpose.ID_TOKEN
        )
        _check_type(header)
        jwt.check_issuer(claims, expected.issuer)
        jwt.check_subject(claims)
        jwt.check_audience(claims, expected.client_id, expected.trusted_audiences)
        _check_authorized_party(claims, expected)
        jwt.check_times(claims, expected.now)
        _check_nonce(claims, expected)
        _check_hashes(claims, header, expected)
        _check_authentication_time(claims, expected)
        _check_organization(claims, expected)
    except JwtError as error:
        raise IdTokenError(f"The ID token was not accepted: {error}.") from None
    return claims


def check_is_same_login(new: Claims, earlier: str) -> None:
    """A refreshed ID token belongs to the same login (OpenID Connect Core section 12.2).

    `new` are the claims of the refreshed token, which passed `check_id_token`. `earlier` is the ID
    token of the login or of the last refresh.

    Raises:
        IdTokenError: `iss`, `sub`, `auth_time`, `nonce` or `sid` has changed.
    """
    try:
        old = jwt.unverified_claims(earlier)
    except JwtError:
        raise IdTokenError("The earlier ID token cannot be read.") from None
    optional = [name for name in ("auth_time", "nonce", "sid") if name in new and name in old]
    for name in ("iss", "sub", *optional):
        if new.get(name) != old.get(name):
            raise IdTokenError(f"The refreshed ID token has another {name}.")


def session_expiry(claims: Claims) -> float | None:
    """When the session here has to end at the latest, in epoch seconds: the claim `session_expiry`
    (OpenID IPSIE SL1). None if the provider sends none.

    Raises:
        IdTokenError: it is not a time.
    """
    try:
        return jwt.time_claim(claims, "session_expiry") if "session_expiry" in claims else None
    except JwtError as error:
        raise IdTokenError(f"The ID token was not accepted: {error}.") from None


def _check_type(header: Claims) -> None:
    if jwt.media_type(header) in _OTHER_TYPES:
        raise JwtError("its typ is of another kind of token")


def _check_authorized_party(claims: Claims, expected: IdTokenExpectations) -> None:
    if "azp" in claims and claims["azp"] != expected.client_id:
        raise JwtError("its azp is another client")


def _check_nonce(claims: Claims, expected: IdTokenExpectations) -> None:
    if expected.nonce is not None and not _is_same(claims.get("nonce"), expected.nonce):
        raise JwtError("its nonce belongs to another login")


def _check_hashes(claims: Claims, header: Claims, expected: IdTokenExpectations) -> None:
    """`at_hash`, `c_hash` and `s_hash`, if present, are the left half of the value's hash.

    OpenID Connect Core sections 3.1.3.6 and 3.3.2.11; Financial-grade API 1.0 part 2 section 5.1.1.
    """
    values = {"at_hash": expected.access_token, "c_hash": expected.code, "s_hash": expected.state}
    for name, value in values.items():
        if name in claims and value is not None and not _is_half(claims[name], header, value):
            raise JwtError(f"its {name} is of something else")


def _check_authentication_time(claims: Claims, expected: IdTokenExpectations) -> None:
    if expected.max_age is None:
        return
    if jwt.time_claim(claims, "auth_time") + expected.max_age + jwt.LEEWAY < expected.now:
        raise JwtError("the login at the provider is older than max_age")


def _check_organization(claims: Claims, expected: IdTokenExpectations) -> None:
    """Auth0 names an organization by an id, `org_...`, or by a name in lower case."""
    organization = expected.organization
    if organization is None:
        return
    is_id = organization.startswith("org_")
    name, value = ("org_id", organization) if is_id else ("org_name", organization.lower())
    if not _is_same(claims.get(name), value):
        raise JwtError(f"its {name} is not the organization that the login was for")


def _is_same(value: object, expected: str) -> bool:
    return isinstance(value, str) and hmac.compare_digest(value.encode(), expected.encode())


def _is_half(value: object, header: Claims, text: str) -> bool:
    digest = hashlib.new(f"sha{header['alg'][2:]}", text.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    return _is_same(value, half.decode())
