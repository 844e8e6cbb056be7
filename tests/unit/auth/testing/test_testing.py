"""What an app's own tests get from `app.auth.testing`, used as they use it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import reflex as rx
from reflex_base.registry import RegistrationContext

from app.auth import (
    AuthConfig,
    AuthService,
    AuthState,
    HttpInterceptorConfig,
    MemorySessionStore,
    Sealer,
    has_role,
    has_scope,
)
from app.auth.testing import (
    AccessDenied,
    FakeClock,
    Outages,
    Tab,
    session_cookie,
    signed_in,
    visitor,
)

from ..conftest import SECRET

ANN = {"sub": "auth0|ann", "name": "Ann"}
API = "https://api.example.com"
CONFIG = AuthConfig(
    domain="tenant.example.com",
    client_id="client",
    client_secret="client-secret",
    secrets=(SECRET,),
    app_base_url="https://app.example.com",
    app_api_url="https://app.example.com",
)


def answered(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"token": request.headers.get("authorization")})


@pytest.fixture
async def auth() -> AsyncIterator[AuthService]:
    """The service of an app that is not running."""
    clock = FakeClock()
    with RegistrationContext.ensure_context().fork():
        service = AuthService(
            CONFIG,
            MemorySessionStore(Sealer((SECRET,)), clock=clock),
            http_interceptor=HttpInterceptorConfig([f"{API}/*"]),
            pool=Outages(httpx.MockTransport(answered)),
            clock=clock,
        )
        service.install(rx.App())
        yield service
        await service.aclose()


@pytest.fixture
def orders(auth: AuthService) -> Any:
    """A State as an app has it."""

    class Orders(rx.State):
        name: str = ""
        answer: str = ""

        @rx.event
        @auth.require(has_role("editor"))
        def rename(self, name: str) -> Any:
            self.name = name
            return rx.toast.info("renamed")

        @rx.event
        @auth.require(has_scope("read:orders"))
        def read(self) -> Any:
            yield rx.toast.info("one")
            yield rx.toast.info("two")

        @rx.event(background=True)
        @auth.require_login
        async def fetch(self) -> None:
            async with auth.http_client(self) as http:
                response = await http.get(f"{API}/orders")
            async with self:
                self.answer = f"{response.status_code} {response.json()['token']}"

        @rx.event
        async def greet(self) -> None:
            self.name = (await self.get_state(AuthState)).user["name"]

        @rx.event
        @auth.public
        def look(self) -> None:
            self.answer = "looked"

    return Orders


async def test_handler_with_its_rule(auth: AuthService, orders: Any) -> None:
    """A handler runs for a user whom its rule allows, and is denied to others, as in the app."""
    async with signed_in(auth, user=ANN, roles=["editor"]) as tab:
        (toast,) = await tab.call(orders.rename, "new")
        assert "renamed" in str(toast)
        assert (await tab.get_state(orders)).name == "new"
        with pytest.raises(AccessDenied, match=r"read was denied: forbidden \(scope read:orders\)"):
            await tab.call(orders.read)
    async with signed_in(auth, user=ANN, scopes="openid read:orders") as tab:
        assert len(await tab.call(orders.read)) == 2
        with pytest.raises(AccessDenied):
            await tab.call(orders.rename, "new")


async def test_visitor(auth: AuthService, orders: Any) -> None:
    """A visitor may call what is public, and nothing else."""
    async with visitor(auth) as tab:
        await tab.call(orders.look)
        with pytest.raises(AccessDenied) as denied:
            await tab.call(orders.greet)
        assert denied.value.denial == "login_required"
        assert not (await tab.get_state(AuthState)).is_authenticated


async def test_user_in_the_state(auth: AuthService, orders: Any) -> None:
    """Handlers read the user from `AuthState`; two tabs of two users are apart."""
    async with (
        signed_in(auth, user=ANN) as ann,
        signed_in(auth, user={"sub": "bob", "name": "Bob"}) as bob,
    ):
        for tab, name in ((ann, "Ann"), (bob, "Bob")):
            await tab.call(orders.greet)
            assert (await tab.get_state(orders)).name == name


async def test_session_that_ends(auth: AuthService, orders: Any) -> None:
    """After a logout, the user's tab may do nothing more."""
    async with signed_in(auth, user=ANN) as tab:
        await tab.log_out()
        with pytest.raises(AccessDenied):
            await tab.call(orders.greet)
        assert (await tab.get_state(AuthState)).user is None


async def test_arguments(auth: AuthService, orders: Any) -> None:
    """Arguments that do not fit the handler are an error that names it."""
    async with signed_in(auth, user=ANN, roles=["editor"]) as tab:
        with pytest.raises(TypeError, match="rename cannot be called"):
            await tab.call(orders.rename, ["not", "text"])


async def test_call_of_an_api(auth: AuthService, orders: Any) -> None:
    """A background handler calls an API with the user's token, and sees the API fail when the test
    says so."""
    pool: Outages = auth._pool  # type: ignore[assignment]
    async with signed_in(auth, user=ANN, access_token="of-ann") as tab:
        await tab.call(orders.fetch)
        assert (await tab.get_state(orders)).answer == "200 Bearer of-ann"
        with pool.of(API), pytest.raises(httpx.ConnectError):
            await tab.call(orders.fetch)


async def test_cookie(auth: AuthService) -> None:
    """The cookie opens the session of that user on the app's own routes."""
    cookie = await session_cookie(auth, ANN)
    assert cookie["name"] == "__Host-auth_session"
    assert cookie["secure"]
    transport = httpx.ASGITransport(auth.asgi(httpx.ASGITransport))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=CONFIG.app_base_url) as http:
        headers = {"Cookie": f"{cookie['name']}={cookie['value']}", "X-CSRF": "1"}
        profile = await http.get("/auth/profile", headers=headers)
    assert profile.json() == ANN


async def test_end_of_the_session(auth: AuthService) -> None:
    """`AuthState` says when the session ends, and staying puts that off as far as possible."""
    clock: FakeClock = auth.clock  # type: ignore[assignment]
    lifetimes, begun_at = auth.store.lifetimes, clock.now
    async with signed_in(auth, user=ANN, session_expiry=begun_at + lifetimes.idle + 50) as tab:
        state = await tab.get_state(AuthState)
        assert state.expires_at == begun_at + lifetimes.idle
        assert state.ends_at == begun_at + lifetimes.idle + 50
        clock.now += 40
        await tab.call(AuthState.stay_signed_in)
        assert state.expires_at == clock.now + lifetimes.idle
        clock.now += 40
        await tab.call(AuthState.stay_signed_in)
        assert state.expires_at == state.ends_at
        clock.now = state.ends_at
        await tab.call(AuthState.stay_signed_in)
        assert state.expires_at == state.ends_at == 0
    async with visitor(auth) as tab:
        await tab.call(AuthState.stay_signed_in)
        assert (await tab.get_state(AuthState)).expires_at == 0


def test_tab_is_named(auth: AuthService) -> None:
    """Two tabs have different state trees."""
    assert Tab(auth, None).tree != Tab(auth, None).tree
