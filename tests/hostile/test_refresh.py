"""What a refresh may bring (RFC 6749 section 6, OpenID Connect Core 12.2)."""

from __future__ import annotations

from typing import Any

import pytest

from app.auth import AuthError, ProviderError, ProviderUnavailable, SessionEnded

from ..flow.world import Clock
from .http_server import Answer
from .provider import ABSENT, HostileProvider
from .relying_party import RelyingParty
from .signing import Fields, rsa_key, sign, unsigned


@pytest.fixture(autouse=True)
async def logged_in(party: RelyingParty, clock: Clock) -> None:
    """Somebody whose access token has expired."""
    assert (await party.log_in()).code is None
    clock.now += 3601


@pytest.mark.parametrize(
    "name",
    [
        "oidcc-client-test-refresh-token",
        "fapi2-security-profile-final-client-refresh-token-test",
    ],
)
async def test_rotation(
    party: RelyingParty, provider: HostileProvider, clock: Clock, name: str
) -> None:
    """Each refresh redeems the refresh token that the last one brought."""
    tokens = {await party.access_token()}
    clock.now += 3601
    tokens.add(await party.access_token())
    assert len(tokens) == 2
    first, second = (r.form["refresh_token"] for r in provider.asked("/token")[1:])
    assert first != second


async def test_new_id_token(party: RelyingParty, provider: HostileProvider) -> None:
    """A new ID token of the same login takes the place of the earlier one."""
    before = await party.session()
    provider.bend.refresh_claims = lambda claims: claims
    await party.access_token()
    after = await party.session()
    assert before is not None
    assert after is not None
    assert after.id_token != before.id_token


CLAIMS: dict[str, dict[str, Any]] = {
    "oidcc-client-test-refresh-token-invalid-issuer": {"iss": "https://other.example/"},
    "oidcc-client-test-refresh-token-invalid-sub": {"sub": "somebody-else"},
    "another audience": {"aud": "somebody-else"},
    "another nonce": {"nonce": "of another login"},
    "another time of login": {"auth_time": 1},
    "another session at the provider": {"sid": "of another login"},
    "expired": {"exp": 1},
    "no sub": {"sub": ABSENT},
    "hash of another access token": {"at_hash": "b2YgYW5vdGhlciB0b2tlbg"},
}


@pytest.mark.parametrize("changes", CLAIMS.values(), ids=CLAIMS)
async def test_refused_id_token(
    party: RelyingParty, provider: HostileProvider, changes: Fields
) -> None:
    """With an ID token of another user or login, the response is not used and the session stays."""
    before = await party.session()
    provider.bend.refresh_claims = lambda claims: {**claims, **changes}
    with pytest.raises(ProviderError) as raised:
        await party.access_token()
    assert raised.value.code == "invalid_id_token"
    assert await party.session() == before


async def test_claims_follow(party: RelyingParty, provider: HostileProvider) -> None:
    """A new ID token of the same login says who the user is now: a name that has changed, rights
    that were withdrawn, an address that was verified."""
    changes = {"name": "Rea P.", "roles": [], "email_verified": True}
    provider.bend.refresh_claims = lambda claims: {**claims, **changes}
    await party.access_token()
    session = await party.session()
    assert session is not None
    assert {name: session.user[name] for name in changes} == changes
    assert session.user["email"] == "rea@example.com"


@pytest.mark.parametrize("changes", [{"sub": "somebody-else"}, {"sid": "other"}], ids=str)
async def test_claims_of_another(
    party: RelyingParty, provider: HostileProvider, changes: Fields
) -> None:
    """The claims of another user or login are not taken, and nothing else of that response."""
    before = await party.session()
    provider.bend.refresh_claims = lambda claims: {**claims, **changes, "roles": ["admin"]}
    with pytest.raises(ProviderError):
        await party.access_token()
    assert await party.session() == before


async def test_protocol_claims(party: RelyingParty, provider: HostileProvider) -> None:
    """Neither an ID token nor UserInfo can give the user a claim that is about the token."""
    forged = {"acr": "high", "amr": ["mfa"], "_claim_sources": {}, "typ": "x", "jti": "y"}
    provider.bend.refresh_claims = lambda claims: {
        **claims,
        **forged,
        "name": ABSENT,
        "email": ABSENT,
    }
    provider.bend.userinfo = lambda claims: {**claims, **forged, "sid": "z", "auth_time": 1}
    await party.access_token()
    session = await party.session()
    assert session is not None
    assert session.user == {
        "sub": "rp-user-1",
        "name": "Rea Party",
        "email": "rea@userinfo.example",
    }
    assert session.sid == provider.sids[0]


async def test_session_expiry(party: RelyingParty, provider: HostileProvider, clock: Clock) -> None:
    """A refreshed ID token brings the end of the session forward, and never puts it off; one that
    is no time is refused."""
    for value, expected in ((clock() + 5000, 5000), (clock() + 9000, 5000)):
        began_at = clock()
        provider.bend.refresh_claims = lambda claims, value=value: {
            **claims,
            "session_expiry": value,
        }
        provider.bend.token_response = lambda response: {**response, "expires_in": 10}
        await party.access_token()
        session = await party.session()
        assert session is not None
        assert session.session_expiry is not None
        assert session.session_expiry - began_at <= expected
        assert "session_expiry" not in session.user
        clock.now += 11
    provider.bend.refresh_claims = lambda claims: {**claims, "session_expiry": "soon"}
    with pytest.raises(ProviderError):
        await party.access_token()


async def test_reduced_id_token(
    party: RelyingParty, provider: HostileProvider, clock: Clock
) -> None:
    """If the new ID token lacks what the scope asks for, UserInfo is asked at once, and then not
    again before the claims are too old."""
    provider.bend.refresh_claims = lambda claims: {**claims, "name": ABSENT, "email": ABSENT}
    provider.bend.token_response = lambda response: {**response, "expires_in": 120}
    for _ in range(3):
        await party.access_token()
        clock.now += 121
    assert len(provider.asked("/userinfo")) == 1
    clock.now += 600
    await party.access_token()
    assert len(provider.asked("/userinfo")) == 2
    session = await party.session()
    assert session is not None
    assert session.user["email"] == "rea@userinfo.example"


@pytest.mark.parametrize("name", ["unsigned", "a stranger's signature"])
async def test_refused_signature(party: RelyingParty, provider: HostileProvider, name: str) -> None:
    """Nor is it used if no key of the provider signed its ID token."""
    provider.bend.refresh_claims = lambda claims: claims
    stranger = rsa_key("stranger")
    provider.bend.sign = unsigned if name == "unsigned" else lambda h, c: sign(h, c, stranger)
    with pytest.raises(ProviderError):
        await party.access_token()
    assert await party.session() is not None


async def test_without_nonce(party: RelyingParty, provider: HostileProvider) -> None:
    """A refreshed ID token need not repeat the nonce."""
    provider.bend.refresh_claims = lambda claims: {**claims, "nonce": ABSENT}
    assert await party.access_token()


async def test_keys_are_down(party: RelyingParty, provider: HostileProvider, clock: Clock) -> None:
    """While the keys cannot be fetched, the new tokens are used, and no refresh token is lost."""
    provider.rotate_keys()
    provider.bend.jwks = lambda _: Answer(503)
    provider.bend.refresh_claims = lambda claims: claims
    assert await party.access_token()
    clock.now += 3601
    assert await party.access_token()


ENDS: dict[str, tuple[Answer, type[AuthError], bool]] = {
    "invalid_grant": (Answer.of_json({"error": "invalid_grant"}, 400), SessionEnded, True),
    "invalid_grant as Auth0 says it": (
        Answer.of_json({"error": "invalid_grant"}, 403),
        SessionEnded,
        True,
    ),
    "invalid_client": (Answer.of_json({"error": "invalid_client"}, 401), ProviderError, False),
    "server_error": (Answer.of_json({"error": "server_error"}, 400), ProviderError, False),
    "busy": (Answer(503), ProviderUnavailable, False),
    "HTML": (Answer(200, b"<html>"), ProviderError, False),
    "a redirect": (Answer.redirect("https://evil.example/"), ProviderError, False),
    "no answer": (Answer(is_cut=True), ProviderUnavailable, False),
}


@pytest.mark.parametrize(("answer", "error", "is_over"), ENDS.values(), ids=ENDS)
async def test_what_ends_a_session(
    party: RelyingParty,
    provider: HostileProvider,
    answer: Answer,
    error: type[AuthError],
    is_over: bool,
) -> None:
    """Only `invalid_grant` ends a session; nothing else that a provider says does."""
    provider.bend.token_response = lambda _: answer
    with pytest.raises(error):
        await party.access_token()
    assert (await party.session() is None) == is_over
