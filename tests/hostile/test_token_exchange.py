"""Token exchange (RFC 8693) and Auth0's connection tokens, at a provider that may lie."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.auth import (
    AuthError,
    ConsentRequired,
    LoginRequired,
    MfaRequired,
    ProviderError,
    ProviderUnavailable,
    TokenExchangeError,
)
from app.auth.flows.token_exchange import (
    CONNECTION,
    CONNECTION_TOKEN_TYPE,
    EXCHANGE,
    ConnectionRequest,
    ExchangeRequest,
)
from app.auth.session import hash_session_id

from .http_server import Answer
from .provider import HostileProvider
from .relying_party import Clock, RelyingParty, relying_party

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
GOOGLE = ConnectionRequest("google-oauth2")
ORDERS = ExchangeRequest(audience="orders", scope="read")
BOTH = pytest.mark.parametrize("request_", [GOOGLE, ORDERS], ids=["connection", "exchange"])


class Exchanges:
    """The provider's side: keeps the forms that it gets, and answers them with `document`."""

    def __init__(self) -> None:
        self.forms: list[dict[str, Any]] = []
        self.document: dict[str, Any] = {}
        self.status = 200

    def __call__(self, form: dict[str, Any]) -> Answer | None:
        if form["grant_type"] not in (EXCHANGE, CONNECTION):
            return None
        self.forms.append(form)
        is_connection = form["grant_type"] == CONNECTION
        answer = {
            "access_token": f"exchanged-{len(self.forms)}",
            "issued_token_type": CONNECTION_TOKEN_TYPE if is_connection else ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": 600,
            **self.document,
        }
        return Answer.of_json(answer, self.status)


@pytest.fixture
def exchanges(provider: HostileProvider) -> Exchanges:
    """What the provider does with exchanges; other grants are as usual."""
    exchanges = Exchanges()
    provider.bend.token_request = exchanges
    return exchanges


@pytest.fixture
async def party(provider: HostileProvider, clock: Clock) -> AsyncIterator[RelyingParty]:
    """An app whose browser is logged in."""
    async with relying_party(provider, clock) as party:
        assert (await party.log_in()).code is None
        yield party


async def get(party: RelyingParty, request: ExchangeRequest | ConnectionRequest) -> str:
    """The exchanged token of the browser's session."""
    ref = hash_session_id(party.browser.cookies["auth_session_3000"])
    return await party.auth.sessions.exchange.get(ref, request)


async def test_form_of_an_exchange(party: RelyingParty, exchanges: Exchanges) -> None:
    """The session's own access token is the subject (RFC 8693 section 2.1)."""
    own = await party.access_token()
    assert await get(party, ORDERS) == "exchanged-1"
    assert exchanges.forms == [
        {
            "grant_type": EXCHANGE,
            "subject_token": own,
            "subject_token_type": ACCESS_TOKEN,
            "requested_token_type": ACCESS_TOKEN,
            "audience": "orders",
            "scope": "read",
        }
    ]


async def test_form_of_a_connection_token(party: RelyingParty, exchanges: Exchanges) -> None:
    """The session's refresh token is the subject, as Auth0 wants it, and it stays in use."""
    session = await party.session()
    assert session is not None
    await get(party, ConnectionRequest("google-oauth2", "id-there"))
    assert exchanges.forms == [
        {
            "grant_type": CONNECTION,
            "subject_token": session.refresh_tokens[0],
            "subject_token_type": "urn:ietf:params:oauth:token-type:refresh_token",
            "requested_token_type": CONNECTION_TOKEN_TYPE,
            "connection": "google-oauth2",
            "login_hint": "id-there",
        }
    ]
    after = await party.session()
    assert after is not None
    assert after.refresh_tokens == session.refresh_tokens


@BOTH
async def test_kept_until_it_is_about_to_expire(
    party: RelyingParty,
    exchanges: Exchanges,
    clock: Clock,
    request_: ExchangeRequest | ConnectionRequest,
) -> None:
    """Twenty callers at once make one request, and so do later ones, until the token is due."""
    assert set(await asyncio.gather(*(get(party, request_) for _ in range(20)))) == {"exchanged-1"}
    clock.now += 500
    assert await get(party, request_) == "exchanged-1"
    clock.now += 60
    assert await get(party, request_) == "exchanged-2"
    assert len(exchanges.forms) == 2


async def test_each_request_has_its_own_token(party: RelyingParty, exchanges: Exchanges) -> None:
    """Another subject, audience, scope, connection or account is another token."""
    requests = [
        GOOGLE,
        ConnectionRequest("github"),
        ConnectionRequest("google-oauth2", "other"),
        ORDERS,
        ExchangeRequest(audience="orders"),
        ExchangeRequest("subject", audience="orders", scope="read"),
        ExchangeRequest("another", audience="orders", scope="read"),
    ]
    for _ in range(2):
        tokens = [await get(party, request) for request in requests]
        assert tokens == [f"exchanged-{n}" for n in range(1, 8)]


@pytest.mark.parametrize(
    ("status", "document", "error", "code"),
    [
        (400, {"error": "invalid_grant"}, TokenExchangeError, "token_exchange_error"),
        (403, {"error": "access_denied"}, TokenExchangeError, "token_exchange_error"),
        (400, {"error": "consent_required"}, ConsentRequired, "consent_required"),
        (403, {"error": "mfa_required", "mfa_token": "m"}, MfaRequired, "mfa_required"),
        (503, {}, ProviderUnavailable, "provider_unavailable"),
        (200, {"token_type": "N_A"}, ProviderError, "provider_error"),
        (200, {"issued_token_type": "urn:x"}, ProviderError, "provider_error"),
        (200, {"access_token": "a b"}, ProviderError, "provider_error"),
        (200, {"expires_in": -1}, ProviderError, "provider_error"),
    ],
)
@BOTH
async def test_refusals_and_lies(
    party: RelyingParty,
    exchanges: Exchanges,
    request_: ExchangeRequest | ConnectionRequest,
    status: int,
    document: dict[str, Any],
    error: type[AuthError],
    code: str,
) -> None:
    """Each has a stable code. The session stays as it was, also after `invalid_grant`, and the next
    attempt can succeed."""
    before = await party.session()
    exchanges.status, exchanges.document = status, document
    with pytest.raises(error) as raised:
        await get(party, request_)
    assert (type(raised.value), raised.value.code) == (error, code)
    assert await party.session() == before
    exchanges.status, exchanges.document = 200, {}
    assert await get(party, request_) == "exchanged-2"


async def test_nothing_else_of_an_answer_is_kept(party: RelyingParty, exchanges: Exchanges) -> None:
    """A refresh token or an ID token in the answer does not enter the session, and the exchanged
    token is not one that the interceptor attaches."""
    exchanges.document = {"refresh_token": "other", "id_token": "other"}
    await get(party, ORDERS)
    session = await party.session()
    assert session is not None
    assert "other" not in session.to_bytes().decode()
    assert "exchanged-1" not in {token.value for token in session.access_tokens}
    assert "exchanged-1" not in repr(session)


async def test_no_session(party: RelyingParty, exchanges: Exchanges) -> None:
    """Without a session there is nothing to exchange."""
    with pytest.raises(LoginRequired):
        await party.auth.sessions.exchange.get("0" * 64, GOOGLE)
    assert exchanges.forms == []
