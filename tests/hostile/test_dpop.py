"""A provider that answers proofs (RFC 9449) as none should."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from app.auth import ProviderError
from app.auth.flows.token_exchange import ConnectionRequest, ExchangeRequest
from app.auth.session import Session, hash_session_id

from .http_server import Answer
from .provider import HostileProvider
from .relying_party import Clock, RelyingParty, relying_party

Bend = Callable[[dict[str, Any]], dict[str, Any] | Answer]


def bound(document: dict[str, Any]) -> dict[str, Any]:
    """What an honest provider says to a request with a proof."""
    return {**document, "token_type": "DPoP"}


def demanding(nonces: list[str]) -> Bend:
    """Demands a nonce again and again, each time another one."""

    def demand(_: dict[str, Any]) -> Answer:
        nonces.append(f"n{len(nonces)}")
        body = Answer.of_json({"error": "use_dpop_nonce"}, 400)
        return Answer(400, body.body, {**body.headers, "DPoP-Nonce": nonces[-1]})

    return demand


def decoded(proof: str) -> dict[str, Any]:
    """The claims of a proof, unchecked."""
    part = proof.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


async def session(party: RelyingParty) -> Session:
    """The party's session."""
    found = await party.session()
    assert found is not None
    return found


@pytest.mark.parametrize("is_on", [True, False])
async def test_another_token_type(provider: HostileProvider, clock: Clock, is_on: bool) -> None:
    """A Bearer token where a bound one is demanded is no login; nor is a bound one where none was
    asked for."""
    async with relying_party(provider, clock, AUTH0_DPOP="1" if is_on else "0") as party:
        if not is_on:
            provider.bend.token_response = bound
        assert (await party.log_in()).code == "provider_error"
        assert await party.session() is None


async def test_downgrade_at_a_refresh(provider: HostileProvider, clock: Clock) -> None:
    """A Bearer token is refused at a refresh, too; the session stays."""
    provider.bend.token_response = bound
    async with relying_party(provider, clock, AUTH0_DPOP="1") as party:
        assert (await party.log_in()).code is None
        before = await session(party)
        provider.bend.token_response = lambda document: document
        clock.now += 3601
        with pytest.raises(ProviderError, match="token_type"):
            await party.access_token()
        assert (await session(party)).access_tokens == before.access_tokens


async def test_endless_demands_at_the_token_endpoint(
    provider: HostileProvider, clock: Clock
) -> None:
    """A demand is met once; the second one is a failed login."""
    nonces: list[str] = []
    provider.bend.token_request = demanding(nonces)
    async with relying_party(provider, clock, AUTH0_DPOP="1") as party:
        assert (await party.log_in()).code == "token_endpoint_error"
    assert len(nonces) == 2


async def test_a_demand_without_proofs_is_an_error(provider: HostileProvider, clock: Clock) -> None:
    """A client that uses no DPoP does not begin to because a provider says so."""
    nonces: list[str] = []
    provider.bend.token_request = demanding(nonces)
    async with relying_party(provider, clock) as party:
        assert (await party.log_in()).code == "token_endpoint_error"
    assert len(nonces) == 1
    assert "dpop" not in provider.asked("/token")[0].headers


async def test_userinfo_gets_no_bearer_token(provider: HostileProvider, clock: Clock) -> None:
    """A bound token goes to UserInfo as such, with a proof, even if it is refused."""
    provider.bend.token_response = bound
    provider.bend.claims = lambda claims: {k: v for k, v in claims.items() if k != "email"}
    async with relying_party(provider, clock, AUTH0_DPOP="1") as party:
        await party.log_in()
    (asked,) = provider.asked("/userinfo")
    assert asked.headers["authorization"].startswith("DPoP ")
    assert asked.headers["dpop"]


async def test_no_common_algorithm(provider: HostileProvider, clock: Clock) -> None:
    """A provider that announces other algorithms only is not asked."""
    provider.bend.discovery = lambda document: {
        **document,
        "dpop_signing_alg_values_supported": ["EdDSA"],
    }
    async with relying_party(provider, clock, AUTH0_DPOP="1") as party:
        assert (await party.log_in()).code == "dpop_not_supported"
    assert not provider.asked("/authorize")


async def test_pushed_request_names_the_key(provider: HostileProvider, clock: Clock) -> None:
    """`dpop_jkt` is pushed with the other parameters (RFC 9449 section 10.1)."""
    provider.bend.token_response = bound
    environ = {"AUTH0_DPOP": "1", "AUTH0_PUSHED_AUTHORIZATION_REQUESTS": "1"}
    async with relying_party(provider, clock, **environ) as party:
        assert (await party.log_in()).code is None
    assert provider.asked("/par")[0].form["dpop_jkt"]
    assert "dpop_jkt" not in provider.asked("/authorize")[0].query


async def test_connection_token(provider: HostileProvider, clock: Clock) -> None:
    """A refresh token that is bound to a key is exchanged with a proof of that key, with the nonce
    that the provider demands; an access token is exchanged without. A bound token in exchange is
    refused: its caller has no key."""
    provider.bend.token_response = bound
    async with relying_party(provider, clock, AUTH0_DPOP="1") as party:
        assert (await party.log_in()).code is None
        provider.requests.clear()
        demand, tries = demanding([]), iter("12")
        answer = {"access_token": "at-google", "token_type": "Bearer", "expires_in": 60}
        provider.bend.token_request = lambda form: (
            demand(form) if next(tries, None) == "1" else Answer.of_json(answer, 200)
        )
        key = hash_session_id(party.browser.cookies["auth_session_3000"])
        exchange = party.auth.sessions.exchange
        assert await exchange.get(key, ConnectionRequest("google-oauth2")) == "at-google"
        proofs = [decoded(each.headers["dpop"]) for each in provider.asked("/token")]
        assert [each.get("nonce") for each in proofs] == [None, "n0"]
        await exchange.get(key, ExchangeRequest(audience="orders"))
        assert "dpop" not in provider.asked("/token")[-1].headers
        answer["token_type"] = "DPoP"
        with pytest.raises(ProviderError, match="token_type"):
            await exchange.get(key, ConnectionRequest("other"))
