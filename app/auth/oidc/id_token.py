"""Checking an ID token: OpenID Connect Core section 3.1.3.7, one small function for each rule."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from ..errors import IdTokenError
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
from .signed_jwt import Claims, JwtError, media_type, unverified_claims, verified

# Of JWTs that are no ID tokens though the same key may have signed them (RFC 8725 section 3.11).
_OTHER_TYPES = frozenset({"at+jwt", "logout+jwt", "token-introspection+jwt", "dpop+jwt"})


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token must say.

    `access_token`, `code` and `state` are checked where it carries their hashes. `max_age` is in
    seconds. `organization` is what the login asked for, by id or by name (Auth0's `org_id` and
    `org_name`). `trusted_audiences` may stand beside the client in `aud`.
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
    expected: Expected,
    *,
    algorithms: Collection[str] = SIGNATURE_ALGORITHMS,
) -> Claims:
    """The claims of an ID token that passed every check.

    An unknown key id or a bad signature causes one refetch of the keys (their rotation).

    Raises:
        IdTokenError: the first check that failed.
        ProviderError, ProviderUnavailable: the keys could not be had.
    """
    try:
        header, claims = await verified(
            id_token, jwks, algorithms=algorithms, purpose=Purpose.ID_TOKEN
        )
        for check in CHECKS:
            check(claims, header, expected)
    except JwtError as error:
        raise IdTokenError(f"The ID token was not accepted: {error}.") from None
    return claims


def check_is_same_login(new: Claims, earlier: str) -> None:
    """What a refreshed ID token may not change (OpenID Connect Core section 12.2).

    `new` are the claims that passed every other check, `earlier` is the ID token that the login or
    the last refresh brought.

    Raises:
        IdTokenError: it is of another person, another login, or carries another nonce.
    """
    try:
        old = unverified_claims(earlier)
    except JwtError:
        raise IdTokenError("The earlier ID token cannot be read.") from None
    for name in ("iss", "sub"):
        if new.get(name) != old.get(name):
            raise IdTokenError(f"The refreshed ID token has another {name}.")
    for name in ("auth_time", "nonce"):
        if name in new and name in old and new[name] != old[name]:
            raise IdTokenError(f"The refreshed ID token has another {name}.")


def _check_type(_: Claims, header: Claims, __: Expected) -> None:
    if media_type(header) in _OTHER_TYPES:
        raise JwtError("its typ is of another kind of token")


def _check_issuer(claims: Claims, _: Claims, expected: Expected) -> None:
    check_issuer(claims, expected.issuer)


def _check_subject(claims: Claims, _: Claims, __: Expected) -> None:
    check_subject(claims)


def _check_audience(claims: Claims, _: Claims, expected: Expected) -> None:
    check_audience(claims, expected.client_id, expected.trusted_audiences)


def _check_authorized_party(claims: Claims, _: Claims, expected: Expected) -> None:
    if "azp" in claims and claims["azp"] != expected.client_id:
        raise JwtError("its azp is another client")


def _check_expiry(claims: Claims, _: Claims, expected: Expected) -> None:
    check_expiry(claims, expected.now)


def _check_issued_at(claims: Claims, _: Claims, expected: Expected) -> None:
    check_issued_at(claims, expected.now)


def _check_not_before(claims: Claims, _: Claims, expected: Expected) -> None:
    check_not_before(claims, expected.now)


def _check_nonce(claims: Claims, _: Claims, expected: Expected) -> None:
    if expected.nonce is not None and not _is_same(claims.get("nonce"), expected.nonce):
        raise JwtError("its nonce belongs to another login")


def _check_hashes(claims: Claims, header: Claims, expected: Expected) -> None:
    """`at_hash`, `c_hash` and `s_hash`, where there is one: the left half of what they are of
    (section 3.1.3.6, 3.3.2.11, and Financial-grade API 1.0 part 2 section 5.1.1)."""
    values = {
        "at_hash": expected.access_token,
        "c_hash": expected.code,
        "s_hash": expected.state,
    }
    for name, value in values.items():
        if name in claims and value is not None and not _is_half(claims[name], header, value):
            raise JwtError(f"its {name} is of something else")


def _check_authentication_time(claims: Claims, _: Claims, expected: Expected) -> None:
    if expected.max_age is None:
        return
    if time_claim(claims, "auth_time") + expected.max_age + LEEWAY < expected.now:
        raise JwtError("the login at the provider is older than max_age")


def _check_organization(claims: Claims, _: Claims, expected: Expected) -> None:
    """Auth0 names an organization by an id, `org_...`, or by a name in lower case."""
    wanted = expected.organization
    if wanted is None:
        return
    name = "org_id" if wanted.startswith("org_") else "org_name"
    if not _is_same(claims.get(name), wanted if name == "org_id" else wanted.lower()):
        raise JwtError(f"its {name} is not the organization that the login was for")


def _is_same(value: object, expected: str) -> bool:
    return isinstance(value, str) and hmac.compare_digest(value.encode(), expected.encode())


def _is_half(value: object, header: Claims, text: str) -> bool:
    digest = hashlib.new(f"sha{header['alg'][2:]}", text.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    return _is_same(value, half.decode())


CHECKS: tuple[Callable[[Claims, Claims, Expected], None], ...] = (
    _check_type,
    _check_issuer,
    _check_subject,
    _check_audience,
    _check_authorized_party,
    _check_expiry,
    _check_issued_at,
    _check_not_before,
    _check_nonce,
    _check_hashes,
    _check_authentication_time,
    _check_organization,
)
