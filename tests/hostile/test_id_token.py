"""ID tokens that say or are something else than they should (OpenID Connect Core 3.1.3.7)."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from ..flow.world import Clock
from .provider import ABSENT, HostileProvider
from .relying_party import RelyingParty, relying_party
from .signing import Fields, damaged, ec_key, rsa_key, sign, signed_with_text, unsigned

NOW = 0.0  # stands for the clock's time in the tables below

CLAIMS: dict[str, dict[str, Any]] = {
    "oidcc-client-test-invalid-iss": {"iss": "https://other.example/"},
    "oidcc-client-test-invalid-aud": {"aud": "somebody-else"},
    "oidcc-client-test-missing-aud": {"aud": ABSENT},
    "oidcc-client-test-missing-iat": {"iat": ABSENT},
    "oidcc-client-test-missing-sub": {"sub": ABSENT},
    "oidcc-client-test-nonce-invalid": {"nonce": "of another login"},
    "oidcc-client-test-invalid-athash": {"at_hash": "b2YgYW5vdGhlciB0b2tlbg"},
    "oidcc-client-test-invalid-chash": {"c_hash": "b2YgYW5vdGhlciBjb2RlIQ"},
    "fapi2-security-profile-final-client-test-invalid-iss": {"iss": "https://other.example/"},
    "fapi2-security-profile-final-client-test-invalid-missing-iss": {"iss": ABSENT},
    "fapi2-security-profile-final-client-test-invalid-aud": {"aud": "somebody-else"},
    "fapi2-security-profile-final-client-test-invalid-missing-aud": {"aud": ABSENT},
    "fapi2-security-profile-final-client-test-invalid-secondary-aud": {"aud": ["rp", "other"]},
    "fapi2-security-profile-final-client-test-invalid-expired-exp": {"exp": NOW - 301},
    "fapi2-security-profile-final-client-test-invalid-missing-exp": {"exp": ABSENT},
    "fapi2-security-profile-final-client-test-invalid-missing-nonce": {"nonce": ABSENT},
    "fapi2-security-profile-final-client-test-invalid-nonce": {"nonce": "of another login"},
    "issuer without its slash": {"iss": "http://127.0.0.1"},
    "s_hash of another state": {"s_hash": "b2YgYW5vdGhlciBzdGF0ZQ"},
    "azp is another client": {"azp": "somebody-else"},
    "azp is this client, a further audience is not trusted": {"aud": ["rp", "other"], "azp": "rp"},
    "azp is another of several audiences": {"aud": ["rp", "other"], "azp": "other"},
    "aud has only others": {"aud": ["one", "two"]},
    "aud is empty": {"aud": []},
    "aud begins alike": {"aud": "rp2"},
    "expired beyond the skew": {"exp": NOW - 60},
    "exp is a text": {"exp": "soon"},
    "exp is true": {"exp": True},
    "issued beyond the skew": {"iat": NOW + 61},
    "not valid yet": {"nbf": NOW + 61},
    "sub is empty": {"sub": ""},
    "sub is a number": {"sub": 7},
    "sub is too long": {"sub": "x" * 256},
    "nonce is a list": {"nonce": ["x"]},
}


def change(claims: Fields, changes: dict[str, Any], now: float) -> Fields:
    """The claims with some changed; a small number stands for seconds from now."""
    times = {n: v + now for n, v in changes.items() if type(v) is float}
    return {**claims, **changes, **times}


@pytest.mark.parametrize("changes", CLAIMS.values(), ids=CLAIMS)
async def test_refused_claim(
    party: RelyingParty, provider: HostileProvider, clock: Clock, changes: dict[str, Any]
) -> None:
    """An ID token with a claim that is missing, misshapen or about something else is refused."""
    provider.bend.claims = lambda claims: change(claims, changes, clock())
    outcome = await party.log_in()
    assert (outcome.code, outcome.session) == ("invalid_id_token", None)


GOOD_CLAIMS: dict[str, dict[str, Any]] = {
    "fapi2-security-profile-final-client-test-valid-aud-as-array": {"aud": ["rp"]},
    "azp is this client": {"azp": "rp"},
    "no at_hash": {"at_hash": ABSENT},
    "expired within the skew": {"exp": NOW - 59},
    "issued within the skew": {"iat": NOW + 59},
    "an unknown claim": {"urn:unknown": {"a": [1]}},
}


@pytest.mark.parametrize("changes", GOOD_CLAIMS.values(), ids=GOOD_CLAIMS)
async def test_accepted_claim(
    party: RelyingParty, provider: HostileProvider, clock: Clock, changes: dict[str, Any]
) -> None:
    """What the specification allows is accepted, a minute of clock skew included."""
    provider.bend.claims = lambda claims: change(claims, changes, clock())
    outcome = await party.log_in()
    assert outcome.code is None
    assert outcome.session is not None


STRANGER = RSAKey.generate_key(2048, {"kid": "first"})
FIRST = rsa_key("first")


def none_algorithm(header: Fields, claims: Fields) -> str:
    return unsigned(header, claims)


def none_algorithm_disguised(header: Fields, claims: Fields) -> str:
    return unsigned(header, claims, alg="NoNe")


def public_key_as_secret(header: Fields, claims: Fields) -> str:
    return signed_with_text(header, claims, FIRST.as_pem(private=False))


def client_secret_as_secret(header: Fields, claims: Fields) -> str:
    return signed_with_text(header, claims, b"rp-secret-!%+")


def empty_secret(header: Fields, claims: Fields) -> str:
    return signed_with_text(header, claims, b"")


def broken_signature(header: Fields, claims: Fields) -> str:
    return damaged(sign(header, claims, FIRST))


def no_signature(header: Fields, claims: Fields) -> str:
    return sign(header, claims, FIRST).rpartition(".")[0] + "."


def strangers_signature(header: Fields, claims: Fields) -> str:
    return sign(header, claims, STRANGER)


def key_in_header(header: Fields, claims: Fields) -> str:
    return sign({**header, "jwk": STRANGER.as_dict(private=False)}, claims, STRANGER)


def elliptic_key_in_header(header: Fields, claims: Fields) -> str:
    key = ec_key("stranger")
    return sign({**header, "alg": "ES256", "jwk": key.as_dict(private=False)}, claims, key)


def key_address_in_header(header: Fields, claims: Fields) -> str:
    return sign({**header, "jku": "https://evil.example/jwks"}, claims, STRANGER)


def unpublished_elliptic_key(header: Fields, claims: Fields) -> str:
    return sign({"alg": "ES256", "kid": "first"}, claims, ec_key("first"))


def other_algorithm(header: Fields, claims: Fields) -> str:
    return sign({**header, "alg": "PS256"}, claims, FIRST)


def unknown_key(header: Fields, claims: Fields) -> str:
    return sign({**header, "kid": "nobody's"}, claims, FIRST)


def critical_extension(header: Fields, claims: Fields) -> str:
    return sign({**header, "crit": ["b64"], "b64": True}, claims, FIRST)


def access_token_type(header: Fields, claims: Fields) -> str:
    return sign({**header, "typ": "at+jwt"}, claims, FIRST)


def logout_token_type(header: Fields, claims: Fields) -> str:
    return sign({**header, "typ": "logout+jwt"}, claims, FIRST)


def no_jwt(header: Fields, claims: Fields) -> str:
    return "not.a-token"


def five_parts(header: Fields, claims: Fields) -> str:
    return f"{sign(header, claims, FIRST)}.x.y"


SIGNATURES = {
    "oidcc-client-test-idtoken-sig-none": none_algorithm,
    "oidcc-client-test-invalid-sig-rs256": broken_signature,
    "oidcc-client-test-invalid-sig-hs256": client_secret_as_secret,
    "oidcc-client-test-invalid-sig-es256": unpublished_elliptic_key,
    "fapi2-security-profile-final-client-test-invalid-null-alg": none_algorithm_disguised,
    "fapi2-security-profile-final-client-test-invalid-alternate-alg": other_algorithm,
    "the public key as an HMAC secret": public_key_as_secret,
    "an empty HMAC secret": empty_secret,
    "no signature": no_signature,
    "a stranger's signature": strangers_signature,
    "a key in the header": key_in_header,
    "an elliptic key in the header": elliptic_key_in_header,
    "a key's address in the header": key_address_in_header,
    "an unknown key id": unknown_key,
    "a critical extension": critical_extension,
    "an access token's type": access_token_type,
    "a logout token's type": logout_token_type,
    "no JWT": no_jwt,
    "five parts": five_parts,
}


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
async def test_refused_signature(
    party: RelyingParty, provider: HostileProvider, signature: Any
) -> None:
    """An ID token that no published key has signed with an announced algorithm is refused."""
    provider.bend.sign = signature
    outcome = await party.log_in()
    assert (outcome.code, outcome.session) == ("invalid_id_token", None)


async def test_no_id_token(party: RelyingParty, provider: HostileProvider) -> None:
    """A token response without an ID token is no login."""
    provider.bend.token_response = lambda r: {n: v for n, v in r.items() if n != "id_token"}
    assert (await party.log_in()).code == "invalid_id_token"


@pytest.mark.parametrize("name", ["oidcc-client-test-kid-absent-single-jwks"])
async def test_one_key_without_id(
    party: RelyingParty, provider: HostileProvider, name: str
) -> None:
    """Without a key id the only published key is used."""
    provider.bend.header = lambda header: {**header, "kid": ABSENT}
    assert (await party.log_in()).code is None


@pytest.mark.parametrize("name", ["oidcc-client-test-kid-absent-multiple-jwks"])
async def test_several_keys_without_id(
    party: RelyingParty, provider: HostileProvider, name: str
) -> None:
    """Without a key id and with several keys it is not guessed."""
    provider.bend.header = lambda header: {**header, "kid": ABSENT}
    provider.keys = [FIRST, rsa_key("second")]
    assert (await party.log_in()).code == "invalid_id_token"


@pytest.mark.parametrize("name", ["oidcc-client-test-idtoken-sig-rs256"])
async def test_rs256(party: RelyingParty, provider: HostileProvider, name: str) -> None:
    """RS256 is what everybody speaks."""
    assert (await party.log_in()).code is None


async def test_long_header(party: RelyingParty, provider: HostileProvider) -> None:
    """A certificate chain and unknown members in the header are ignored."""
    extra = {"x5c": ["M" * 4000], "x-vendor": {"a": 1}, "typ": "JWT"}
    provider.bend.header = lambda header: {**header, **extra}
    assert (await party.log_in()).code is None


async def test_announced_elliptic_algorithm(party: RelyingParty, provider: HostileProvider) -> None:
    """An algorithm that discovery announces is accepted, without any setting."""
    speak_es256(provider)
    assert (await party.log_in()).code is None


async def test_configured_algorithm(provider: HostileProvider, clock: Clock) -> None:
    """Where one algorithm is configured, another one is refused though it is announced."""
    speak_es256(provider)
    provider.bend.discovery = lambda d: {
        **d,
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
    }
    for algorithm, code in (("RS256", "invalid_id_token"), ("ES256", None)):
        settings = {"AUTH0_ID_TOKEN_SIGNED_RESPONSE_ALG": algorithm}
        async with relying_party(provider, clock, **settings) as party:
            assert (await party.log_in()).code == code


def speak_es256(provider: HostileProvider) -> None:
    """Sign with an elliptic curve, and say so."""
    key: ECKey = ec_key("curve")
    provider.keys = [key]
    provider.bend.claims = lambda claims: claims
    provider.bend.sign = lambda header, claims: sign({**header, "alg": "ES256"}, claims, key)
    provider.bend.discovery = lambda d: {**d, "id_token_signing_alg_values_supported": ["ES256"]}


async def test_trusted_audience(provider: HostileProvider, clock: Clock) -> None:
    """A further audience that is configured as trusted may stand beside this client, with azp."""
    both = ["rp", "project"]
    settings = {"AUTH0_TRUSTED_AUDIENCES": "project"}
    for claims, code in (
        ({"aud": both, "azp": "rp"}, None),
        ({"aud": both}, "invalid_id_token"),
        ({"aud": [*both, "other"], "azp": "rp"}, "invalid_id_token"),
    ):
        provider.bend.claims = lambda old, new=claims: {**old, **new}  # type: ignore[misc]
        async with relying_party(provider, clock, **settings) as party:
            assert (await party.log_in()).code == code
