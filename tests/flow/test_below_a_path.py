"""An app that is served below a path, as at https://example.com/shop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.auth.session import Cookies

from .world import APP, World

SHOP = f"{APP}/shop"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[World]:
    """The app below `/shop`, with its backend."""
    world = World(tmp_path, url=SHOP)
    yield world
    await world.store.close()


async def test_login_and_logout(shop: World) -> None:
    """A login returns to a page below the path, and a logout to the start page there."""
    async with shop.browser() as browser:
        assert (await shop.log_in(browser)).headers["location"] == f"{SHOP}/profile"
        profile = await browser.get(f"{SHOP}/auth/profile", headers={"X-CSRF": "1"})
        assert profile.json()["email"] == "alice@example.com"
        logout = await browser.post(f"{SHOP}/auth/logout", headers={"Origin": APP})
        left = await browser.get(logout.headers["location"])
        assert left.headers["location"] == f"{SHOP}/"


async def test_failed_login(shop: World) -> None:
    """A declined login ends on the error page below the path."""
    async with shop.browser() as browser:
        answer = await browser.get(f"{SHOP}/auth/callback?error=access_denied&state=x")
        assert answer.headers["location"].startswith(f"{SHOP}/error?")


async def test_other_ways(shop: World) -> None:
    """A login in a popup ends on the document below the path, a silent one on its page there."""
    async with shop.browser() as browser:
        query = {"return_to": "/orders", "display": "popup"}
        begun = await browser.get(f"{SHOP}/auth/login", params=query)
        done = await browser.get(await shop.answer(browser, begun.headers["location"]))
        assert done.headers["location"] == f"{SHOP}/auth/popup?return_to=%2Forders"
        page = await browser.get(done.headers["location"])
        assert f'<a href="{SHOP}/orders">' in page.text
        await shop.log_out_at_tenant(browser)
        silent = await browser.get(f"{SHOP}/auth/login?prompt=none&return_to=/orders")
        callback = await browser.get(silent.headers["location"])
        back = await browser.get(callback.headers["location"])
        assert back.headers["location"] == f"{SHOP}/orders"


async def test_documents(shop: World) -> None:
    """The pages of the backend itself link and post to addresses below the path."""
    async with shop.browser() as browser:
        question = await browser.get(f"{SHOP}/auth/logout")
        assert 'action="/shop/auth/logout"' in question.text
        assert f'href="{SHOP}/"' in question.text


async def test_outside_of_the_path(shop: World) -> None:
    """What is not below the path is not a route of this app, and no login returns there."""
    async with shop.browser() as browser:
        assert (await browser.get(f"{APP}/auth/login")).text == "page"
        assert (await browser.get(f"{APP}/shopping/auth/login")).text == "page"
        url = await shop.begin(browser, "/../other")
        callback = await browser.get(await shop.answer(browser, url))
        assert callback.headers["location"] == f"{SHOP}/"


async def test_two_apps_of_one_origin(shop: World, tmp_path: Path) -> None:
    """The cookies of two apps below two paths have different names, so neither logs the other's
    user out."""
    urls = ["https://example.com", "https://example.com/a", "https://example.com/a/b"]
    names = [Cookies.of(url, is_https=True).session.name for url in urls]
    assert names == ["__Host-auth_session", "__Host-auth_session+a", "__Host-auth_session+a+b"]
