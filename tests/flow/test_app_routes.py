"""The app's own HTTP routes behind the gate: whose session a request has, and what guards do."""

from __future__ import annotations

import pickle
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message, Scope
from starlette.websockets import WebSocket

from app.auth import RequestSession, StoreUnavailable, authenticated_within, claim
from app.auth.session import Session, hash_session_id

from ..store_outage import store_away
from .world import APP, OTHER_AUDIENCE, TENANT, World

BACKEND = "http://localhost:8000"
COOKIE = "auth_session_3000"
NAVIGATES = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html,*/*"}
FETCHES = {"Sec-Fetch-Mode": "cors", "Accept": "*/*"}


class Routes:
    """An app with routes of its own; `seen` are the sessions and scopes that reached `/me`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.auth = world.auth
        self.seen: list[RequestSession | None] = []
        self.scopes: list[Scope] = []
        self.posted: list[str] = []
        auth = self.auth
        world.inner.app = Starlette(
            routes=[
                Route("/me", self.me),
                Route("/user", self.user, methods=["GET", "POST"]),
                Route("/export.csv", auth.require_login_http(self.export)),
                Route("/orders", auth.require_login_http(self.order), methods=["POST", "PUT"]),
                Route("/alices", auth.require_http(claim("nickname", "alice"))(self.export)),
                Route("/recent", auth.require_http(authenticated_within(60))(self.export)),
                Route("/metadata/{sub}", auth.require_login_http(self.metadata)),
                Route("/unguarded/{sub}", self.metadata),
                Route("/messages", auth.require_login_http(self.messages)),
                Route("/leave", auth.require_login_http(self.leave)),
                Route("/class", self.endpoint_class()),
            ]
        )

    async def me(self, request: Request) -> Response:
        self.scopes.append(request.scope)
        self.seen.append(await self.auth.session(request))
        return PlainTextResponse("seen")

    async def user(self, request: Request) -> Response:
        return JSONResponse(await self.auth.current_user(request))

    async def export(self, request: Request) -> Response:
        session = await self.auth.session(request)
        assert session
        return PlainTextResponse(f"of,{session.user['nickname']}", media_type="text/csv")

    async def order(self, request: Request) -> Response:
        self.posted.append(request.method)
        return PlainTextResponse("ordered", headers={"Cache-Control": "max-age=1"})

    async def metadata(self, request: Request) -> Response:
        async with self.auth.http_client_for(request) as http:
            answer = await http.get(f"{TENANT}/api/v2/users/{request.path_params.get('sub')}")
        return JSONResponse(answer.json(), answer.status_code)

    async def messages(self, request: Request) -> Response:
        async with self.auth.http_client_for(request) as http:
            await http.get("https://other.example/messages")
        return PlainTextResponse("not to be reached")

    async def leave(self, request: Request) -> Response:
        """The session ends while the request is being handled."""
        session = await self.auth.session(request)
        assert session
        for key in await self.world.store.find(sub=session.sub):
            await self.world.store.delete(key)
        return await self.metadata(request)

    def endpoint_class(self) -> type[HTTPEndpoint]:
        auth = self.auth

        class Endpoint(HTTPEndpoint):
            @auth.require_login_http
            async def get(self, request: Request) -> Response:
                return PlainTextResponse("reached")

        return Endpoint


@pytest.fixture
def routes(world: World) -> Routes:
    """In place of what is behind the gate."""
    return Routes(world)


@pytest.fixture
async def bob(world: World, routes: Routes) -> AsyncIterator[httpx.AsyncClient]:
    """Bob's browser, logged in."""
    async with world.browser() as browser:
        await world.log_in(browser, "bob@example.com")
        yield browser


@pytest.fixture
async def alice(
    world: World, routes: Routes, browser: httpx.AsyncClient
) -> AsyncIterator[httpx.AsyncClient]:
    """Alice's browser, logged in."""
    await world.log_in(browser)
    return browser


def access_entries(world: World) -> list[tuple[str, str, str | None]]:
    """Outcome, reason and target of each decision in the audit trail."""
    return [(e.outcome, e.reason, e.target) for e in world.record if e.kind == "access"]


async def test_session(
    routes: Routes, world: World, alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    """A request has the session of its own cookie, as an object without tokens; without a cookie
    it has none."""
    async with world.browser() as visitor:
        for each in (alice, bob, visitor):
            await each.get(f"{APP}/me")
    of_alice, of_bob, of_visitor = routes.seen
    assert of_alice
    assert of_bob
    assert of_visitor is None
    assert (of_alice.user["nickname"], of_bob.user["nickname"]) == ("alice", "bob")
    assert of_alice.sub == of_alice.user["sub"]
    assert of_alice.created_at == of_alice.auth_time == world.clock.now
    assert of_alice.expires_at == world.clock.now + world.store.lifetimes.idle
    (device,) = await world.auth.sessions.devices.of(hash_session_id(alice.cookies[COOKIE]))
    assert of_alice.id == device.id
    stored = await world.store.load(hash_session_id(alice.cookies[COOKIE]))
    assert stored
    for token in stored.session.access_tokens:
        assert token.value not in str(dict(of_alice.user))
    assert "alice" not in repr(of_alice)


async def test_scope_holds_no_secret(routes: Routes, alice: httpx.AsyncClient) -> None:
    """What is in the scope shows neither the session id nor its hash, and cannot be pickled."""
    await alice.get(f"{APP}/me", headers={"X-Other": "1"})
    (scope,) = routes.scopes
    session_id = alice.cookies[COOKIE]
    assert session_id not in repr(scope)
    assert hash_session_id(session_id) not in repr(scope)
    (reference,) = [each for key, each in scope.items() if "session" in key]
    with pytest.raises(TypeError):
        pickle.dumps(reference)


async def test_forged_reference(
    routes: Routes, world: World, alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    """No header, query or cookie names another session; what is in the scope before the gate is
    replaced."""
    await alice.get(f"{APP}/me")
    (scope,) = routes.scopes
    (key,) = [key for key in scope if "session" in key]
    stolen = hash_session_id(alice.cookies[COOKIE])
    for name in (key, key.replace(".", "-"), "session"):
        headers = {name: stolen, "Cookie": f"{name}={stolen}; {COOKIE}={stolen}"}
        async with world.browser() as thief:
            await thief.get(f"{APP}/me", params={name: stolen}, headers=headers)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"cookie", f"{COOKIE}={bob.cookies[COOKIE]}".encode())]
    for kept in ([], headers):
        await world.app({**scope, "headers": kept}, receive, send)
    assert sent[0]["status"] == 200
    assert [each and each.user["nickname"] for each in routes.seen[1:]] == [None] * 4 + ["bob"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": APP}, 200),
        ({"Origin": APP, "Sec-Fetch-Site": "same-site"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://localhost:3001"}, 403),
        ({"Origin": f"{APP}.evil.example"}, 403),
        ({"Origin": "https://localhost:3000"}, 403),
        ({"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Referer": f"{APP}/"}, 403),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_cross_site_request(
    routes: Routes, alice: httpx.AsyncClient, method: str, headers: dict[str, str], status: int
) -> None:
    """A request that changes something runs only from a page of this app, as `Origin` or
    `Sec-Fetch-Site` tell."""
    answer = await alice.request(method, f"{APP}/orders", headers=headers)
    assert answer.status_code == status
    assert routes.posted == ([method] if status == 200 else [])
    if status == 200:
        assert answer.headers["cache-control"] == "max-age=1"
    else:
        assert answer.json() == {"error": "foreign_origin"}
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("origin", [APP, "http://localhost:3001"])
async def test_cross_site_request_of_a_dependency(
    routes: Routes, alice: httpx.AsyncClient, origin: str
) -> None:
    """`current_user` refuses a foreign POST, too."""
    answer = await alice.post(f"{APP}/user", headers={"Origin": origin})
    assert answer.status_code == (200 if origin == APP else 403)


async def test_reading(routes: Routes, alice: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    """A guarded endpoint, in a function or a class, runs for the user of the request. No cache
    keeps the answer unless the endpoint says so."""
    for browser, name in ((alice, "alice"), (bob, "bob")):
        answer = await browser.get(f"{APP}/export.csv")
        assert answer.text == f"of,{name}"
        assert answer.headers["cache-control"] == "private, no-store"
        assert (await browser.get(f"{APP}/user")).json()["nickname"] == name
    assert (await alice.get(f"{APP}/class")).text == "reached"


def return_to(answer: httpx.Response) -> str:
    """The path that a refusal's login link returns to."""
    url = answer.headers.get("location") or answer.json()["login_url"]
    assert url.startswith(f"{APP}/auth/login?")
    return parse_qs(urlsplit(url).query)["return_to"][0]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("headers", [NAVIGATES, FETCHES, {"Accept": "text/html"}, {}])
async def test_signed_out(
    routes: Routes, browser: httpx.AsyncClient, method: str, headers: dict[str, str]
) -> None:
    """Signed out, a document that is navigated to becomes the login, and any other request gets
    401; neither is kept by a cache."""
    path = "/orders" if method == "POST" else "/export.csv"
    answer = await browser.request(method, f"{APP}{path}", headers={"Origin": APP, **headers})
    navigates = method == "GET" and "text/html" in headers.get("Accept", "")
    assert answer.status_code == (303 if navigates else 401)
    assert answer.headers["cache-control"] == "no-store"
    if not navigates and method != "HEAD":
        assert answer.json()["error"] == "login_required"
        assert return_to(answer) == "/"
    assert routes.posted == []


async def test_signed_out_dependency(routes: Routes, browser: httpx.AsyncClient) -> None:
    """`current_user` answers 401 without a session."""
    answer = await browser.get(f"{APP}/user", headers=NAVIGATES)
    assert answer.status_code == 401
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("referer", "page"),
    [
        (f"{APP}/orders?page=2", "/orders?page=2"),
        (APP, "/"),
        (f"{APP}/auth/login?return_to=/orders", "/"),
        (f"{APP}//evil.example/orders", "/"),
        ("http://localhost:30001/orders", None),
        (f"{APP}.evil.example/orders", None),
        (f"{APP}@evil.example/orders", None),
        ("https://evil.example/orders", None),
        (f"https://evil.example/{APP}/orders", None),
        ("/orders", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("headers", [NAVIGATES, FETCHES])
async def test_return_to(
    routes: Routes,
    browser: httpx.AsyncClient,
    headers: dict[str, str],
    referer: str,
    page: str | None,
) -> None:
    """The login returns to the page that sent the request, if it is one of this app. Else a
    navigation, from a bookmark or a link elsewhere, returns to its own URL."""
    answer = await browser.get(f"{APP}/export.csv", headers={**headers, "Referer": referer})
    elsewhere = "/export.csv" if headers is NAVIGATES else "/"
    assert return_to(answer) == (page or elsewhere)


async def test_bookmark(routes: Routes, browser: httpx.AsyncClient, world: World) -> None:
    """A navigation that returns to its own URL keeps its query, and is answered then."""
    answer = await browser.get(f"{APP}/export.csv?year=2026&q=%20", headers=NAVIGATES)
    assert return_to(answer) == "/export.csv?year=2026&q=%20"
    begun = await browser.get(answer.headers["location"])
    done = await browser.get(await world.answer(browser, begun.headers["location"]))
    assert done.headers["location"] == f"{APP}/export.csv?year=2026&q=%20"
    assert (await browser.get(done.headers["location"])).text == "of,alice"


async def test_two_origins(tmp_path: Path) -> None:
    """With the page on another port, its `Origin` may change something, its `Referer` names the
    page to return to, and the login begins at the backend. No login returns to the route, which
    the page's port does not have."""
    world = World(tmp_path, environ={"APP_BASE_URL": APP, "APP_API_URL": BACKEND})
    routes = Routes(world)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.app)) as browser:
        for headers, page in (
            ({"Referer": f"{APP}/"}, "/"),
            ({"Referer": f"{APP}/orders"}, "/orders"),
            ({"Referer": f"{BACKEND}/x"}, "/"),
            ({}, "/"),
        ):
            answer = await browser.get(f"{BACKEND}/export.csv", headers={**NAVIGATES, **headers})
            url = answer.headers["location"]
            assert url.startswith(f"{BACKEND}/auth/login?")
            assert parse_qs(urlsplit(url).query)["return_to"] == [page]
        for origin, status in ((APP, 401), (BACKEND, 401), ("http://localhost:3001", 403)):
            answer = await browser.post(f"{BACKEND}/orders", headers={"Origin": origin})
            assert answer.status_code == status
    assert routes.posted == []
    await world.store.close()


async def test_ended_session(
    routes: Routes, world: World, alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    """Once a session has ended, its cookie is worth nothing; other sessions are untouched."""
    cookie = f"{COOKIE}={alice.cookies[COOKIE]}"
    await alice.post(f"{APP}/auth/logout", headers={"Origin": APP})
    answer = await alice.get(f"{APP}/export.csv", headers={"Cookie": cookie})
    assert answer.status_code == 401
    assert (await bob.get(f"{APP}/export.csv")).status_code == 200


async def test_store_away(routes: Routes, world: World, alice: httpx.AsyncClient) -> None:
    """While sessions cannot be read, guards answer 503 and to try again, `session` raises, and the
    login is kept."""
    with store_away(world.store_file):
        for path in ("/export.csv", "/user", "/alices"):
            answer = await alice.get(f"{APP}{path}", headers=NAVIGATES)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert answer.headers["cache-control"] == "no-store"
        with pytest.raises(StoreUnavailable):
            await alice.get(f"{APP}/me")
    assert (await alice.get(f"{APP}/export.csv")).status_code == 200


async def test_use(routes: Routes, world: World, alice: httpx.AsyncClient) -> None:
    """A request counts as a use of its session, at most once a minute."""
    key, began_at = hash_session_id(alice.cookies[COOKIE]), world.clock.now

    async def last_seen() -> float:
        stored = await world.store.load(key)
        assert stored
        return stored.last_seen_at - began_at

    for path in ("/me", "/export.csv", "/user"):
        before = await last_seen()
        world.clock.now += 59
        await alice.get(f"{APP}{path}")
        assert await last_seen() == before
        world.clock.now += 1
        await alice.get(f"{APP}{path}")
        assert await last_seen() == before + 60


async def test_checks(
    routes: Routes, world: World, alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    """Who does not meet a check gets 403, also when navigating. Decisions are in the audit
    trail."""
    world.record.clear()
    assert (await alice.get(f"{APP}/alices")).status_code == 200
    answer = await bob.get(f"{APP}/alices", headers=NAVIGATES)
    assert (answer.status_code, answer.json()) == (403, {"error": "forbidden"})
    assert answer.headers["cache-control"] == "no-store"
    await bob.post(f"{APP}/orders", headers={"Origin": "http://evil.example"})
    assert access_entries(world) == [
        ("success", "allowed", "GET /alices"),
        ("denied", "forbidden", "GET /alices"),
        ("denied", "foreign_origin", "POST /orders"),
    ]
    assert [e.sub is not None for e in world.record] == [True, True, False]
    assert world.record[0].session != world.record[1].session


async def test_step_up(routes: Routes, world: World, alice: httpx.AsyncClient) -> None:
    """A check that another login can meet asks for that login, which returns to the page; a
    bookmark returns to the start page, so that no browser goes in a circle."""
    world.clock.now += 61
    for headers, page in (({**NAVIGATES, "Referer": f"{APP}/orders"}, "/orders"), (NAVIGATES, "/")):
        answer = await alice.get(f"{APP}/recent", headers=headers)
        assert answer.status_code == 303
        assert return_to(answer) == page
        assert "max_age=60" in answer.headers["location"]
    answer = await alice.get(f"{APP}/recent")
    assert (answer.status_code, answer.json()["error"]) == (401, "step_up_required")
    begun = await alice.get(answer.json()["login_url"])
    await alice.get(await world.answer(alice, begun.headers["location"]))
    assert (await alice.get(f"{APP}/recent")).status_code == 200


async def test_flood_of_refusals(
    routes: Routes,
    world: World,
    browser: httpx.AsyncClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A client without a session cannot fill the audit trail, nor write lines into the log."""
    await browser.get(f"{APP}/metadata/x%0Aforged%00")
    (logged,) = [each.getMessage() for each in caplog.records if "Refused" in each.getMessage()]
    assert logged.isprintable()
    world.record.clear()
    async with world.browser("127.0.0.2") as other:
        for _ in range(50):
            await other.get(f"{APP}/export.csv")
    assert access_entries(world) == [("denied", "login_required", "GET /export.csv")]


@pytest.mark.parametrize("path", ["metadata", "unguarded"])
async def test_http_client(
    routes: Routes, world: World, alice: httpx.AsyncClient, bob: httpx.AsyncClient, path: str
) -> None:
    """A request's HTTP client has the token of the request's user, and the audit trail names
    them, also where no guard has looked before."""
    await alice.get(f"{APP}/me")
    (of_alice,) = routes.seen
    assert of_alice
    answer = await alice.get(f"{APP}/{path}/{of_alice.sub}")
    assert (answer.status_code, answer.json()["nickname"]) == (200, "alice")
    assert (await bob.get(f"{APP}/{path}/{of_alice.sub}")).status_code == 403
    sent = [e for e in world.record if e.kind == "interceptor"]
    assert sent[0].sub == of_alice.sub
    assert sent[1].sub not in (None, of_alice.sub)
    assert sent[0].session != sent[1].session is not None


async def test_consent_required(routes: Routes, alice: httpx.AsyncClient) -> None:
    """When an API needs what the session has not got, the answer is a link that asks for it and
    returns to the page."""
    headers = {"Referer": f"{APP}/orders"}
    answer = await alice.get(f"{APP}/messages", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "consent_required")
    assert return_to(answer) == "/orders"
    query = parse_qs(urlsplit(answer.json()["login_url"]).query)
    assert query["audience"] == [OTHER_AUDIENCE]
    answer = await alice.get(f"{APP}/messages", headers={**headers, **NAVIGATES})
    assert answer.status_code == 303


async def test_session_that_ends_meanwhile(routes: Routes, alice: httpx.AsyncClient) -> None:
    """When the session ends while the endpoint runs, its HTTP client sends nothing, and the answer
    is 401."""
    answer = await alice.get(f"{APP}/leave", headers={"Referer": f"{APP}/orders"})
    assert (answer.status_code, answer.json()["error"]) == (401, "login_required")
    assert return_to(answer) == "/orders"


async def test_provider_away(routes: Routes, world: World, alice: httpx.AsyncClient) -> None:
    """While the provider cannot renew an expired token, the answer is 503 and to try again."""
    world.clock.now += 7200
    world.network.is_cut = True
    answer = await alice.get(f"{APP}/metadata/x")
    assert (answer.status_code, answer.json()["error"]) == (503, "provider_unavailable")
    assert answer.headers["retry-after"] == "5"


async def test_upload_header(routes: Routes, alice: httpx.AsyncClient) -> None:
    """A request that names a tab, as an upload does, has the session of its cookie as well."""
    headers = {
        "Origin": APP,
        "Reflex-Client-Token": "0f0e0d0c-0b0a-4900-8800-070605040302",
    }
    assert (await alice.post(f"{APP}/orders", headers=headers)).status_code == 200


async def test_misuse(world: World) -> None:
    """A plain function cannot be guarded, and a request that did not pass the gate is an error of
    the app, not a signed-out user."""
    with pytest.raises(TypeError, match="async def"):
        world.auth.require_login_http(lambda request: None)  # type: ignore[arg-type,return-value]
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    with pytest.raises(RuntimeError, match="gate"):
        await world.auth.session(request)
    with pytest.raises(RuntimeError, match="gate"):
        world.auth.http_client_for(request)


async def test_own_websocket(world: World, alice: httpx.AsyncClient) -> None:
    """A websocket of the app's own has no session: the gate does not check its origin."""

    async def endpoint(websocket: WebSocket) -> None:
        await world.auth.session(websocket)

    world.inner.app = Starlette(routes=[WebSocketRoute("/own", endpoint)])
    cookie = f"{COOKIE}={alice.cookies[COOKIE]}".encode()
    scope = {"type": "websocket", "path": "/own", "headers": [(b"cookie", cookie)]}

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(_: Message) -> None:
        """Drop it."""

    with pytest.raises(RuntimeError, match="Websockets"):
        await world.app(scope, receive, send)


async def test_session_as_a_response(world: World, browser: httpx.AsyncClient) -> None:
    """An endpoint that returns its session to the browser gives away no claim that is not public,
    and nothing that the app keeps for the server."""
    inner = FastAPI()

    @inner.get("/me", response_model=None)
    async def me(request: Request) -> Any:
        return await world.auth.session(request)

    world.inner.app = inner
    await world.log_in(browser)
    (key, stored), *_ = (await world.store.find(sub=(await of(world, browser)).sub)).items()
    told = replace(
        stored.session,
        user={**stored.session.user, "internal_note": "secret"},
        data={"customer": "secret"},
    )
    assert await world.store.compare_and_swap(key, stored.version, told)
    answer = await browser.get(f"{APP}/me")
    assert answer.json()["user"]["nickname"] == "alice"
    assert "secret" not in answer.text


async def of(world: World, browser: httpx.AsyncClient) -> Session:
    """The session of a browser that is logged in."""
    session = await world.session(browser)
    assert session is not None
    return session
