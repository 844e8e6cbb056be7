"""`auth.exchange` and `auth.connection_token` with a tenant that grants them."""

from __future__ import annotations

import httpx
import pytest

from app.auth import ConsentRequired, ProviderUnavailable, TokenExchangeError
from app.auth.flows.token_exchange import ConnectionRequest, ExchangeRequest

from .test_second_audience import allow_messages
from .world import OTHER_AUDIENCE, World, key_of

GOOGLE = ConnectionRequest("google-oauth2")
MESSAGES = ExchangeRequest(audience=OTHER_AUDIENCE, scope="read:messages")


async def get(
    world: World, browser: httpx.AsyncClient, request: ExchangeRequest | ConnectionRequest
) -> str:
    """The token in exchange for those of the browser's session."""
    return await world.auth.sessions.exchange.get(key_of(browser), request)


async def claims_of(world: World, token: str) -> dict[str, object]:
    """What the tenant says that a token is worth (RFC 7662)."""
    async with world.browser() as client:
        answer = await client.post(
            "http://127.0.0.1:4400/oauth/introspect",
            data={"token": token},
            auth=("local-app", "local-secret"),
        )
        return dict(answer.json())


async def test_connection_token(world: World, browser: httpx.AsyncClient) -> None:
    """The user's token at Google comes for the refresh token of the session, which rotates on."""
    await world.log_in(browser)
    for _ in range(3):
        assert await get(world, browser, GOOGLE) == "fake-google-token-of-alice"
        await world.refresh(browser)


async def test_no_account_there(world: World, browser: httpx.AsyncClient) -> None:
    """Without an account there, the error has Auth0's code, and the session stays."""
    await world.log_in(browser, "bob@example.com")
    with pytest.raises(TokenExchangeError) as raised:
        await get(world, browser, GOOGLE)
    assert raised.value.error == "federated_connection_refresh_token_not_found"
    assert await world.session(browser)


async def test_exchange(world: World, browser: httpx.AsyncClient) -> None:
    """A token at another API takes the user's consent, and then comes for the session's own token,
    again when it has expired."""
    await world.log_in(browser)
    with pytest.raises(ConsentRequired) as raised:
        await get(world, browser, MESSAGES)
    assert (raised.value.audience, raised.value.scope) == (OTHER_AUDIENCE, "read:messages")
    await allow_messages(world, browser)
    first = await get(world, browser, MESSAGES)
    claims = await claims_of(world, first)
    assert (claims["aud"], claims["scope"]) == (OTHER_AUDIENCE, "read:messages")
    assert await get(world, browser, MESSAGES) == first
    world.clock.now += 3601
    assert (await claims_of(world, first))["active"] is False
    assert (await claims_of(world, await get(world, browser, MESSAGES)))["active"] is True


async def test_faults(world: World, browser: httpx.AsyncClient) -> None:
    """An outage can be tried again; a refresh token that was revoked ends no session by itself."""
    await world.log_in(browser)
    await world.fault("status", value=503, endpoint="/oauth/token", times=1)
    with pytest.raises(ProviderUnavailable):
        await get(world, browser, GOOGLE)
    await world.fault("revoke")
    with pytest.raises(TokenExchangeError) as raised:
        await get(world, browser, GOOGLE)
    assert raised.value.error == "invalid_grant"
    assert await world.session(browser)
