"""The token endpoint's answer to a code (RFC 6749 sections 5.1 and 5.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..flow.world import Clock
from .http_server import Answer
from .provider import ABSENT, HostileProvider
from .relying_party import RelyingParty

REFUSED: dict[str, tuple[Any, str]] = {
    "no access token": ({"access_token": ABSENT}, "provider_error"),
    "access token is empty": ({"access_token": ""}, "provider_error"),
    "access token is a number": ({"access_token": 7}, "provider_error"),
    "access token splits a header": ({"access_token": "a\r\nX: b"}, "provider_error"),
    "no token type": ({"token_type": ABSENT}, "provider_error"),
    "another token type": ({"token_type": "MAC"}, "provider_error"),
    "a token type that needs a proof": ({"token_type": "DPoP"}, "provider_error"),
    "expires_in is negative": ({"expires_in": -1}, "provider_error"),
    "expires_in is true": ({"expires_in": True}, "provider_error"),
    "expires_in is a word": ({"expires_in": "soon"}, "provider_error"),
    "refresh token is a list": ({"refresh_token": ["x"]}, "provider_error"),
    "ID token is an object": ({"id_token": {}}, "provider_error"),
    "an error beside the tokens": ({"error": "invalid_grant"}, "token_endpoint_error"),
    "an error": (Answer.of_json({"error": "invalid_grant"}, 400), "token_endpoint_error"),
    "an error with status 200": (Answer.of_json({"error": "x"}), "token_endpoint_error"),
    "no JSON": (Answer(200, b"access_token=abc"), "provider_error"),
    "HTML": (Answer(200, b"<html>"), "provider_error"),
    "a list": (Answer.of_json([]), "provider_error"),
    "five megabytes": (Answer(200, b'{"a":"' + b"x" * 5_000_000 + b'"}'), "provider_error"),
    "deep nesting": (Answer(200, b"[" * 100_000), "provider_error"),
    "a redirect": (Answer.redirect("https://evil.example/token"), "provider_error"),
    "a redirect that keeps the method": (
        Answer(307, headers={"Location": "https://evil.example/token"}),
        "provider_error",
    ),
    "busy": (Answer(503, headers={"Retry-After": "9"}), "provider_unavailable"),
    "too many requests": (Answer(429), "provider_unavailable"),
    "no answer": (Answer(is_cut=True), "provider_unavailable"),
}


@pytest.mark.parametrize(("bent", "code"), REFUSED.values(), ids=REFUSED)
async def test_refused(
    party: RelyingParty, provider: HostileProvider, bent: Any, code: str
) -> None:
    """Such an answer makes no session; the code is sent nowhere else, and not a second time."""
    provider.bend.token_response = lambda old: changed(old, bent)
    outcome = await party.log_in()
    assert (outcome.code, outcome.session) == (code, None)
    assert len(provider.asked("/token")) == 1


ACCEPTED: dict[str, dict[str, Any]] = {
    "fapi2-security-profile-final-client-test-token-type-case-insensitivity": {
        "token_type": "bEARER"
    },
    "fapi2-security-profile-final-client-test-token-endpoint-response-without-expires_in": {
        "expires_in": ABSENT
    },
    "expires_in is a text of digits": {"expires_in": "3600"},
    "scope is empty": {"scope": ""},
    "no refresh token": {"refresh_token": ABSENT},
    "unknown members": {"x": [1]},
}


@pytest.mark.parametrize("bent", ACCEPTED.values(), ids=ACCEPTED)
async def test_accepted(
    party: RelyingParty, provider: HostileProvider, bent: dict[str, Any]
) -> None:
    """What the RFC leaves open is taken as it comes."""
    provider.bend.token_response = lambda old: changed(old, bent)
    assert (await party.log_in()).code is None


async def test_claims_beside_the_id_token(party: RelyingParty, provider: HostileProvider) -> None:
    """The user is read from the signed token, never from other members of the response."""
    lie = {"sub": "admin", "email": "admin@example.com", "name": "Admin"}
    provider.bend.token_response = lambda old: {**old, "userinfo": lie, **lie}
    outcome = await party.log_in()
    assert outcome.user["email"] == "rea@example.com"
    assert outcome.user["sub"] == "rp-user-1"


async def test_drip(party: RelyingParty, provider: HostileProvider) -> None:
    """An answer that drips is given up after ten seconds, though it never stands still and would
    have been a good one."""
    provider.bend.token_response = lambda old: Answer(
        200, b" " * 200 + json.dumps(old).encode(), drip=0.1
    )
    outcome = await party.log_in()
    assert (outcome.code, outcome.session) == ("provider_unavailable", None)


async def test_scope_is_less_than_asked(
    party: RelyingParty, provider: HostileProvider, clock: Clock
) -> None:
    """What was granted is what counts, not what was asked for."""
    provider.bend.token_response = lambda old: {**old, "scope": "openid"}
    outcome = await party.log_in()
    assert outcome.session is not None
    assert outcome.session.access_tokens[0].scope == "openid"


def changed(old: dict[str, Any], bent: Any) -> Any:
    """The answer with some members changed or left out; or another answer."""
    if isinstance(bent, Answer):
        return bent
    return {name: value for name, value in {**old, **bent}.items() if value is not ABSENT}
