"""One deployment that browsers reach under two host names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.auth import AuthConfig, ConfigError

from .world import APP, World, through_the_pages

OTHER = "http://127.0.0.1:3000"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """An app with two base URLs."""
    world = World(tmp_path, other_urls=(OTHER,))
    yield world
    await world.store.close()


async def begin(browser: httpx.AsyncClient, base_url: str, **headers: str) -> tuple[str, str]:
    """The URL at the tenant that a login leads to, and the `redirect_uri` in it."""
    response = await browser.get(f"{base_url}/auth/login?return_to=/profile", headers=headers)
    url = response.headers["location"]
    return url, parse_qs(urlsplit(url).query)["redirect_uri"][0]


@pytest.mark.parametrize("base_url", [APP, OTHER])
async def test_login(world: World, browser: httpx.AsyncClient, base_url: str) -> None:
    """A login returns to the base URL that it began at, and a logout ends there."""
    url, redirect_uri = await begin(browser, base_url)
    assert redirect_uri == f"{base_url}/auth/callback"
    callback = await through_the_pages(browser, url, app=base_url)
    assert callback.startswith(redirect_uri)
    response = await browser.get(callback)
    assert response.headers["location"] == "/profile"
    assert await world.session(browser) is not None
    logout = await browser.post(
        f"{base_url}/auth/logout", headers={"Origin": base_url}, data={"return_to": "/bye"}
    )
    query = parse_qs(urlsplit(logout.headers["location"]).query)
    assert query["post_logout_redirect_uri"] == [f"{base_url}/auth/logged-out"]
    returned = await browser.get(f"{base_url}/auth/logged-out")
    assert returned.headers["location"] == f"{base_url}/bye"


async def test_logout_to_the_start(world: World, browser: httpx.AsyncClient) -> None:
    """Without a return path, a logout leads to the start page of the same base URL."""
    local = await browser.post(
        f"{OTHER}/auth/logout", headers={"Origin": OTHER}, data={"local": "1"}
    )
    assert local.headers["location"] == OTHER


@pytest.mark.parametrize(
    "host", ["other.example", "localhost", "127.0.0.1", "127.0.0.1:3000.other.example"]
)
async def test_unknown_host(browser: httpx.AsyncClient, host: str) -> None:
    """A `Host` header of the client's own choice never becomes a `redirect_uri`."""
    _, redirect_uri = await begin(browser, APP, host=host)
    assert redirect_uri == f"{APP}/auth/callback"


async def test_links(world: World, browser: httpx.AsyncClient) -> None:
    """Links have no host, so that a browser stays at the base URL where it is."""
    assert world.auth.login_url("/profile") == "/auth/login?return_to=%2Fprofile"
    response = await browser.get(f"{OTHER}/auth/callback?state=unknown")
    assert response.headers["location"].startswith("/error?")
    popup = await browser.get(f"{OTHER}/auth/popup?return_to=/profile")
    assert 'href="/profile"' in popup.text


async def test_link_of_a_third_party(browser: httpx.AsyncClient, world: World) -> None:
    """The target of a login that a third party starts is of the base URL that was called."""
    response = await browser.get(f"{OTHER}/auth/login?target_link_uri={OTHER}/profile")
    callback = await through_the_pages(browser, response.headers["location"], app=OTHER)
    assert (await browser.get(callback)).headers["location"] == "/profile"


async def test_session_of_one_host(world: World, browser: httpx.AsyncClient) -> None:
    """Browsers keep a cookie per host: a login at one base URL is none at the other."""
    url, _ = await begin(browser, OTHER)
    await browser.get(await through_the_pages(browser, url, app=OTHER))
    answers = [
        await browser.get(f"{base_url}/auth/profile", headers={"X-CSRF": "1"})
        for base_url in (OTHER, APP)
    ]
    assert [answer.status_code for answer in answers] == [200, 401]


GOOD = {
    "AUTH0_DOMAIN": "example.eu.auth0.com",
    "AUTH0_CLIENT_ID": "id",
    "AUTH0_CLIENT_SECRET": "secret",
    "AUTH0_SECRET": "s" * 32,
}


def test_base_urls_of_the_environment() -> None:
    """`APP_BASE_URLS` takes the place of `APP_BASE_URL`; the first one is the default."""
    urls = {"APP_BASE_URLS": "https://a.example, https://b.example/"}
    config = AuthConfig.from_environ({**GOOD, **urls})
    assert config.base_urls == ("https://a.example", "https://b.example")
    assert config.origins == {"https://a.example", "https://b.example"}
    assert "APP_BASE_URL" not in config.unset_origins
    assert config.at_host("b.example").redirect_uri == "https://b.example/auth/callback"
    ports = {"APP_BASE_URLS": "https://a.example:443,https://B.example:443"}
    config = AuthConfig.from_environ({**GOOD, **ports})
    assert config.at_host("b.example").redirect_uri == "https://B.example:443/auth/callback"


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"APP_BASE_URLS": "https://a.example,https://b.example/shop"}, "has a path"),
        ({"APP_BASE_URLS": "https://a.example/x,https://b.example"}, "has a path"),
        ({"APP_BASE_URLS": "https://a.example,https://b.example:8443"}, "another scheme or port"),
        ({"APP_BASE_URLS": "https://a.example,http://localhost"}, "another scheme or port"),
        ({"APP_BASE_URLS": "https://a.example,http://b.example"}, "uses http:// on a host"),
        ({"APP_BASE_URLS": "https://a.example,https://a.example"}, "same host"),
        ({"APP_BASE_URLS": "https://a.example,b"}, "is not a domain or an http"),
        ({"APP_BASE_URLS": "ftp://a.example"}, "is not a domain or an http"),
        (
            {
                "APP_BASE_URLS": "https://a.example,https://b.example",
                "APP_BASE_URL": "https://a.example",
            },
            "both set",
        ),
        (
            {
                "APP_BASE_URLS": "https://a.example,https://b.example",
                "APP_API_URL": "https://api.example",
            },
            "one origin",
        ),
    ],
    ids=[
        "path",
        "path of the first",
        "port",
        "scheme",
        "http",
        "twice",
        "text",
        "only one",
        "both",
        "api",
    ],
)
def test_base_urls_that_do_not_go_together(environ: dict[str, str], problem: str) -> None:
    """Base URLs that need more than one configuration stop the start with a sentence."""
    with pytest.raises(ConfigError, match=problem):
        AuthConfig.from_environ({**GOOD, **environ})
