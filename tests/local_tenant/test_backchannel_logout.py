"""The clients of a login hear of its end, however it comes (OpenID Connect Back-Channel Logout)."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt

from app.local_tenant.backchannel_logout import EVENT

from ..flow.world import APP, TENANT
from ..interop.logout_receiver import LogoutReceiver, running_logout_receiver
from .administrator import admin_of
from .visitor import ALICE, Visitor, answer

DAY = 86_400.0
PAGE = f"/users/{ALICE.replace('|', '%7C')}"


@pytest.mark.parametrize("way", ["/v2/logout?client_id=local-app", "/oidc/logout", "/u/logout"])
async def test_backchannel_logout(tmp_path: Path, way: str) -> None:
    """Every client of a login that is registered for it hears of its end, once, with `sid` and
    `sub`, by a token of its own that is no other kind of token."""
    with running_logout_receiver() as receiver:
        seeds = tmp_path / "seeds.json"
        told = {"oidc_logout": {"backchannel_logout_urls": [receiver.url]}}
        applications = [{"client_id": name, **told} for name in ("local-app", "local-spa")]
        seeds.write_text(json.dumps({"applications": applications}))
        visitor = Visitor(tmp_path, seed_file=seeds)
        tokens = await visitor.tokens()
        await visitor.code(client_id="local-spa", redirect_uri=f"{APP}/")
        hint = f"?id_token_hint={tokens['id_token']}" if way == "/oidc/logout" else ""
        await visitor.browser.request("POST" if way == "/u/logout" else "GET", f"{way}{hint}")
        received = [receiver.tokens.get(timeout=10) for _ in range(2)]
        assert receiver.tokens.empty()
        sid = (await visitor.decoded(tokens["id_token"])).claims["sid"]
        audiences = set()
        for text in received:
            token: jwt.Token = await visitor.decoded(text)
            assert token.header["typ"] == "logout+jwt"
            claims = token.claims
            assert (claims["iss"], claims["sub"], claims["sid"]) == (f"{TENANT}/", ALICE, sid)
            assert claims["events"] == {EVENT: {}}
            assert claims.keys() >= {"iat", "exp", "jti"}
            assert "nonce" not in claims
            audiences.add(claims["aud"])
            headers = {"Authorization": f"Bearer {text}"}
            userinfo = await visitor.application.get("/userinfo", headers=headers)
            assert userinfo.status_code == 401
        assert audiences == {"local-app", "local-spa"}


async def test_no_logout_to_another_machine(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The tenant sends nothing to other machines."""
    seeds = tmp_path / "seeds.json"
    told = {"backchannel_logout_urls": ["https://192.0.2.1/logout"]}
    seeds.write_text(
        json.dumps({"applications": [{"client_id": "local-app", "oidc_logout": told}]})
    )
    visitor = Visitor(tmp_path, seed_file=seeds)
    await visitor.tokens()
    await visitor.browser.post("/u/logout")
    for thread in threading.enumerate():
        if thread.name == "back-channel logout":
            thread.join(10)
    assert "it is not a loopback address" in caplog.text


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[tuple[Visitor, LogoutReceiver]]:
    """A tenant that tells `local-app` of the end of its logins, and where it tells."""
    with running_logout_receiver() as receiver:
        seeds = tmp_path / "seeds.json"
        listener = {"oidc_logout": {"backchannel_logout_urls": [receiver.url]}}
        seeds.write_text(json.dumps({"applications": [{"client_id": "local-app", **listener}]}))
        visitor = Visitor(tmp_path, seed_file=seeds)
        yield visitor, receiver
        await visitor.browser.aclose()
        await visitor.application.aclose()


async def end(visitor: Visitor, receiver: LogoutReceiver, way: str) -> dict[str, Any]:
    """End Alice's login in this way, of which her browser does not know; the result is what the
    client is told."""
    admin = admin_of(visitor)
    if way in ("block", "delete", "end-sessions"):
        await visitor.dashboard(PAGE, action=way)
    elif way == "API: delete":
        await admin.call("DELETE", "/users/{}", ALICE)
    elif way == "API: end-sessions":
        await admin.call("DELETE", "/users/{}/sessions", ALICE)
    elif way == "a visit after its time":
        visitor.clock.now += 7 * DAY
        await visitor.client().get(visitor.authorize_url())
    elif way == "its time":
        visitor.clock.now += 3 * DAY
        async with visitor.tenant.router.lifespan_context(visitor.tenant):
            token = await asyncio.to_thread(receiver.tokens.get, timeout=10)
            return (await visitor.decoded(token)).claims
    else:
        changes = {"API: block": {"blocked": True}, "API: password": {"password": "new-password"}}
        await admin.call("PATCH", "/users/{}", ALICE, body=changes[way])
    return (await visitor.decoded(receiver.tokens.get(timeout=10))).claims


@pytest.mark.parametrize(
    "way",
    [
        *("block", "delete", "end-sessions", "API: block", "API: delete", "API: end-sessions"),
        *("API: password", "a visit after its time", "its time"),
    ],
)
async def test_end_from_elsewhere(told: tuple[Visitor, LogoutReceiver], way: str) -> None:
    """The client hears, once, of a login that an administrator or the time has ended."""
    visitor, receiver = told
    tokens = await visitor.tokens()
    sid = (await visitor.decoded(tokens["id_token"])).claims["sid"]
    claims = await end(visitor, receiver, way)
    assert (claims["sub"], claims["sid"]) == (ALICE, sid)
    silent = answer(await visitor.authorize(prompt="none"))
    assert silent["error"] == ("unauthorized" if "block" in way else "login_required")
    assert receiver.tokens.empty()


async def test_refresh_after_its_time(told: tuple[Visitor, LogoutReceiver]) -> None:
    """A login that has reached its time leaves its refresh token good, as at Auth0."""
    visitor, receiver = told
    tokens = await visitor.tokens()
    await end(visitor, receiver, "its time")
    assert (await visitor.refresh(tokens["refresh_token"])).status_code == 200
