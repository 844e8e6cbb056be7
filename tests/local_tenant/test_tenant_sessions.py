"""The end of a login at the tenant: without use, after a time, and with word to its clients."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from joserfc import jwt

from app.local_tenant.backchannel_logout import EVENT

from ..flow.world import APP, TENANT
from ..interop.logout_receiver import running_logout_receiver
from .visitor import ALICE, Visitor, answer

DAY = 86_400.0


async def test_idle(visitor: Visitor) -> None:
    """A login that nobody uses ends after three days; each use keeps it."""
    await visitor.code()
    for _ in range(2):
        visitor.clock.now += 3 * DAY - 1
        assert "code" in answer(await visitor.authorize(prompt="none"))
    visitor.clock.now += 3 * DAY
    assert answer(await visitor.authorize(prompt="none"))["error"] == "login_required"


async def test_absolute(visitor: Visitor) -> None:
    """A login ends after seven days, however often it is used."""
    await visitor.code()
    for _ in range(6):
        visitor.clock.now += DAY
        assert "code" in answer(await visitor.authorize(prompt="none"))
    visitor.clock.now += DAY
    assert answer(await visitor.authorize(prompt="none"))["error"] == "login_required"


async def test_end_of_the_lifetime_of_refresh_tokens(visitor: Visitor) -> None:
    """The lifetime of refresh tokens runs from the login; rotation does not extend it."""
    token = (await visitor.tokens())["refresh_token"]
    visitor.clock.now += 29 * DAY
    token = (await visitor.refresh(token)).json()["refresh_token"]
    visitor.clock.now += 2 * DAY
    assert (await visitor.refresh(token)).json()["error"] == "invalid_grant"


async def test_two_tenants(tmp_path: Path) -> None:
    """A browser is logged in at two tenants on two ports of one host, which share its cookies."""
    tenants = [Visitor(tmp_path / str(port), port=port) for port in (4400, 4410)]
    first, second = (tenant.browser.cookies for tenant in tenants)
    await tenants[0].code(audience=None)
    second.update(first)
    await tenants[1].code(audience=None)
    first.update(second)
    for tenant in tenants:
        assert "code" in answer(await tenant.authorize(audience=None, prompt="none"))


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
