"""UserInfo, for providers that leave the person out of the ID token (OpenID Connect Core 5.3)."""

from __future__ import annotations

from typing import Any

import pytest

from .http_server import Answer
from .provider import ABSENT, HostileProvider
from .relying_party import RelyingParty


@pytest.fixture(autouse=True)
def bare_id_token(provider: HostileProvider) -> None:
    """The ID token says who it is, and no more."""
    bare = {"name": ABSENT, "email": ABSENT}
    provider.bend.claims = lambda claims: {**claims, **bare}


@pytest.mark.parametrize(
    "name",
    [
        "oidcc-client-test-userinfo-bearer-header",
        "oidcc-client-test-scope-userinfo-claims",
        "oidcc-client-test-nonce-unless-code-flow",
    ],
)
async def test_asked(party: RelyingParty, provider: HostileProvider, name: str) -> None:
    """Claims that the scopes ask for and the ID token lacks come from there, by Bearer token."""
    outcome = await party.log_in()
    assert outcome.user["email"] == "rea@userinfo.example"
    assert outcome.session is not None
    (request,) = provider.asked("/userinfo")
    token = outcome.session.access_tokens[0].value
    assert request.headers["authorization"] == f"Bearer {token}"
    assert (request.method, request.query, request.form) == ("GET", {}, {})
    assert provider.asked("/authorize")[0].query["nonce"][0]


REFUSED: dict[str, tuple[Any, str]] = {
    "oidcc-client-test-userinfo-invalid-sub": ({"sub": "somebody-else"}, "userinfo_mismatch"),
    "no sub": ({"sub": None}, "userinfo_mismatch"),
    "sub is a list": ({"sub": ["rp-user-1"]}, "userinfo_mismatch"),
    "HTML": (Answer(200, b"<html>"), "provider_error"),
    "five megabytes": (Answer(200, b" " * 5_000_000), "provider_error"),
    "a JWT that was not asked for": (
        Answer(200, b"e30.e30.e30", {"Content-Type": "application/jwt"}),
        "provider_error",
    ),
    "a redirect": (Answer.redirect("https://evil.example/userinfo"), "provider_error"),
}


@pytest.mark.parametrize(("bent", "code"), REFUSED.values(), ids=REFUSED)
async def test_refused(
    party: RelyingParty, provider: HostileProvider, bent: Any, code: str
) -> None:
    """A UserInfo response of another user, or a malformed one, creates no session."""
    provider.bend.userinfo = lambda old: bent if isinstance(bent, Answer) else {**old, **bent}
    outcome = await party.log_in()
    assert (outcome.code, outcome.session) == (code, None)


@pytest.mark.parametrize(
    "answer",
    [Answer.of_json({"error": "invalid_token"}, 401), Answer(503), Answer(is_cut=True)],
    ids=["refused", "busy", "no answer"],
)
async def test_done_without(party: RelyingParty, provider: HostileProvider, answer: Answer) -> None:
    """Without a UserInfo response the user is logged in, without a name."""
    provider.bend.userinfo = lambda _: answer
    outcome = await party.log_in()
    assert outcome.code is None
    assert outcome.user == {"sub": "rp-user-1"}


async def test_id_token_comes_first(party: RelyingParty, provider: HostileProvider) -> None:
    """What the signed token says is not overwritten by UserInfo."""
    provider.bend.claims = lambda claims: {**claims, "email": ABSENT}
    provider.bend.userinfo = lambda old: {**old, "name": "Somebody Else", "iss": "x", "aud": "y"}
    outcome = await party.log_in()
    assert outcome.user["name"] == "Rea Party"
    assert "iss" not in outcome.user


@pytest.mark.parametrize(
    "name", ["oidcc-client-test-aggregated-claims", "oidcc-client-test-distributed-claims"]
)
async def test_claims_of_others(party: RelyingParty, provider: HostileProvider, name: str) -> None:
    """Claims that others vouch for are not followed and not shown: they may come with tokens."""
    sources = {
        "_claim_names": {"address": "a", "phone_number": "d"},
        "_claim_sources": {
            "a": {"JWT": "e30.e30.e30"},
            "d": {"endpoint": provider.url("/claims"), "access_token": "secret"},
        },
    }
    provider.bend.userinfo = lambda old: {**old, **sources}
    outcome = await party.log_in()
    assert outcome.code is None
    assert not outcome.user.keys() & sources.keys()
    assert not provider.asked("/claims")


async def test_half_of_a_character(party: RelyingParty, provider: HostileProvider) -> None:
    """A name with half of a surrogate pair, which JSON may hold, is shown with U+FFFD there."""
    provider.bend.claims = lambda claims: {**claims, "name": "Zo\ud83d"}
    outcome = await party.log_in()
    assert outcome.code is None
    assert outcome.user["name"] == "Zo\ufffd"
