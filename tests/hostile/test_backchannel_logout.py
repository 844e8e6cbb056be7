"""Logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.6)."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from app.auth import Sealer, SessionStore, SQLiteSessionStore

from ..flow.world import Clock
from ..store_outage import store_away
from .http_server import Answer
from .provider import ABSENT, EVENT, HostileProvider
from .relying_party import RelyingParty, relying_party
from .signing import Fields, damaged, ec_key, rsa_key, sign, signed_with_text, unsigned


@pytest.fixture(autouse=True)
async def logged_in(party: RelyingParty) -> None:
    """Somebody is."""
    assert (await party.log_in()).code is None


NAMES = [
    "oidcc-client-test-rp-backchannel-rpinitlogout",
    "by sid alone",
    "by sub alone",
]


@pytest.mark.parametrize("name", NAMES)
async def test_accepted(party: RelyingParty, provider: HostileProvider, name: str) -> None:
    """A good logout token ends the session that it names, and is answered with 200."""
    claims = {"by sid alone": {"sub": ABSENT}, "by sub alone": {"sid": ABSENT}}.get(name, {})
    response = await party.post_logout_token(provider.logout_token(**claims))
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    assert await party.session() is None


CLAIMS: dict[str, dict[str, Any]] = {
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss": {"iss": "https://other.example/"},
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud": {"aud": "somebody-else"},
    "oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce": {"nonce": "x"},
    "oidcc-client-test-rp-backchannel-rpinitlogout-no-event": {"events": ABSENT},
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event": {"events": {"urn:other": {}}},
    "events is a list": {"events": [EVENT]},
    "the event is true": {"events": {EVENT: True}},
    "several audiences": {"aud": ["rp", "somebody-else"]},
    "no iss": {"iss": ABSENT},
    "no aud": {"aud": ABSENT},
    "no iat": {"iat": ABSENT},
    "no exp": {"exp": ABSENT},
    "expired": {"exp": 1},
    "issued in the future": {"iat": 9e9, "exp": 9e9 + 60},
    "valid for a year": {"exp": 9e9},
    "no jti": {"jti": ABSENT},
    "jti is empty": {"jti": ""},
    "jti is a number": {"jti": 7},
    "neither sub nor sid": {"sub": ABSENT, "sid": ABSENT},
    "sid is a list": {"sid": ["x"]},
    "sub is empty": {"sub": ""},
    "an empty nonce": {"nonce": ""},
}


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
async def test_refused_claim(
    party: RelyingParty, provider: HostileProvider, claims: Fields
) -> None:
    """A token that fails a check is answered with 400 and ends nothing."""
    response = await party.post_logout_token(provider.logout_token(**claims))
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
    assert response.json()["error_description"].startswith("invalid_logout_token ")
    assert await party.session() is not None


def bent_token(name: str, provider: HostileProvider) -> str:
    """A logout token with something wrong about its header or signature."""
    good = provider.logout_token()
    header, claims = {"typ": "logout+jwt", "kid": "first"}, read(good)
    first, stranger = rsa_key("first"), rsa_key("stranger")
    match name:
        case "oidcc-client-test-rp-backchannel-rpinitlogout-alg-none":
            return unsigned(header, claims)
        case "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg":
            return signed_with_text(header, claims, first.as_pem(private=False))
        case "the client secret":
            return signed_with_text(header, claims, b"rp-secret-!%+")
        case "an algorithm that is not announced":
            return sign({**header, "alg": "PS256"}, claims, first)
        case "an elliptic key":
            return sign({**header, "alg": "ES256"}, claims, ec_key("first"))
        case "a stranger's key":
            return sign(header, claims, stranger)
        case "a key in the header":
            jwk = stranger.as_dict(private=False)
            return sign({**header, "jwk": jwk}, claims, stranger)
        case "damaged":
            return damaged(good)
        case "the type of an access token":
            return sign({**header, "typ": "at+jwt"}, claims, first)
        case "the type of an ID token":
            return sign({**header, "typ": "JWT"}, claims, first)
        case "no type":
            return sign({"kid": "first"}, claims, first)
        case _:
            return "no token"


def read(token: str) -> Fields:
    """The claims of a token of this test's own making."""
    payload = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


HEADERS = [
    "oidcc-client-test-rp-backchannel-rpinitlogout-alg-none",
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg",
    *("the client secret", "an algorithm that is not announced", "an elliptic key"),
    *("a stranger's key", "a key in the header", "damaged", "the type of an access token"),
    *("the type of an ID token", "no type", "no token"),
]


@pytest.mark.parametrize("name", HEADERS)
async def test_refused_signature(party: RelyingParty, provider: HostileProvider, name: str) -> None:
    """So is one that is no logout token, or that the provider has not signed."""
    response = await party.post_logout_token(bent_token(name, provider))
    assert response.status_code == 400
    assert await party.session() is not None


async def test_id_token_as_logout_token(party: RelyingParty) -> None:
    """An ID token does not pass for a logout token."""
    session = await party.session()
    assert session is not None
    assert session.id_token is not None
    assert (await party.post_logout_token(session.id_token)).status_code == 400
    assert await party.session() is not None


async def test_replay(party: RelyingParty, provider: HostileProvider, clock: Clock) -> None:
    """A token works once: replayed, it does not log out who has come back."""
    token = provider.logout_token(sid=ABSENT)
    assert (await party.post_logout_token(token)).status_code == 200
    await party.log_in("max_age=0")
    assert (await party.post_logout_token(token)).status_code == 400
    assert await party.session() is not None


async def test_other_session_of_the_user(party: RelyingParty, provider: HostileProvider) -> None:
    """A token with a `sid` ends that session, and no other of the same person."""
    token = provider.logout_token(sid="another")
    assert (await party.post_logout_token(token)).status_code == 200
    assert await party.session() is not None


async def test_session_of_somebody_else(party: RelyingParty, provider: HostileProvider) -> None:
    """A `sid` with another person's `sub` ends nothing."""
    token = provider.logout_token(sub="somebody-else")
    assert (await party.post_logout_token(token)).status_code == 200
    assert await party.session() is not None


BODIES: dict[str, dict[str, Any]] = {
    "JSON": {"json": {"logout_token": "x"}},
    "two tokens": {"data": {"logout_token": ["x", "y"]}},
    "no token": {"data": {"other": "x"}},
    "empty": {"data": {}},
    "five megabytes": {"data": {"logout_token": "x" * 5_000_000}},
    "not ASCII": {
        "content": b"logout_token=\xff",
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
    },
    "a multipart form": {"files": {"logout_token": b"x"}},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_refused_body(party: RelyingParty, body: dict[str, Any]) -> None:
    """What is not a small form with one token is answered with 400."""
    assert (await party.post(**body)).status_code == 400
    assert await party.session() is not None


async def test_keys_are_down(party: RelyingParty, provider: HostileProvider, clock: Clock) -> None:
    """While the token cannot be checked the provider is asked to come back, with the same token."""
    provider.rotate_keys()
    token = provider.logout_token()
    provider.bend.jwks = lambda _: Answer(503)
    response = await party.post_logout_token(token)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert await party.session() is not None
    provider.bend.jwks = lambda keys: keys
    clock.now += 31
    assert (await party.post_logout_token(token)).status_code == 200
    assert await party.session() is None


async def test_sessions_are_away(provider: HostileProvider, clock: Clock, tmp_path: Path) -> None:
    """While sessions cannot be ended it is asked to come back, and then the token works."""
    file = tmp_path / "sessions.sqlite3"

    def open_file(sealer: Sealer, clock: Clock) -> SessionStore:
        return SQLiteSessionStore(file, sealer, clock=clock)

    async with relying_party(provider, clock, open_store=open_file) as party:
        await party.log_in()
        token = provider.logout_token()
        with store_away(file):
            response = await party.post_logout_token(token)
            assert (response.status_code, response.headers["retry-after"]) == (503, "5")
        assert (await party.post_logout_token(token)).status_code == 200
        assert await party.session() is None


async def test_get(party: RelyingParty) -> None:
    """The address is for posting to."""
    assert (await party.browser.get("http://localhost:3000/auth/backchannel-logout")).is_error
