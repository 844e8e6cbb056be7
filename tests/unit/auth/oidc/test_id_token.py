"""The ID token's checks, each with a token that fails it (OpenID Connect Core 3.1.3.7)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from app.auth.errors import IdTokenError
from app.auth.oidc.id_token import IdTokenExpectations, check_id_token
from app.auth.oidc.jwks import Jwks

NOW = 1_800_000_000.0
KEY = RSAKey.generate_key(2048, {"kid": "current", "use": "sig"})
OLD_KEY = RSAKey.generate_key(2048, {"kid": "old", "use": "sig"})
ENCRYPTION_KEY = RSAKey.import_key({**OLD_KEY.as_dict(private=False), "use": "enc"})
EC_KEY = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
STRANGER = RSAKey.generate_key(2048, {"kid": "current"})

EXPECTED = IdTokenExpectations(
    issuer="https://issuer.example/",
    client_id="client",
    nonce="nonce",
    access_token="access-token",
    now=NOW,
)
AT_HASH = (
    base64.urlsafe_b64encode(hashlib.sha256(b"access-token").digest()[:16]).rstrip(b"=").decode()
)
CLAIMS: dict[str, Any] = {
    "iss": EXPECTED.issuer,
    "sub": "alice",
    "aud": "client",
    "exp": NOW + 3600,
    "iat": NOW,
    "nonce": "nonce",
    "at_hash": AT_HASH,
}
CLAIMS_JSON = json.dumps(CLAIMS).encode()


class Provider:
    """A JWKS endpoint that counts and can rotate."""

    def __init__(self, *keys: Any) -> None:
        self.keys = list(keys)
        self.fetches = 0
        self.now = NOW
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self.jwks = Jwks(self._uri, client, clock=lambda: self.now)

    async def _uri(self) -> str:
        return "https://issuer.example/jwks"

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.fetches += 1
        return httpx.Response(200, json={"keys": [k.as_dict(private=False) for k in self.keys]})


def sign(claims: dict[str, Any], key: Any = KEY, *, alg: str = "RS256", header: Any = None) -> str:
    """A JWT; `header` adds to or (with None values) takes from the usual one."""
    fields = {"alg": alg, "kid": key.kid, **(header or {})}
    fields = {name: value for name, value in fields.items() if value is not None}
    payload = json.dumps(claims).encode()
    return jws.serialize_compact(fields, payload, key, algorithms=[alg])


async def check(token: str, provider: Provider | None = None, **changes: Any) -> dict[str, Any]:
    """Check a token as a login does."""
    expected = IdTokenExpectations(
        **{**{n: getattr(EXPECTED, n) for n in IdTokenExpectations.__slots__}, **changes}
    )
    return await check_id_token(token, (provider or Provider(KEY, EC_KEY)).jwks, expected)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"aud": ["client"]},
        {"azp": "client"},
        {"exp": NOW - 59},
        {"iat": NOW + 59},
        {"at_hash": None},
    ],
)
async def test_good(change: dict[str, Any]) -> None:
    """A valid token is accepted, with up to a minute of clock skew."""
    claims = {name: value for name, value in {**CLAIMS, **change}.items() if value is not None}
    assert (await check(sign(claims)))["sub"] == "alice"


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://issuer.example"},
        {"iss": ["https://issuer.example/"]},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": []},
        {"aud": None},
        {"aud": ["client", "other"]},
        {"aud": ["client", "other"], "azp": "client"},
        {"azp": "other"},
        {"aud": ["client", "other"], "azp": "other"},
        {"exp": NOW - 60},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"iat": NOW + 61},
        {"iat": None},
        {"nbf": NOW + 61},
        {"nonce": "other"},
        {"nonce": None},
        {"nonce": ["nonce"]},
        {"at_hash": "wrong"},
        {"at_hash": AT_HASH + "="},
    ],
    ids=lambda change: json.dumps(change)[:40],
)
async def test_bent_claim(change: dict[str, Any]) -> None:
    """A token with a claim missing, of another type, or with a wrong value is refused."""
    claims = {name: value for name, value in {**CLAIMS, **change}.items() if value is not None}
    with pytest.raises(IdTokenError):
        await check(sign(claims))


async def test_forged_signature() -> None:
    """A signature by another key with the right key id is refused."""
    with pytest.raises(IdTokenError):
        await check(sign(CLAIMS, STRANGER))


async def test_changed_payload() -> None:
    """A payload that was changed after signing does not verify."""
    header, _, signature = sign(CLAIMS).split(".")
    body = base64.urlsafe_b64encode(json.dumps({**CLAIMS, "sub": "bob"}).encode()).decode()
    with pytest.raises(IdTokenError):
        await check(f"{header}.{body.rstrip('=')}.{signature}")


async def test_none_algorithm() -> None:
    """An unsigned token is refused, however it spells it."""
    for alg in ("none", "None", "NONE"):
        header = base64.urlsafe_b64encode(json.dumps({"alg": alg}).encode()).decode().rstrip("=")
        payload = sign(CLAIMS).split(".")[1]
        with pytest.raises(IdTokenError):
            await check(f"{header}.{payload}.")


async def test_public_key_as_hmac_secret() -> None:
    """The provider's public key is not used as an HMAC secret (algorithm confusion)."""
    header = json.dumps({"alg": "HS256", "kid": "current"}).encode()
    parts = [base64.urlsafe_b64encode(text).rstrip(b"=") for text in (header, CLAIMS_JSON)]
    mac = hmac.digest(KEY.as_pem(private=False), b".".join(parts), "sha256")
    token = b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()
    with pytest.raises(IdTokenError):
        await check(token)


async def test_key_in_the_header() -> None:
    """A key in the token's header is ignored."""
    header = {"jwk": STRANGER.as_dict(private=False), "kid": "current"}
    with pytest.raises(IdTokenError):
        await check(sign(CLAIMS, STRANGER, header=header))


async def test_encryption_key() -> None:
    """A key that is published for encryption verifies nothing."""
    with pytest.raises(IdTokenError):
        await check(sign(CLAIMS, OLD_KEY), Provider(KEY, ENCRYPTION_KEY))


async def test_critical_extension() -> None:
    """An unknown extension that the header calls critical is refused."""
    header, payload, signature = sign(CLAIMS).split(".")
    fields = {"alg": "RS256", "kid": "current", "crit": ["x"], "x": 1}
    header = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")
    with pytest.raises(IdTokenError):
        await check(f"{header}.{payload}.{signature}")


@pytest.mark.parametrize("alg", ["PS256", "RS512"])
async def test_other_rsa_algorithms(alg: str) -> None:
    """The other RSA algorithms work, at_hash with their own hash included."""
    half = hashlib.new(f"sha{alg[2:]}", b"access-token").digest()
    half = base64.urlsafe_b64encode(half[: len(half) // 2]).rstrip(b"=")
    assert await check(sign({**CLAIMS, "at_hash": half.decode()}, alg=alg))


async def test_elliptic_curve() -> None:
    """ES256 works."""
    assert await check(sign(CLAIMS, EC_KEY, alg="ES256"))


async def test_missing_key_id() -> None:
    """Without a key id one fitting key is enough, and two are ambiguous."""
    token = sign(CLAIMS, header={"kid": None})
    assert await check(token, Provider(KEY))
    with pytest.raises(IdTokenError):
        await check(token, Provider(KEY, OLD_KEY))


async def test_key_rotation() -> None:
    """A new key is fetched once when a token needs it, and not for every unknown key id."""
    provider = Provider(OLD_KEY)
    assert await check(sign(CLAIMS, OLD_KEY), provider)
    provider.keys = [KEY]
    provider.now += 60
    assert await check(sign(CLAIMS), provider)
    assert provider.fetches == 2
    for _ in range(5):
        with pytest.raises(IdTokenError):
            await check(sign(CLAIMS, STRANGER, header={"kid": "unknown"}), provider)
    assert provider.fetches == 2


async def test_max_age() -> None:
    """With max_age, a login at the provider that is too old or has no time is refused."""
    assert await check(sign({**CLAIMS, "auth_time": NOW - 100}), max_age=60)
    for change in ({"auth_time": NOW - 121}, {}):
        with pytest.raises(IdTokenError):
            await check(sign({**CLAIMS, **change}), max_age=60)


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "....", "x" * 70_000, "e30.e30.e30"])
async def test_not_a_token(token: str) -> None:
    """Text that is not a JWT is refused."""
    with pytest.raises(IdTokenError):
        await check(token)
