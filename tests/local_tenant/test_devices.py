"""The device authorization grant (RFC 8628), with Auth0's errors."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from app.local_tenant.device_codes import LIFETIME
from app.local_tenant.guesses import PER_ACCOUNT

from ..flow.world import TENANT, through_the_pages
from .visitor import ALICE, API, Visitor

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "openid email offline_access read:current_user"


async def begin(visitor: Visitor, **changes: str) -> dict[str, Any]:
    """What the device shows."""
    form = {"client_id": "local-spa", "scope": SCOPE, "audience": API, **changes}
    response = await visitor.application.post("/oauth/device/code", data=form)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def poll(visitor: Visitor, device: dict[str, Any], **changes: str) -> httpx.Response:
    """The answer to the device's question."""
    form = {"client_id": "local-spa", "device_code": device["device_code"], **changes}
    return await visitor.token(auth=None, grant_type=GRANT, **form)


async def enter(visitor: Visitor, code: str) -> httpx.Response:
    """Enter a code at the page."""
    return await visitor.browser.post("/activate", data={"user_code": code})


async def connect(visitor: Visitor, device: dict[str, Any], action: str = "accept") -> str:
    """Enter the code, log in, and answer the question; the result is the last page's text."""
    url = (await enter(visitor, device["user_code"])).headers["location"]
    while urlsplit(url).path != "/u/consent":
        form = {"username": "alice@example.com", "password": "password"}
        url = (await visitor.browser.post(url, data=form)).headers["location"]
    answered = await visitor.browser.post(url, data={"action": action})
    assert answered.headers["location"].startswith(f"{TENANT}/activate?")
    return (await visitor.browser.get(answered.headers["location"])).text


async def test_device(visitor: Visitor) -> None:
    """A device waits while its user enters the code, logs in and consents, and then gets tokens,
    once."""
    device = await begin(visitor)
    assert device["verification_uri"] == f"{TENANT}/activate"
    assert device["verification_uri_complete"].endswith(f"?user_code={device['user_code']}")
    assert (device["expires_in"], device["interval"]) == (900, 5)
    waiting = await poll(visitor, device)
    assert (waiting.status_code, waiting.json()) == (
        403,
        {
            "error": "authorization_pending",
            "error_description": "User has yet to authorize device code.",
        },
    )
    page = await visitor.browser.get(device["verification_uri_complete"])
    assert f'value="{device["user_code"]}"' in page.text
    assert "Device connected" in await connect(visitor, device)
    assert (await enter(visitor, device["user_code"])).status_code == 400
    answer = (await poll(visitor, device)).json()
    claims = (await visitor.decoded(answer["id_token"])).claims
    assert (claims["aud"], claims["email"]) == ("local-spa", "alice@example.com")
    assert (await visitor.user(answer["access_token"])).status_code == 200
    refreshed = await visitor.refresh(answer["refresh_token"], auth=None, client_id="local-spa")
    assert refreshed.status_code == 200
    assert (await poll(visitor, device)).json()["error"] == "invalid_grant"


async def test_logout_before_the_device_asks(visitor: Visitor) -> None:
    """The end of the login that has approved a device leaves the device without tokens, as it ends
    the refresh tokens of one that has fetched them."""
    early, late = await begin(visitor), await begin(visitor)
    await connect(visitor, early)
    tokens = (await poll(visitor, early)).json()
    await connect(visitor, late)
    await visitor.browser.get("/v2/logout?client_id=local-spa")
    refreshed = await visitor.refresh(tokens["refresh_token"], auth=None, client_id="local-spa")
    assert refreshed.json()["error"] == "invalid_grant"
    assert (await poll(visitor, late)).json()["error"] == "invalid_grant"


async def test_slow_down(visitor: Visitor) -> None:
    """A poll that comes too early is told so, and makes the interval longer by five seconds."""
    device = await begin(visitor)
    await poll(visitor, device)
    visitor.clock.now += 4
    early = await poll(visitor, device)
    assert (early.status_code, early.json()["error"]) == (429, "slow_down")
    visitor.clock.now += 9
    assert (await poll(visitor, device)).json()["error"] == "slow_down"
    visitor.clock.now += 15
    assert (await poll(visitor, device)).json()["error"] == "authorization_pending"


async def test_declined(visitor: Visitor) -> None:
    """A user who declines ends the waiting; the user is asked each time, whatever was consented to
    before."""
    await visitor.code(
        client_id="local-spa", redirect_uri="http://localhost:3000/auth/callback", scope=SCOPE
    )
    device = await begin(visitor)
    assert "Device not connected" in await connect(visitor, device, "decline")
    refused = await poll(visitor, device)
    assert (refused.status_code, refused.json()["error"]) == (403, "access_denied")
    assert (await enter(visitor, device["user_code"])).status_code == 400


async def test_expired(visitor: Visitor) -> None:
    """A code expires after a quarter of an hour: the device learns so once, and then, as of a code
    that never was, that it is not good."""
    device = await begin(visitor)
    visitor.clock.now += LIFETIME
    assert (await enter(visitor, device["user_code"])).status_code == 400
    for error in ("expired_token", "invalid_grant"):
        response = await poll(visitor, device)
        assert (response.status_code, response.json()["error"]) == (403, error)


async def test_other_client(visitor: Visitor) -> None:
    """A device code is of use to its own client only, and is not used up by another."""
    device = await begin(visitor)
    await connect(visitor, device)
    other = await visitor.token(grant_type=GRANT, device_code=device["device_code"])
    assert other.json()["error"] == "invalid_grant"
    assert (await poll(visitor, device)).status_code == 200


async def test_codes_as_people_type_them(visitor: Visitor) -> None:
    """Case, spaces and hyphens in the user code do not matter."""
    device = await begin(visitor)
    typed = f" {device['user_code'].lower().replace('-', ' ')} "
    assert (await enter(visitor, typed)).status_code == 303


async def test_guesses(visitor: Visitor) -> None:
    """After ten wrong codes from an address the right one is refused, too."""
    device = await begin(visitor)
    for _ in range(PER_ACCOUNT):
        assert (await enter(visitor, "BBBB-BBBB")).status_code == 400
    blocked = await enter(visitor, device["user_code"])
    assert (blocked.status_code, "Too many wrong codes" in blocked.text) == (429, True)


async def test_blocked_user(visitor: Visitor) -> None:
    """A user who is blocked cannot connect a device; one who is blocked afterwards gives it
    nothing."""
    device, second = await begin(visitor), await begin(visitor)
    first = str((await enter(visitor, device["user_code"])).headers["location"])
    url = await through_the_pages(
        visitor.browser, first, app=f"{TENANT}/activate", email="blocked@example.com"
    )
    assert "error=unauthorized" in url
    assert "may not log in" in (await visitor.browser.get(url)).text
    assert (await poll(visitor, device)).json()["error"] == "authorization_pending"
    visitor.browser = visitor.client()
    await connect(visitor, second)
    await visitor.dashboard(f"/users/{ALICE.replace('|', '%7C')}", action="block")
    assert (await poll(visitor, second)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"scope": "openid"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": "local-app"}, 401, "access_denied"),
        ({"client_id": "local-spa", "audience": "https://x.example/"}, 403, "access_denied"),
    ],
)
async def test_bent_request(
    visitor: Visitor, form: dict[str, str], status: int, error: str
) -> None:
    """A device code goes to registered clients only, for APIs that there are."""
    response = await visitor.application.post("/oauth/device/code", data=form)
    assert (response.status_code, response.json()["error"]) == (status, error)


@pytest.mark.parametrize("device", ["", "x", "' OR 1=1"])
async def test_forged_activation(visitor: Visitor, device: str) -> None:
    """Nobody reaches the consent of a device by a request of their own."""
    await begin(visitor)
    response = await visitor.authorize(
        client_id="local-spa",
        response_type=GRANT,
        device=device,
        redirect_uri="https://evil.example/",
    )
    assert (response.status_code, "location" in response.headers) == (400, False)


async def test_form_of_another_origin(visitor: Visitor) -> None:
    """A page of another origin cannot enter a code for the user, and texts in the address are not
    shown."""
    device = await begin(visitor)
    headers = {"Origin": "http://localhost:3000"}
    response = await visitor.browser.post(
        "/activate", data={"user_code": device["user_code"]}, headers=headers
    )
    assert response.status_code == 403
    for query in ("error=x&error_description=<b>call+0800", "user_code=%22><b>call+0800"):
        page = (await visitor.browser.get(f"/activate?{query}")).text
        assert "<b>" not in page


async def test_log(visitor: Visitor) -> None:
    """The log has the end of the waiting, and not each poll."""
    device = await begin(visitor)
    for _ in range(3):
        await poll(visitor, device)
        visitor.clock.now += 30
    await connect(visitor, device)
    await poll(visitor, device)
    log = (await visitor.browser.get("/dashboard/logs")).text
    assert "Success Exchange Device Code" in log
    assert "authorization_pending" not in log
