"""Faults on demand, by the interface for tests and in the dashboard."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..e2e.stack import Tenant, tenant_process
from ..flow.world import APP, through_the_pages
from .visitor import ALICE, BOB, Visitor, query_of

FAULTS = "/dashboard/api/faults"
DISCOVERY = "/.well-known/openid-configuration"


async def begin(visitor: Visitor, kind: str, **request: Any) -> httpx.Response:
    """Begin a fault."""
    return await visitor.application.post(FAULTS, json={"kind": kind, **request})


@pytest.mark.parametrize(
    ("status", "path", "member"),
    [
        (429, "/api/v2/users", "errorCode"),
        (503, "/oauth/token", "error_description"),
        (500, DISCOVERY, "statusCode"),
        (502, "/u/login", "statusCode"),
    ],
)
async def test_status(visitor: Visitor, status: int, path: str, member: str) -> None:
    """An endpoint answers with a status in the form that its clients know; others work."""
    assert (await begin(visitor, "status", value=status, endpoint=path)).status_code == 201
    response = await visitor.application.get(path)
    assert (response.status_code, member in response.json()) == (status, True)
    assert ("retry-after" in response.headers) == (status in (429, 503))
    assert (await visitor.application.get("/.well-known/jwks.json")).status_code == 200


async def test_how_long(visitor: Visitor) -> None:
    """A fault lasts for so many requests, for so many seconds, or until it is ended; a path that
    ends in a slash means everything below it."""
    await begin(visitor, "status", value=503, endpoint="/.well-known/", times=2)
    answers = [(await visitor.application.get(DISCOVERY)).status_code for _ in range(3)]
    assert answers == [503, 503, 200]
    await begin(visitor, "status", value=503, seconds=10)
    assert (await visitor.application.get(DISCOVERY)).status_code == 503
    (running,) = (await visitor.application.get(FAULTS)).json()
    assert (running["kind"], running["seconds"]) == ("status", 10)
    visitor.clock.now += 10
    assert (await visitor.application.get(DISCOVERY)).status_code == 200
    begun = (await begin(visitor, "status", value=503)).json()
    assert (await visitor.application.delete(f"{FAULTS}/{begun['id']}")).status_code == 204
    assert (await visitor.application.get(DISCOVERY)).status_code == 200


async def test_latency(visitor: Visitor) -> None:
    """An answer comes late by so many seconds."""
    await begin(visitor, "latency", value=0.2, endpoint=DISCOVERY)
    loop = asyncio.get_running_loop()
    begun_at = loop.time()
    await visitor.application.get(DISCOVERY)
    assert loop.time() - begun_at >= 0.2


async def test_clock(visitor: Visitor) -> None:
    """The tenant's clock is wrong by so many seconds, in its tokens, too; the fault ends on time
    by the right one."""
    await begin(visitor, "clock", value=-600, seconds=60)
    tokens = await visitor.tokens(audience=None)
    claims = (await visitor.decoded(tokens["id_token"])).claims
    assert claims["iat"] == int(visitor.clock()) - 600
    visitor.clock.now += 61
    tokens = await visitor.tokens(audience=None)
    assert (await visitor.decoded(tokens["id_token"])).claims["iat"] == int(visitor.clock())


async def test_wrong_audience(visitor: Visitor) -> None:
    """Tokens are for another audience, the ID token or the access token."""
    await begin(visitor, "wrong_audience", value="id_token")
    tokens = await visitor.tokens()
    assert (await visitor.decoded(tokens["id_token"])).claims["aud"] != "local-app"
    await visitor.application.delete(FAULTS)
    await begin(visitor, "wrong_audience", value="access_token")
    tokens = await visitor.tokens()
    assert (await visitor.decoded(tokens["id_token"])).claims["aud"] == "local-app"
    assert (await visitor.user(tokens["access_token"])).status_code == 401


async def test_withdrawn_claims(visitor: Visitor) -> None:
    """Claims are left out of ID tokens and of UserInfo."""
    await begin(visitor, "withdraw_claims", value="email, name")
    tokens = await visitor.tokens()
    info = await visitor.application.get(
        "/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )
    for claims in ((await visitor.decoded(tokens["id_token"])).claims, info.json()):
        assert not {"email", "name"} & claims.keys()
        assert "nickname" in claims


@pytest.mark.parametrize("how", ["keep", "drop"])
async def test_key_rotation(visitor: Visitor, how: str) -> None:
    """A new key signs at once. The old one stays published, and its tokens good, or goes."""
    old = (await visitor.tokens())["access_token"]
    await begin(visitor, "rotate_keys", value=how)
    new = (await visitor.tokens())["access_token"]
    assert (await visitor.user(new)).status_code == 200
    assert (await visitor.user(old)).status_code == (200 if how == "keep" else 401)
    keys = (await visitor.application.get("/.well-known/jwks.json")).json()["keys"]
    assert len(keys) == (2 if how == "keep" else 1)
    assert not {"d", "p", "q"} & {member for key in keys for member in key}


async def test_revoked(visitor: Visitor) -> None:
    """The refresh tokens of a user, or of all, are revoked at once; the session stays."""
    refresh_token = (await visitor.tokens())["refresh_token"]
    await begin(visitor, "revoke", value="bob@example.com")
    refreshed = await visitor.refresh(refresh_token)
    assert refreshed.status_code == 200
    await begin(visitor, "revoke", value="alice@example.com")
    again = await visitor.refresh(refreshed.json()["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (403, "invalid_grant")
    assert "code" in query_of(str((await visitor.authorize()).headers["location"]))


@pytest.mark.parametrize(
    ("request_", "part"),
    [
        ({}, "Missing required property: kind"),
        ({"kind": "fire"}, "No enum match"),
        ({"kind": "status", "value": 200}, "has to be one of"),
        ({"kind": "status"}, "has to be one of"),
        ({"kind": "latency", "value": "soon"}, "number of seconds"),
        ({"kind": "latency", "value": -1}, "from 0 to 600"),
        ({"kind": "latency", "value": "nan"}, "from 0 to 600"),
        ({"kind": "latency", "value": 1, "seconds": 0}, "less than minimum"),
        ({"kind": "drop", "endpoint": "userinfo"}, "does not match pattern"),
        ({"kind": "drop", "for": 1}, "Additional properties"),
        ({"kind": "revoke", "value": "nobody@example.com"}, "There is no user"),
        ({"kind": "withdraw_claims"}, "has to name claims"),
        ([], "Expected type object"),
    ],
)
async def test_refused(visitor: Visitor, request_: Any, part: str) -> None:
    """What is no fault is refused by what is wrong, and nothing begins."""
    response = await visitor.application.post(FAULTS, json=request_)
    assert (response.status_code, part in response.json()["message"]) == (400, True)
    assert (await visitor.application.get(FAULTS)).json() == []


async def test_other_origins(visitor: Visitor) -> None:
    """No page of another origin begins a fault or reads them, not even one of the app's."""
    body = b'{"kind": "drop"}'
    for headers in (
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json", "Sec-Fetch-Site": "same-site", "Origin": APP},
        {"Content-Type": "application/json", "Origin": APP},
    ):
        response = await visitor.application.post(FAULTS, content=body, headers=headers)
        assert response.status_code in (403, 415)
    preflight = {"Origin": APP, "Access-Control-Request-Method": "DELETE"}
    assert not (await visitor.application.options(FAULTS, headers=preflight)).is_success
    read = await visitor.application.get(FAULTS, headers={"Origin": APP})
    assert "access-control-allow-origin" not in read.headers
    assert read.json() == []


async def test_dashboard_stays(visitor: Visitor) -> None:
    """The dashboard works while everything else fails, begins faults and ends them."""
    form = {"kind": "status", "value": "503", "endpoint": "*", "times": "5", "action": "begin"}
    assert (await visitor.dashboard("/faults", **form)).status_code == 303
    assert (await visitor.application.get(DISCOVERY)).status_code == 503
    page = await visitor.browser.get("/dashboard/faults")
    assert "4 more requests" in page.text
    wrong = await visitor.dashboard("/faults", kind="latency", value="soon", action="begin")
    assert (wrong.status_code, "number of seconds" in wrong.text) == (400, True)
    for fault in ("x", "-1", "9" * 5000, ""):
        assert (await visitor.dashboard("/faults", action="end", fault=fault)).status_code < 500
    assert (await visitor.application.get(DISCOVERY)).status_code == 503
    await visitor.dashboard("/faults", action="end-all")
    assert (await visitor.application.get(DISCOVERY)).status_code == 200
    assert "status 503 at *" in (await visitor.browser.get("/dashboard/logs")).text


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    """A running tenant."""
    tenant = tenant_process(tmp_path, app_url=APP)
    tenant.server.start()
    yield tenant
    tenant.server.stop()


def test_dropped_connection(tenant: Tenant) -> None:
    """A connection is closed in the middle of the answer, as by a provider that dies."""
    with httpx.Client(base_url=tenant.url, trust_env=False) as client:
        client.post(FAULTS, json={"kind": "drop", "endpoint": DISCOVERY, "times": 1})
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(DISCOVERY)
        assert client.get(DISCOVERY).status_code == 200


async def test_log(visitor: Visitor) -> None:
    """Every login, consent, grant and refusal is in the log, with user and application, and without
    a token, a code or a password."""
    page = str((await visitor.authorize()).headers["location"])
    for username, password in (("alice@example.com", "wrong-word"), ("x@example.com", "wrong")):
        await visitor.browser.post(page, data={"username": username, "password": password})
    tokens = await visitor.tokens()
    await visitor.refresh(tokens["refresh_token"])
    await visitor.refresh(tokens["refresh_token"])
    await visitor.redeem("no-such-code")
    login = visitor.authorize_url()
    async with visitor.client() as browser:
        url = await through_the_pages(browser, login, email="blocked@example.com")
    assert query_of(url)["error"] == "unauthorized"
    await visitor.browser.get("/v2/logout?client_id=local-app")
    text = (await visitor.browser.get("/dashboard/logs")).text
    for each in (
        *("Success Login", "Incorrect Password", "Invalid Email", "User gave consent"),
        *("Success Exchange Refresh Token", "Failed Exchange Refresh Token"),
        *("Success Exchange", "Failed Exchange", "Success Logout", "user is blocked"),
    ):
        assert each in text, each
    assert f'href="/dashboard/users/{ALICE.replace("|", "%7C")}"' in text
    assert BOB not in text
    for secret in (*tokens.values(), "wrong-word", "local-secret", "no-such-code"):
        assert str(secret) not in text or secret in ("Bearer", 3600, tokens["scope"])
    refusals = (await visitor.browser.get("/dashboard/logs?show=failed")).text
    assert "Incorrect Password" in refusals
    assert "Success Login" not in refusals
