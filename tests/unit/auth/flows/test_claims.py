"""Which claims of a user hold after an ID token or an answer of UserInfo."""

from __future__ import annotations

from app.auth.flows.claims import ProviderClaims
from app.auth.session import Session
from tests.hostile.signing import rsa_key, sign

LOGIN = (
    ProviderClaims({})
    .with_userinfo({"sub": "ann", "email": "a@example.com", "roles": ["admin"]})
    .with_id_token({"iss": "i", "sub": "ann", "name": "Ann", "team": "red", "nonce": "n"})
)


def test_login() -> None:
    """The claims of both, without those about the token; the ID token wins."""
    assert LOGIN.claims == {
        "sub": "ann",
        "name": "Ann",
        "team": "red",
        "email": "a@example.com",
        "roles": ["admin"],
    }
    assert LOGIN.from_userinfo == {"email", "roles"}
    both = ProviderClaims({}).with_userinfo({"name": "U"}).with_id_token({"name": "I"})
    assert both == ProviderClaims({"name": "I"})


def test_new_id_token() -> None:
    """It replaces what the earlier one said, what it lacks included; UserInfo's claims are kept
    unless it has them."""
    new = LOGIN.with_id_token({"sub": "ann", "name": "Anna", "roles": []})
    assert new.claims == {"sub": "ann", "name": "Anna", "email": "a@example.com", "roles": []}
    assert new.from_userinfo == {"email"}


def test_new_userinfo() -> None:
    """It replaces what UserInfo said before, and is newer than the ID token."""
    new = LOGIN.with_userinfo({"sub": "ann", "name": "Anna", "email": "b@example.com"})
    expected = {"sub": "ann", "name": "Anna", "team": "red", "email": "b@example.com"}
    assert new.claims == expected
    again = new.with_userinfo({"sub": "ann"})
    assert again.claims == {"sub": "ann", "team": "red"}


def test_protocol_claims_at_userinfo() -> None:
    """Claims about the token are none about the user, whatever sends them."""
    names = ("iss", "aud", "acr", "amr", "auth_time", "sid", "_claim_sources", "nonce")
    claims = ProviderClaims({}).with_userinfo({"sub": "ann", **dict.fromkeys(names, "x")})
    assert claims.claims == {"sub": "ann"}


def test_earlier_record() -> None:
    """In a record of an earlier release, what its ID token lacks is UserInfo's."""
    token = sign({"alg": "RS256"}, {"sub": "ann", "name": "Ann"}, rsa_key("k"))
    user = {"sub": "ann", "name": "Ann", "email": "a@example.com"}
    session = Session("ann", None, user, (), 0.0, id_token=token)
    assert ProviderClaims.of(session) == ProviderClaims(user, frozenset({"email"}))
    kept = ProviderClaims.of(session).with_id_token({"sub": "ann"})
    assert kept.claims == {"sub": "ann", "email": "a@example.com"}
