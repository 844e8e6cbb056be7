"""The other names under /auth/, and the gate in front of everything else."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.types import Message, Scope

from app.auth.session import (
    Lifetimes,
    MemorySessionStore,
    Sealer,
    SessionStore,
    hash_session_id,
    new_session_id,
)

from ..store_outage import store_away
from .world import APP, Clock, World, error_code

CSRF = {"X-CSRF": "1"}


async def test_profile_without_session(world: World, browser: httpx.AsyncClient) -> None:
    """The profile needs a session and the header that other sites cannot send."""
    assert (await browser.get(f"{APP}/auth/profile", headers=CSRF)).status_code == 401
    assert (await browser.get(f"{APP}/auth/profile")).status_code == 403


@pytest.mark.parametrize(
    "cookie",
    [
        "auth_session_3000=garbage",
        f"auth_session_3000={new_session_id()}",
        "auth_session_3000=" + "x" * 20_000,
        "=;=;",
    ],
    ids=["garbage", "unknown", "oversized", "malformed"],
)
async def test_odd_cookie(world: World, browser: httpx.AsyncClient, cookie: str) -> None:
    """A cookie that is no session of ours is nobody, and no error."""
    response = await browser.get(f"{APP}/auth/profile", headers={**CSRF, "Cookie": cookie})
    assert response.status_code == 401


async def test_logout(world: World, browser: httpx.AsyncClient) -> None:
    """Logging out ends the session, takes the cookie, revokes the token, and goes to the tenant."""
    await world.log_in(browser)
    handle = browser.cookies["auth_session_3000"]
    response = await browser.post(f"{APP}/auth/logout", headers={"Origin": APP})
    assert response.headers["location"].startswith("http://127.0.0.1:4400/oidc/logout?")
    assert "id_token" not in response.headers["location"]
    assert "auth_session_3000" not in browser.cookies
    assert await world.store.load(hash_session_id(handle)) is None
    assert "/oauth/revoke" in world.network.paths
    left = await browser.get(response.headers["location"])
    assert left.headers["location"] == APP


async def test_logout_while_the_tenant_is_down(world: World, browser: httpx.AsyncClient) -> None:
    """The local end does not wait for the provider."""
    await world.log_in(browser)
    world.network.is_cut = True
    await browser.post(f"{APP}/auth/logout", headers={"Origin": APP})
    assert (await browser.get(f"{APP}/auth/profile", headers=CSRF)).status_code == 401


async def test_logout_by_link(world: World, browser: httpx.AsyncClient) -> None:
    """A GET asks first, and changes nothing."""
    await world.log_in(browser)
    response = await browser.get(f"{APP}/auth/logout")
    assert "Log out?" in response.text
    assert (await browser.get(f"{APP}/auth/profile", headers=CSRF)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3001"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=["other site", "opaque", "other port", "cross-site", "same-site"],
)
async def test_forged_logout(
    world: World, browser: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    """Nobody else can log a person out."""
    await world.log_in(browser)
    response = await browser.post(f"{APP}/auth/logout", headers=headers)
    assert response.status_code == 403
    assert (await browser.get(f"{APP}/auth/profile", headers=CSRF)).status_code == 200


async def test_unknown_path(world: World, browser: httpx.AsyncClient) -> None:
    """An unknown address below /auth/ is a page that says so."""
    response = await browser.get(f"{APP}/auth/nothing")
    assert response.status_code == 404
    assert "There is nothing here" in response.text
    assert (await browser.post(f"{APP}/auth/login")).status_code == 405


async def test_store_away(world: World, browser: httpx.AsyncClient) -> None:
    """While sessions cannot be read, the answer is 503 and no cookie is taken away."""
    await world.log_in(browser)
    with store_away(world.store_file):
        assert (await browser.get(f"{APP}/auth/health")).status_code == 503
        profile = await browser.get(f"{APP}/auth/profile", headers=CSRF)
        assert (profile.status_code, profile.headers["retry-after"]) == (503, "5")
        logout = await browser.post(f"{APP}/auth/logout", headers={"Origin": APP})
        assert logout.status_code == 503
        assert error_code(await browser.get(f"{APP}/auth/login")) == "store_unavailable"
        assert "auth_session_3000" in browser.cookies
    assert (await browser.get(f"{APP}/auth/profile", headers=CSRF)).status_code == 200


@pytest.mark.parametrize("path", ["/", "/profile", "/auth/health", "/auth/logout", "/auth/x"])
async def test_security_headers(world: World, browser: httpx.AsyncClient, path: str) -> None:
    """No answer can be framed, sniffed, or told of in a Referer elsewhere."""
    headers = (await browser.get(f"{APP}{path}")).headers
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in ("same-origin", "no-referrer")
    assert "strict-transport-security" not in headers


async def test_gate_on_pages(world: World, browser: httpx.AsyncClient) -> None:
    """The app behind the gate sees its own cookies and never this layer's."""
    cookie = f"auth_session_3000={new_session_id()}; theme=dark; auth_login_3000={new_session_id()}"
    await browser.get(f"{APP}/_upload", headers={"Cookie": cookie})
    headers = dict(world.inner.scopes[-1]["headers"])
    assert headers[b"cookie"] == b"theme=dark"


TOKEN = "0f0e0d0c-0b0a-4900-8800-070605040302"


def websocket(headers: list[tuple[bytes, bytes]], token: str = TOKEN) -> Scope:
    """A websocket handshake."""
    query = f"token={token}&EIO=4&transport=websocket".encode()
    return {"type": "websocket", "path": "/_event/", "headers": headers, "query_string": query}


async def tree(world: World, headers: list[tuple[bytes, bytes]], token: str = TOKEN) -> str:
    """The client token that the app behind the gate is given."""
    await connect(world, websocket(headers, token))
    query = parse_qs(world.inner.scopes[-1]["query_string"].decode())
    assert query["EIO"] == ["4"]
    (given,) = query["token"]
    return given


async def connect(world: World, scope: Scope) -> list[Message]:
    """Knock at the gate; the result is what it sent itself."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await world.app(scope, receive, send)
    return sent


async def test_gate_on_websocket(world: World, browser: httpx.AsyncClient) -> None:
    """The app behind the gate sees neither cookie nor client token: it gets the name of the state
    tree of this login in this tab."""
    await world.log_in(browser)
    session_id = browser.cookies["auth_session_3000"]
    cookie = [(b"Cookie", f"auth_session_3000={session_id}".encode())]
    own = await tree(world, [*cookie, (b"origin", APP.encode())])
    scope = repr(world.inner.scopes[-1])
    assert session_id not in scope
    assert TOKEN not in scope
    assert await tree(world, cookie) == own
    assert await tree(world, cookie, "1f0e0d0c-0b0a-4900-8800-070605040302") != own
    assert await tree(world, []) not in (own, TOKEN)


@pytest.mark.parametrize("cookie", [b"garbage", b"", b"i" * 43])
async def test_no_session(world: World, cookie: bytes) -> None:
    """With a cookie that names no session, a tab shows the tree of visitors."""
    headers = [(b"cookie", b"auth_session_3000=" + cookie)]
    assert await tree(world, headers) == await tree(world, [])


@pytest.mark.parametrize("token", ["", "lobby", TOKEN.upper(), f"{TOKEN}x", f"{TOKEN}%0a"])
async def test_client_token(world: World, token: str) -> None:
    """A websocket whose client token is no UUID does not open: it could be the name of a room."""
    sent = await connect(world, websocket([], token))
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": "no client token"}]
    assert world.inner.scopes == []


async def test_polling(world: World, browser: httpx.AsyncClient) -> None:
    """The polling transport is refused: its handshake would not be bound to a login."""
    answer = await browser.get(f"{APP}/_event/?EIO=4&transport=polling&token={TOKEN}")
    assert (answer.status_code, answer.text) == (400, "Connect by websocket.")
    assert world.inner.scopes == []


@pytest.mark.parametrize("origin", [b"https://evil.example", b"null", b"http://localhost:3001"])
async def test_foreign_websocket(world: World, origin: bytes) -> None:
    """A page of another origin cannot open the websocket."""
    sent = await connect(world, websocket([(b"origin", origin)]))
    assert sent[0]["type"] == "websocket.close"
    assert world.inner.scopes == []


async def test_times_of_the_session(tmp_path: Path) -> None:
    """A page can ask when the session ends: to ask is not to use it. The cookie lasts as long as a
    session may."""
    lifetimes = Lifetimes(idle=600.0, absolute=1000.0)

    def opened(sealer: Sealer, clock: Clock) -> SessionStore:
        return MemorySessionStore(sealer, lifetimes=lifetimes, clock=clock)

    environ = {"APP_SESSION_IDLE": "600", "APP_SESSION_ABSOLUTE": "1000"}
    world = World(tmp_path, open_store=opened, environ=environ)
    async with world.browser() as browser:
        assert (await browser.get(f"{APP}/auth/session")).status_code == 401
        login = await world.log_in(browser)
        cookies = login.headers.get_list("set-cookie")
        assert any(each.startswith("auth_session") and "Max-Age=1000;" in each for each in cookies)
        world.clock.now += 500
        for _ in range(2):
            answer = await browser.get(f"{APP}/auth/session")
            assert answer.json() == {"expires_in": 100, "ends_in": 500}
            assert answer.headers["cache-control"] == "no-store"
        await world.store.touch(hash_session_id(browser.cookies["auth_session_3000"]))
        answer = await browser.get(f"{APP}/auth/session")
        assert answer.json() == {"expires_in": 500, "ends_in": 500}
        world.clock.now += 500
        assert (await browser.get(f"{APP}/auth/session")).status_code == 401
    await world.store.close()
