"""`auth.exchange` and `auth.connection_token`, as a handler of an app calls them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

import httpx
import pytest
import reflex as rx
from reflex_base.registry import RegistrationContext

from app.auth import (
    AuthConfig,
    AuthService,
    AuthState,
    LoginRequired,
    MemorySessionStore,
    Sealer,
    TokenExchangeError,
)
from app.auth.testing import FakeClock, signed_in, visitor

from .conftest import SECRET

ISSUER = "https://tenant.example.com/"
CONFIG = AuthConfig("https://tenant.example.com", "client", "client-secret", secrets=(SECRET,))
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}authorize",
    "token_endpoint": f"{ISSUER}oauth/token",
    "jwks_uri": f"{ISSUER}jwks",
}


def provider(request: httpx.Request) -> httpx.Response:
    """Issues a token that says what was asked for; refuses the connection `none`."""
    if request.url.path != "/oauth/token":
        return httpx.Response(200, json=METADATA)
    form = dict(parse_qsl(request.content.decode()))
    if form.get("connection") == "none":
        return httpx.Response(400, json={"error": "invalid_request"})
    token = form.get("connection") or f"{form['subject_token']}.{form['audience']}"
    return httpx.Response(
        200, json={"access_token": token, "token_type": "Bearer", "expires_in": 60}
    )


@pytest.fixture
async def auth() -> AsyncIterator[AuthService]:
    """The service of an app that is not running."""
    clock = FakeClock()
    with RegistrationContext.ensure_context().fork():
        store = MemorySessionStore(Sealer((SECRET,)), clock=clock)
        pool = httpx.MockTransport(provider)
        service = AuthService(CONFIG, store, pool=pool, clock=clock)
        service.install(rx.App())
        yield service
        await service.aclose()


async def test_tokens_of_a_signed_in_user(auth: AuthService) -> None:
    """A handler gets the token that it asks for, of its own user."""
    async with signed_in(auth, user={"sub": "auth0|ann"}, refresh_token="r") as tab:
        state = await tab.get_state(AuthState)
        own = await auth.get_access_token(state)
        assert await auth.exchange(state, audience="orders") == f"{own}.orders"
        assert await auth.exchange(state, subject_token="s", audience="x") == "s.x"
        assert await auth.connection_token(state, "google-oauth2") == "google-oauth2"
        with pytest.raises(TokenExchangeError) as raised:
            await auth.connection_token(state, "none")
        assert raised.value.error == "invalid_request"


async def test_visitors(auth: AuthService) -> None:
    """Without a user there is a link to log in."""
    async with visitor(auth) as tab:
        state = await tab.get_state(AuthState)
        with pytest.raises(LoginRequired) as raised:
            await auth.connection_token(state, "google-oauth2")
        assert "/auth/login" in str(raised.value.login_url)
