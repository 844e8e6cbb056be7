"""What pages of other origins may do: call the interfaces from registered origins, and no more."""

from __future__ import annotations

import httpx
import pytest

from ..flow.world import APP, TENANT
from .administrator import Administrator
from .visitor import Visitor

ALICES = {"username": "alice@example.com", "password": "password"}
OTHER_PORT = {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:9999"}


@pytest.mark.parametrize(
    ("path", "origin", "allowed"),
    [
        ("/.well-known/openid-configuration", APP, APP),
        ("/userinfo", APP, APP),
        ("/api/v2/users/x", APP, APP),
        ("/userinfo", "https://evil.example", None),
        ("/userinfo", "null", None),
        ("/dashboard", APP, None),
        ("/authorize", APP, None),
    ],
)
async def test_reading(visitor: Visitor, path: str, origin: str, allowed: str | None) -> None:
    """Scripts of a registered origin read the interfaces; no script reads a page."""
    response = await visitor.application.get(path, headers={"Origin": origin})
    assert response.headers.get("access-control-allow-origin") == allowed
    assert "access-control-allow-credentials" not in response.headers


async def test_preflight(visitor: Visitor) -> None:
    """Auth0's clients send their name, a DPoP proof and JSON, and read the nonce of DPoP."""
    asked = {
        "Origin": APP,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "auth0-client,content-type,dpop",
    }
    response = await visitor.application.options("/oauth/token", headers=asked)
    assert response.status_code == 204
    answer = await visitor.application.post("/oauth/token", headers={"Origin": APP})
    assert "DPoP-Nonce" in answer.headers["access-control-expose-headers"]
    refused = await visitor.application.options(
        "/oauth/token", headers={**asked, "Origin": "https://evil.example"}
    )
    assert (refused.status_code, refused.json()["statusCode"]) == (400, 400)


async def test_no_page_for_an_interface(visitor: Visitor) -> None:
    """An unknown path or method of an interface is answered in JSON; one of a page is a page."""
    for method, path, status in (
        ("GET", "/oauth/nothing", 404),
        ("GET", "/oauth/token", 405),
        ("DELETE", "/userinfo", 405),
        ("POST", "/dbconnections/nothing", 404),
    ):
        response = await visitor.application.request(method, path)
        assert (response.status_code, response.json()["statusCode"]) == (status, status)
    page = await visitor.application.get("/nothing")
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "headers",
    [
        OTHER_PORT,
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:4400"},
    ],
)
async def test_foreign_forms(visitor: Visitor, headers: dict[str, str]) -> None:
    """A page of another origin, or of another port of this host, posts no form: it logs nobody
    out, and answers neither the login nor the consent page."""
    page = str((await visitor.authorize()).headers["location"])
    assert (await visitor.browser.post(page, data=ALICES, headers=headers)).status_code == 403
    consent = (await visitor.browser.post(page, data=ALICES)).headers["location"]
    accepted = await visitor.browser.post(consent, data={"action": "accept"}, headers=headers)
    assert accepted.status_code == 403
    assert (await visitor.browser.post(consent, data={"action": "accept"})).status_code == 303
    assert (await visitor.browser.post("/u/logout", headers=headers)).status_code == 403
    assert "code=" in (await visitor.authorize(prompt="none")).headers["location"]


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": TENANT}, {}])
async def test_own_forms(visitor: Visitor, headers: dict[str, str]) -> None:
    """The tenant's own pages post theirs; a client that is no browser says nothing."""
    await visitor.code()
    assert (await visitor.browser.post("/u/logout", headers=headers)).status_code == 200
    assert "login_required" in (await visitor.authorize(prompt="none")).headers["location"]


FORM = b"grant_type=refresh_token&refresh_token=x&client_id=local-app&client_secret=local-secret"
JSON = b'{"grant_type":"refresh_token","refresh_token":"x","client_id":"local-app"}'


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", FORM),
        ("", FORM),
        ("multipart/form-data; boundary=x", FORM),
        ("application/x-www-form-urlencoded; charset=utf-16", FORM.decode().encode("utf-16")),
        ("application/x-www-form-urlencoded", FORM + b"&refresh_token=y"),
        ("application/x-www-form-urlencoded", FORM + b"&x=%ff"),
        ("application/x-www-form-urlencoded", b"\xff"),
        ("application/json", JSON.decode().encode("utf-16")),
        ("application/json; charset=utf-16", JSON),
        ("application/json", b"[]"),
        ("application/json", b"{"),
        ("application/json", b'{"grant_type": "\\ud800"}'),
        ("application/json", b'{"client_id": NaN}'),
    ],
)
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/par"])
async def test_bodies(visitor: Visitor, path: str, kind: str, body: bytes) -> None:
    """A body that is no form and no JSON in UTF-8, or names a parameter twice, is refused."""
    headers = {"Content-Type": kind} if kind else {}
    response = await visitor.application.post(path, content=body, headers=headers)
    assert response.status_code == httpx.codes.BAD_REQUEST
    assert response.json()["error"] == "invalid_request"


async def test_changed_origins(visitor: Visitor, admin: Administrator) -> None:
    """A change of an application's origins holds for the next request."""

    async def is_allowed(origin: str) -> bool:
        response = await visitor.application.get("/userinfo", headers={"Origin": origin})
        return "access-control-allow-origin" in response.headers

    origin = "http://localhost:9000"
    assert not await is_allowed(origin)
    new = {"name": "Shop", "web_origins": [origin]}
    client_id = (await admin.call("POST", "/clients", body=new)).json()["client_id"]
    assert await is_allowed(origin)
    changed = {"web_origins": [], "allowed_origins": ["http://localhost:9001"]}
    await admin.call("PATCH", "/clients/{}", client_id, body=changed)
    assert [await is_allowed(origin), await is_allowed("http://localhost:9001")] == [False, True]
    await admin.call("DELETE", "/clients/{}", client_id)
    assert not await is_allowed("http://localhost:9001")
