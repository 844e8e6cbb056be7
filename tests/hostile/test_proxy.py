"""Proxied routes: what a browser, an API or somebody between them may try."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from app.auth import ConfigError, ProviderUnavailable

from .proxied.app import API, ORIGIN, TOKEN, Api, Proxied


@pytest.fixture
def api() -> Api:
    """What is behind the proxy."""
    return Api()


@pytest.fixture
async def proxied(api: Api) -> AsyncIterator[Proxied]:
    """The app."""
    proxied = Proxied(api)
    yield proxied
    await proxied.auth.aclose()


@pytest.fixture
async def ann(proxied: Proxied) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in browser that sends the proof with each request."""
    async with await proxied.browser() as browser:
        yield browser


async def test_forwarded(proxied: Proxied, api: Api, ann: httpx.AsyncClient) -> None:
    """A request reaches the API with the user's token, its query and its body, and the answer
    comes back with its status; both are in the request events and in the audit trail."""
    api.answer = httpx.Response(201, json={"id": 7}, headers={"X-Total-Count": "1"})
    content = b'{"item": "tea"}'
    response = await ann.post(
        "/api/orders?dry=%2F&x=[1]", content=content, headers={"Content-Type": "application/json"}
    )
    assert (response.status_code, response.json()) == (201, {"id": 7})
    assert response.headers["x-total-count"] == "1"
    (request,) = api.requests
    assert request.method == "POST"
    assert str(request.url).startswith(f"{API}/v1/orders?dry=%2F&x=")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["content-type"] == "application/json"
    assert api.bodies == [content]
    assert [(event.reason, event.attached) for event in proxied.events] == [("attached", True)]
    recorded = [(event.kind, event.sub, event.target) for event in proxied.audit]
    assert ("access", "auth0|ann", "POST /api/orders") in recorded
    assert ("interceptor", "auth0|ann", f"POST {API}/v1/orders") in recorded


@pytest.mark.parametrize(("size", "is_sent_again"), [(65536, True), (65537, False)])
async def test_body_that_can_be_sent_again(
    proxied: Proxied, api: Api, ann: httpx.AsyncClient, size: int, is_sent_again: bool
) -> None:
    """A short body is sent again when the API asks for it; a longer one is streamed, so that the
    browser gets the API's refusal."""
    api.answer = httpx.Response(503, headers={"Retry-After": "0"})
    response = await ann.put("/api/orders", content=b"x" * size)
    assert response.status_code == 503
    assert proxied.events[0].retries == (2 if is_sent_again else 0)
    assert set(map(len, api.bodies)) == {size}


async def test_below(api: Api, ann: httpx.AsyncClient) -> None:
    """What is below the one path is what is below the other, percent-encoded as it came."""
    await ann.get("/files/2026/a%20b%7Cc.png?size=2")
    assert str(api.requests[0].url) == f"{API}/v1/files/2026/a%20b%7Cc.png?size=2"


@pytest.mark.parametrize("cookie", [None, "auth_session_3000=forged"])
async def test_no_session(proxied: Proxied, api: Api, cookie: str | None) -> None:
    """Without a session the answer is 401 in JSON, also to a browser that navigates."""
    async with await proxied.browser() as browser:
        del browser.headers["cookie"]
        headers = {"Cookie": cookie} if cookie else {}
        navigates = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
        response = await browser.get("/api/orders", headers={**headers, **navigates})
    assert response.status_code == 401
    assert response.json()["error"] == "login_required"
    assert response.headers["cache-control"] == "no-store"
    assert not api.requests


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"X-CSRF": "1"}, 200),
        ("GET", {"Sec-Fetch-Site": "same-origin"}, 200),
        ("GET", {"Origin": ORIGIN}, 200),
        ("GET", {}, 403),
        ("GET", {"Sec-Fetch-Site": "none"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-site"}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", {"X-CSRF": "0"}, 403),
        ("GET", {"X-CSRF": "1", "Origin": "http://localhost:4000"}, 403),
        ("GET", {"X-CSRF": "1", "Origin": "null"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, 403),
        ("POST", {"X-CSRF": "1", "Origin": ORIGIN}, 200),
        ("POST", {"X-CSRF": "1", "Sec-Fetch-Site": "same-origin"}, 200),
        ("POST", {"X-CSRF": "1"}, 403),
        ("POST", {"Sec-Fetch-Site": "same-origin"}, 403),
        ("POST", {"Origin": ORIGIN}, 403),
        ("DELETE", {"X-CSRF": "1", "Origin": ORIGIN}, 405),
        ("OPTIONS", {"X-CSRF": "1", "Origin": ORIGIN}, 405),
        ("GET", {"X-CSRF": "1", "Sec-Fetch-Dest": "script"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "serviceworker"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "worker"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "style"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "iframe"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "image"}, 200),
    ],
)
async def test_proof(
    proxied: Proxied, api: Api, method: str, headers: dict[str, str], status: int
) -> None:
    """A page of this app has to send the request: X-CSRF proves it or, for GET alone, what the
    browser itself says; and no answer becomes a script, a worker or a frame."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(proxied.asgi),
        base_url=ORIGIN,
        headers={"Cookie": await proxied.cookie()},
    ) as browser:
        response = await browser.request(method, "/api/orders", headers=headers)
    assert response.status_code == status
    assert len(api.requests) == (status == 200)
    assert "access-control-allow-origin" not in response.headers


async def test_checks(proxied: Proxied, api: Api, ann: httpx.AsyncClient) -> None:
    """A route with a check is for those who meet it."""
    assert (await ann.get("/admin/users")).json() == {"error": "forbidden"}
    async with await proxied.browser(role="admin") as admin:
        assert (await admin.get("/admin/users")).status_code == 200
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("raw_path", "path", "status"),
    [
        (b"/files/../admin/users", "/files/../admin/users", 400),
        (b"/files/%2e%2e/admin", "/files/../admin", 400),
        (b"/files/%2E./admin", "/files/../admin", 400),
        (b"/files/%252e%252e/admin", "/files/%2e%2e/admin", 400),
        (b"/files/a/..%2f..%2fadmin", "/files/a/../../admin", 400),
        (b"/files/..;x=1/admin", "/files/..;x=1/admin", 400),
        (b"/files/.", "/files/.", 400),
        (b"/files//evil.example/x", "/files//evil.example/x", 400),
        (b"/files/a//b", "/files/a//b", 400),
        (b"/files/..\\admin", "/files/..\\admin", 400),
        (b"/files/%5c%5cevil.example", "/files/\\\\evil.example", 400),
        (b"/files/a%0d%0aHost:%20evil", "/files/a\r\nHost: evil", 400),
        (b"/files/a\r\nHost: evil", "/files/a\r\nHost: evil", 400),
        (b"/files/%00", "/files/\0", 400),
        (b"/files/%zz", "/files/%zz", 400),
        (b"/files/a#b", "/files/a#b", 400),
        (b"/files/a b", "/files/a b", 400),
        (b"/files/\xff", "/files/\ufffd", 400),
        (b"/files/\xef\xbc\x8e\xef\xbc\x8e/x", "/files/../x", 400),
        (b"/files/%ef%bc%8e%ef%bc%8e/x", "/files/\uff0e\uff0e/x", 400),
        (b"/%66iles/a", "/files/a", 400),
        (b"/files%2fa", "/files/a", 400),
        (b"/api/%6frders", "/api/orders", 400),
        (b"/api/orders/", "/api/orders/", 404),
        (b"/api/orders/..", "/api/orders/..", 404),
        (b"//api/orders", "//api/orders", 404),
        (b"http://evil.example/api/orders", "http://evil.example/api/orders", 404),
        (b"/files/private/key", "/files/private/key", 403),
        (b"/files/@evil.example", "/files/@evil.example", 200),
        (b"/files/user:pw@evil.example/", "/files/user:pw@evil.example/", 200),
        (b"/files/http:", "/files/http:", 200),
        (b"/files/", "/files/", 200),
    ],
)
async def test_paths(proxied: Proxied, api: Api, raw_path: bytes, path: str, status: int) -> None:
    """A path leads below the target, to the target's host, or nowhere; none that two parsers read
    differently is sent, nor one that the allowed list excepts."""
    start = (await proxied.raw(raw_path, path))[0]
    assert start["status"] == status
    assert [(each.url.host, each.url.raw_path) for each in api.requests] == (
        [("api.example.com", b"/v1" + raw_path)] if status == 200 else []
    )


@pytest.mark.parametrize("query", [b"a=b#c", b"a=\r\nHost: x", b"a= b", b"\xff", b"a=\0"])
async def test_queries(proxied: Proxied, api: Api, query: bytes) -> None:
    """A query that ends early or has control characters is not sent."""
    start = (await proxied.raw(b"/files/a", "/files/a", query=query))[0]
    assert start["status"] == 400
    assert not api.requests


@pytest.mark.parametrize(
    "headers",
    [
        ((b"content-length", b"4"), (b"transfer-encoding", b"chunked")),
        ((b"content-length", b"4"), (b"content-length", b"4")),
        ((b"content-length", b"4"), (b"Content-Length", b"5")),
        ((b"content-length", b"+4"),),
        ((b"content-length", b"4, 4"),),
        ((b"content-length", b"0x4"),),
        ((b"content-length", b"-1"),),
        ((b"content-length", b""),),
        ((b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"identity")),
        ((b"transfer-encoding", b"gzip, chunked"),),
        ((b"transfer-encoding", b"xchunked"),),
        ((b"content-type", b"text/plain\r\nX-Injected: 1"),),
        ((b"accept", b"a\nb"),),
        ((b"accept", b"a\0b"),),
    ],
)
async def test_framing(
    proxied: Proxied, api: Api, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    """A request whose body two parsers could end in two places is not sent, nor a broken header."""
    start = (await proxied.raw(b"/api/orders", "/api/orders", method="POST", headers=headers))[0]
    assert start["status"] == 400
    assert not api.requests


async def test_a_body_where_none_belongs(proxied: Proxied, api: Api) -> None:
    """A GET with a body is not sent: the API might take the body for the next request."""
    headers = ((b"content-length", b"4"),)
    start = (await proxied.raw(b"/api/orders", "/api/orders", headers=headers))[0]
    assert start["status"] == 400
    assert not api.requests


async def test_request_headers(api: Api, ann: httpx.AsyncClient) -> None:
    """The API gets no cookie, no credential of the client's, no hop-by-hop header, none that
    `Connection` names, and nothing that names another recipient, address or method."""
    await ann.get(
        "/api/orders",
        headers={
            "Accept": "application/json",
            "Accept-Language": "de",
            "Authorization": "Bearer own",
            "Connection": "keep-alive, X-Request-Id",
            "Cookie": ann.headers["cookie"] + "; other=1",
            "DPoP": "proof",
            "Forwarded": "for=1.2.3.4",
            "Host": "evil.example",
            "Keep-Alive": "timeout=5",
            "Proxy-Authorization": "Basic eA==",
            "Referer": f"{ORIGIN}/secret",
            "TE": "trailers",
            "Upgrade": "h2c",
            "X-Api-Key": "key",
            "X-Forwarded-For": "1.2.3.4",
            "X-HTTP-Method-Override": "DELETE",
            "X-Request-Id": "1",
        },
    )
    (request,) = api.requests
    expected = {"host", "accept", "accept-encoding", "user-agent", "accept-language", "via"}
    assert set(request.headers) == expected | {"authorization"}
    assert request.headers["host"] == "api.example.com"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


async def test_response_headers(api: Api, ann: httpx.AsyncClient) -> None:
    """The browser gets none of what would act on this app's origin, and what it gets cannot run
    there, is cached nowhere, and is embedded by no other site."""
    hostile = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Credentials": "true",
        "Alt-Svc": 'h3=":443"',
        "Cache-Control": "public, max-age=9999",
        "Clear-Site-Data": '"*"',
        "Connection": "close, X-Total-Count",
        "Content-Location": "https://evil.example/",
        "Content-Security-Policy": "script-src *",
        "Content-Type": "image/svg+xml",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Link": "</evil.css>; rel=stylesheet",
        "NEL": "{}",
        "Refresh": "0; url=https://evil.example/",
        "Report-To": "{}",
        "Service-Worker-Allowed": "/",
        "Set-Cookie": "auth_session_3000=fixed; Path=/",
        "SourceMap": "/x",
        "Strict-Transport-Security": "max-age=0",
        "Trailer": "Set-Cookie",
        "Upgrade": "websocket",
        "WWW-Authenticate": 'Basic realm="this app"',
        "X-Accel-Redirect": "/etc/passwd",
        "X-Content-Type-Options": "sniff",
        "X-Sendfile": "/etc/passwd",
        "X-Total-Count": "1",
    }
    body = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    api.answer = httpx.Response(401, content=body, headers=hostile)
    response = await ann.get("/api/orders")
    assert (response.status_code, response.content) == (401, body)
    assert dict(response.headers) == {
        "content-type": "image/svg+xml",
        "content-length": str(len(body)),
        "cache-control": "private, no-store",
        "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "via": "1.1 reflex-oidc",
        "x-content-type-options": "nosniff",
    }


@pytest.mark.parametrize(
    ("location", "own"),
    [
        ("/v1/files/b?x=1#part", "/files/b?x=1"),
        ("b", "/files/b"),
        (f"{API}/v1/files/b", "/files/b"),
        (f"{API}/v1/admin/users", None),
        (f"{API}/v1/files/../admin", None),
        (f"{API}/v1/files/%2e%2e/admin", None),
        ("https://evil.example/v1/files/b", None),
        ("//evil.example/v1/files/b", None),
        ("https://user:pw@api.example.com/v1/files/b", None),
        ("http://api.example.com/v1/files/b", None),
        ("https://api.example.com:8443/v1/files/b", None),
        ("http://169.254.169.254/latest/", None),
        ("javascript:alert(1)", None),
        ("https://[", None),
    ],
)
async def test_redirects(api: Api, ann: httpx.AsyncClient, location: str, own: str | None) -> None:
    """A redirect is never followed. One that stays below the target becomes one of this app; any
    other is an error, and its URL does not reach the browser."""
    api.answer = httpx.Response(307, headers={"Location": location})
    response = await ann.get("/files/a")
    assert len(api.requests) == 1
    if own is not None:
        assert (response.status_code, response.headers["location"]) == (307, own)
    else:
        assert response.status_code == 502
        assert response.json()["error"] == "api_unavailable"
        assert "location" not in response.headers


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (httpx.ConnectError("secret host"), 502, "api_unavailable"),
        (httpx.RemoteProtocolError("bad"), 502, "api_unavailable"),
        (httpx.ReadTimeout("slow"), 504, "api_timeout"),
        (httpx.PoolTimeout("busy"), 504, "api_timeout"),
        (ProviderUnavailable("away"), 502, "provider_unavailable"),
    ],
)
async def test_failures(
    api: Api, ann: httpx.AsyncClient, error: Exception, status: int, code: str
) -> None:
    """When the API or the provider cannot be reached, the answer names the failure and has a
    reference for the log, and nothing of the network."""
    api.answer = error
    response = await ann.get("/api/orders")
    assert response.status_code == status
    body = response.json()
    assert body == {"error": code, "error_id": body["error_id"]}
    assert len(body["error_id"]) == 8


async def test_body_limit(api: Api) -> None:
    """A body that is too long is refused, whether it says so or not."""
    proxied = Proxied(api, max_body=4)

    async def chunked() -> AsyncIterator[bytes]:
        yield b"123"
        yield b"45"

    async with await proxied.browser() as browser:
        assert (await browser.post("/api/orders", content=b"12345")).status_code == 413
        assert (await browser.post("/api/orders", content=chunked())).status_code == 413
        assert (await browser.post("/api/orders", content=b"1234")).status_code == 200
    assert api.bodies == [b"1234"]
    await proxied.auth.aclose()


@pytest.mark.parametrize("can_answer", [True, False])
async def test_websocket(proxied: Proxied, api: Api, can_answer: bool) -> None:
    """A websocket is refused before it opens, and the refusal says why."""
    extensions = {"websocket.http.response": {}} if can_answer else {}
    sent = await proxied.raw(b"/files/a", "/files/a", kind="websocket", extensions=extensions)
    if can_answer:
        assert sent[0]["status"] == 501
        assert json.loads(sent[1]["body"])["error"] == "websocket_not_proxied"
    else:
        assert sent == [
            {"type": "websocket.close", "code": 1008, "reason": "websockets are not proxied"}
        ]
    assert not api.requests
    assert not proxied.inner.paths


@pytest.mark.parametrize(
    ("path", "to", "options", "words"),
    [
        ("/x", "https://other.example/x", {}, "No entry covers GET https://other.example/x"),
        ("/x/*", f"{API}/*", {}, "No entry covers GET"),
        ("/x", f"{API}/v1/files/private/x", {}, "allowed_list[0]"),
        ("/x/*", f"{API}/v1/files/private/*", {}, "allowed_list[0]"),
        ("/x", "http://api.example.com/v1/x", {}, "plain http"),
        ("/x", f"{API}/v1/%2e%2e/x", {}, "disguised"),
        ("/x/*", f"{API}/v1/x", {}, "one side only"),
        ("/x", f"{API}/v1/x?y=1", {}, "without query"),
        ("/x", "/v1/x", {}, "absolute URL"),
        ("x", f"{API}/v1/x", {}, "no plain path"),
        ("/", f"{API}/v1/x", {}, "no plain path"),
        ("/*", f"{API}/v1/*", {}, "no plain path"),
        ("/x/../y", f"{API}/v1/x", {}, "no plain path"),
        ("/a b", f"{API}/v1/x", {}, "no plain path"),
        ("/auth/x", f"{API}/v1/x", {}, "of Reflex or of the auth layer"),
        ("/_event", f"{API}/v1/x", {}, "of Reflex or of the auth layer"),
        ("/files/*", f"{API}/v1/x/*", {}, "is taken"),
        ("/x", f"{API}/v1/x", {"methods": []}, "no methods"),
        ("/x", f"{API}/v1/x", {"methods": ["TRACE"]}, "TRACE"),
        ("/x", f"{API}/v1/x", {"methods": ["get"]}, "'get'"),
        ("/x", f"{API}/v1/x", {"concurrency": 0}, "lets nothing pass"),
    ],
)
def test_bad_routes(
    proxied: Proxied, path: str, to: str, options: dict[str, object], words: str
) -> None:
    """A route that leads off the allowed list, or whose path is no good, stops the start."""
    with pytest.raises(ConfigError) as caught:
        proxied.auth.proxy(path, to=to, **options)  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_urls(proxied: Proxied) -> None:
    """The URL for the browser is on the backend, also for a template; any other URL is an error."""
    auth = proxied.auth
    assert auth.proxied(f"{API}/v1/orders?limit=5") == f"{ORIGIN}/api/orders?limit=5"
    assert auth.proxied(f"{API}/v1/files/{{z}}/{{x}}.png") == f"{ORIGIN}/files/{{z}}/{{x}}.png"
    for url in (f"{API}/v1/orders2", f"{API}/v1/other", "https://evil.example/v1/orders"):
        with pytest.raises(ConfigError, match="no proxied route"):
            auth.proxied(url)
    assert '"X-CSRF": "1"' in str(auth.proxied_fetch)


async def test_below_a_path(api: Api) -> None:
    """An app below a path has its proxied routes there, and redirects lead there."""
    shop = Proxied(api, base_url=f"{ORIGIN}/shop")
    api.answer = httpx.Response(302, headers={"Location": "/v1/files/b"})
    async with await shop.browser() as browser:
        assert (await browser.get("/files/a")).headers["location"] == "/shop/files/b"
    assert shop.auth.proxied(f"{API}/v1/orders") == f"{ORIGIN}/shop/api/orders"
    await shop.auth.aclose()


class Feed(httpx.AsyncBaseTransport, httpx.AsyncByteStream):
    """An API that sends two events; `between` runs before the second one."""

    def __init__(self) -> None:
        self.between: Callable[[], Awaitable[None]]
        self.is_closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer with the events."""
        return httpx.Response(200, stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"first"
        await self.between()
        yield b"second"

    async def aclose(self) -> None:
        """The proxy has enough of it."""
        self.is_closed = True


@pytest.mark.parametrize("is_ended", [True, False])
async def test_session_that_ends_during_an_answer(is_ended: bool) -> None:
    """A stream of events ends with the session: the page that reads it may have another user."""
    feed, now = Feed(), [time.time()]
    proxied = Proxied(feed, clock=lambda: now[0])
    store = proxied.auth.store

    async def between() -> None:
        now[0] += 5
        for session_id_hash in await store.find(sub="auth0|ann") if is_ended else ():
            await store.delete(session_id_hash)

    feed.between = between
    sent = await proxied.raw(b"/files/events", "/files/events")
    parts = [each.get("body") for each in sent[1:]]
    assert parts == ([b"first"] if is_ended else [b"first", b"second", b""])
    assert feed.is_closed
    await proxied.auth.aclose()
