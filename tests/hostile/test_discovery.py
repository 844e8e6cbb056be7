"""Discovery that contradicts the configuration, or is no discovery at all."""

from __future__ import annotations

from typing import Any

import pytest

from ..flow.world import Clock
from .http_server import Answer
from .provider import HostileProvider
from .relying_party import RelyingParty, relying_party

HTML = Answer(200, b"<html><body>It works</body></html>", {"Content-Type": "text/html"})
FIVE_MEGABYTES = Answer(
    200, b'{"issuer": "' + b"x" * 5_000_000 + b'"}', {"Content-Type": "application/json"}
)
BUSY = Answer(503, headers={"Retry-After": "10"})
ELSEWHERE = Answer.redirect("https://evil.example/.well-known/openid-configuration")

ANSWERS: dict[str, tuple[Any, str]] = {
    "oidcc-client-test-discovery-issuer-mismatch": (
        {"issuer": "https://other.example/"},
        "issuer_mismatch",
    ),
    "fapi2-security-profile-final-client-test-discovery-issuer-mismatch": (
        {"issuer": "https://other.example/"},
        "issuer_mismatch",
    ),
    "issuer without its slash": ({"issuer": "http://127.0.0.1"}, "issuer_mismatch"),
    "no issuer": ({"issuer": None}, "issuer_mismatch"),
    "no token endpoint": ({"token_endpoint": None}, "provider_error"),
    "no keys": ({"jwks_uri": None}, "provider_error"),
    "an endpoint that is a number": ({"jwks_uri": 7}, "provider_error"),
    "http token endpoint": ({"token_endpoint": "http://evil.example/token"}, "provider_error"),
    "http authorization endpoint": (
        {"authorization_endpoint": "http://evil.example/authorize"},
        "provider_error",
    ),
    "javascript authorization endpoint": (
        {"authorization_endpoint": "javascript:alert(1)"},
        "provider_error",
    ),
    "http keys": ({"jwks_uri": "http://evil.example/jwks"}, "provider_error"),
    "http userinfo": ({"userinfo_endpoint": "http://evil.example/userinfo"}, "provider_error"),
    "http end of session": (
        {"end_session_endpoint": "http://evil.example/logout"},
        "provider_error",
    ),
    "user name in an endpoint": ({"token_endpoint": "https://a@evil.example/"}, "provider_error"),
    "a port that is none": ({"token_endpoint": "https://evil.example:x/"}, "provider_error"),
    "fragment in an endpoint": ({"token_endpoint": "https://evil.example/#x"}, "provider_error"),
    "symmetric algorithms only": (
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
        "provider_error",
    ),
    "algorithms that are a text": (
        {"id_token_signing_alg_values_supported": "RS256"},
        "provider_error",
    ),
    "HTML": (HTML, "provider_error"),
    "five megabytes": (FIVE_MEGABYTES, "provider_error"),
    "a list": (Answer.of_json(["issuer"]), "provider_error"),
    "not found": (Answer(404, b"{}"), "provider_error"),
    "a redirect": (ELSEWHERE, "provider_error"),
    "busy": (BUSY, "provider_unavailable"),
    "no answer": (Answer(is_cut=True), "provider_unavailable"),
}


@pytest.mark.parametrize(("bent", "code"), ANSWERS.values(), ids=ANSWERS)
async def test_refused(
    party: RelyingParty, provider: HostileProvider, bent: Any, code: str
) -> None:
    """Such a discovery stops the login before the browser is sent anywhere."""
    provider.bend.discovery = lambda old: bent if isinstance(bent, Answer) else {**old, **bent}
    outcome = await party.log_in()
    assert (outcome.code, outcome.session) == (code, None)
    assert not provider.asked("/authorize")


async def test_http_on_this_machine_for_a_provider_elsewhere(clock: Clock) -> None:
    """A provider on the web cannot send requests to a service of this machine."""
    from app.auth.errors import ProviderError
    from app.auth.oidc.discovery import ProviderMetadata

    issuer = "https://id.example/"
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}authorize",
        "token_endpoint": "http://127.0.0.1:6379/",
        "jwks_uri": f"{issuer}jwks",
    }
    with pytest.raises(ProviderError, match="token_endpoint"):
        ProviderMetadata.from_document(document, issuer=issuer)


@pytest.mark.parametrize(
    "name",
    [
        "oidcc-client-test-discovery-openid-config",
        "oidcc-client-test-discovery-jwks-uri-keys",
        "fapi2-security-profile-final-client-test-happy-path",
        "oidcc-client-test",
    ],
)
async def test_used(party: RelyingParty, provider: HostileProvider, name: str) -> None:
    """Every address is taken from discovery, wherever that puts it."""
    moved = {"jwks_uri": provider.url("/jwks?moved=1")}
    provider.bend.discovery = lambda old: {**old, **moved}
    assert (await party.log_in()).code is None
    (asked,) = provider.asked("/jwks")
    assert asked.query == {"moved": ["1"]}


async def test_last_good_copy(party: RelyingParty, provider: HostileProvider, clock: Clock) -> None:
    """Discovery that has gone astray after it was read once does not stop anybody."""
    assert (await party.log_in()).code is None
    clock.now += 3600
    provider.bend.discovery = lambda _: BUSY
    provider.bend.jwks = lambda _: BUSY
    assert (await party.log_in()).code is None


async def test_untrustworthy_after_a_good_one(
    party: RelyingParty, provider: HostileProvider
) -> None:
    """A discovery that lies is not excused by an earlier one that did not."""
    assert (await party.log_in()).code is None
    provider.bend.discovery = lambda old: {**old, "issuer": "https://other.example/"}
    assert (
        (await party.begin())
        .headers["location"]
        .startswith("http://localhost:3000/error?code=issuer_mismatch")
    )


async def test_issuer_spelled_in_another_way(clock: Clock) -> None:
    """An issuer without a slash at its end is configured letter by letter."""
    provider = HostileProvider(clock)
    provider.issuer = provider.issuer.rstrip("/")
    provider.start()
    try:
        async with relying_party(provider, clock, AUTH0_ISSUER=provider.issuer) as party:
            assert (await party.log_in()).code is None
        async with relying_party(provider, clock) as party:
            assert (await party.log_in()).code == "issuer_mismatch"
    finally:
        provider.stop()
