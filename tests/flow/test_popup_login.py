"""Logins in a window of their own (`display=popup`), and the page that closes it."""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from .world import APP, World, error_code

PAGE = "/orders?page=2"
POPUP = f"{APP}/auth/popup"


async def begin(browser: httpx.AsyncClient, **parameters: str) -> str:
    """The URL at the tenant."""
    query = {"return_to": PAGE, "display": "popup", **parameters}
    return (await browser.get(f"{APP}/auth/login", params=query)).headers["location"]


def shown(page: httpx.Response) -> str:
    """What the window shows, for a user without JavaScript."""
    return re.sub(r"<(script|style)>.*?</\1>", "", page.text, flags=re.DOTALL)


async def test_login(world: World, browser: httpx.AsyncClient) -> None:
    """The login in a popup ends on the page that closes the window, with a session. The provider is
    told that it is a popup."""
    url = await begin(browser)
    assert parse_qs(urlsplit(url).query)["display"] == ["popup"]
    response = await browser.get(await world.answer(browser, url))
    assert response.headers["location"] == f"{POPUP}?return_to=%2Forders%3Fpage%3D2"
    profile = await browser.get(f"{APP}/auth/profile", headers={"X-CSRF": "1"})
    assert profile.json()["email"] == "alice@example.com"
    page = await browser.get(response.headers["location"])
    assert "data-is-done" in page.text
    assert f'<a href="{APP}{PAGE}">' in page.text


async def test_declined(world: World, browser: httpx.AsyncClient) -> None:
    """A login that was declined ends on the same page, which says why and closes only when the
    user wants it to."""
    state = parse_qs(urlsplit(await begin(browser)).query)["state"][0]
    query = {"error": "access_denied", "state": state, "iss": "http://127.0.0.1:4400/"}
    response = await browser.get(f"{APP}/auth/callback", params=query)
    assert response.headers["location"].startswith(f"{POPUP}?code=access_denied&id=")
    page = await browser.get(response.headers["location"])
    assert "The login was declined" in page.text
    error_id = parse_qs(urlsplit(response.headers["location"]).query)["id"][0]
    assert f"<code>{error_id}</code>" in page.text
    assert "data-is-done" not in shown(page)
    german = await browser.get(response.headers["location"], headers={"Accept-Language": "de"})
    assert "Die Anmeldung wurde abgelehnt" in german.text
    assert "Dieses Fenster schließen" in german.text


async def test_cannot_begin(world: World, browser: httpx.AsyncClient) -> None:
    """So does one that cannot begin."""
    world.network.is_cut = True
    assert (await begin(browser)).startswith(f"{POPUP}?code=provider_unavailable&id=")


async def test_needs_the_user(world: World, browser: httpx.AsyncClient) -> None:
    """A popup with `prompt=none` says that the provider has to ask: it does not close quietly."""
    callback = await browser.get(await begin(browser, prompt="none"))
    response = await browser.get(callback.headers["location"])
    assert response.headers["location"].startswith(f"{POPUP}?code=login_required&id=")


@pytest.mark.parametrize("display", ["page", "touch", "wap"])
async def test_other_displays(world: World, browser: httpx.AsyncClient, display: str) -> None:
    """The other values of `display` are for the provider, and the login ends on the page."""
    url = await begin(browser, display=display)
    assert parse_qs(urlsplit(url).query)["display"] == [display]
    response = await browser.get(await world.answer(browser, url))
    assert response.headers["location"] == f"{APP}{PAGE}"


@pytest.mark.parametrize("display", ["popup ", "POPUP", "window", "popup\n"])
async def test_unknown_display(browser: httpx.AsyncClient, display: str) -> None:
    """Any other value is no login link."""
    query = {"return_to": PAGE, "display": display}
    answer = await browser.get(f"{APP}/auth/login", params=query)
    assert error_code(answer) == "invalid_login_link"


@pytest.mark.parametrize(
    "return_to",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/auth/logout",
        "/%2e%2e/other",
        '/x"><script>alert(1)</script>',
    ],
)
async def test_foreign_return_to(browser: httpx.AsyncClient, return_to: str) -> None:
    """The link of the page leads to a page of this app, whatever its URL says, and nothing of it
    becomes markup."""
    page = await browser.get(POPUP, params={"return_to": return_to, "code": "access_denied"})
    (link,) = re.findall(r'<a href="([^"]*)">', page.text)
    assert urlsplit(link).netloc == urlsplit(APP).netloc
    assert "evil" not in link
    assert "alert" not in shown(page) or "&quot;&gt;&lt;script&gt;" in link


@pytest.mark.parametrize("name", ["code", "id", "state", "error"])
async def test_odd_parameters(browser: httpx.AsyncClient, name: str) -> None:
    """Nothing else of the URL is shown, and the text is one of ours."""
    odd = '"><img src=x onerror=alert(1)>'
    page = await browser.get(POPUP, params={"code": "<b>x", name: odd})
    assert page.status_code == 200
    assert "The login failed" in page.text
    assert "onerror" not in page.text
    assert "<b>x" not in page.text


async def test_headers(browser: httpx.AsyncClient) -> None:
    """No page can frame it, no cache keeps it, and it runs the one script whose hash its policy
    names; that script takes no message and sends none."""
    page = await browser.get(f"{POPUP}?return_to=/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    (script,) = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "essage" not in script
    assert "opener" not in script
    assert page.headers["cache-control"] == "no-store"
    other = await browser.get(f"{APP}/auth/logout")
    assert "script-src" not in other.headers["content-security-policy"]
