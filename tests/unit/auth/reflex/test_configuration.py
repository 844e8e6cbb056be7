"""What two configurations say of the origins of page and backend, and of proxies."""

from __future__ import annotations

from typing import Any

import pytest

from app.auth import AuthConfig, ConfigError
from app.auth.reflex.configuration import agreed_origins, agreed_proxies

FOUR = {
    "AUTH0_DOMAIN": "tenant.eu.auth0.com",
    "AUTH0_CLIENT_ID": "client",
    "AUTH0_CLIENT_SECRET": "secret",
    "AUTH0_SECRET": "s" * 32,
}
DEVELOPMENT = {
    "api_url": "http://localhost:8000",
    "backend_path": "",
    "deploy_url": "http://localhost:3000",
    "frontend_path": "",
    "frontend_port": 3000,
    "is_production": False,
}
PRODUCTION = {
    "api_url": "http://localhost:3000",
    "backend_path": "",
    "deploy_url": "http://localhost:3000",
    "frontend_path": "",
    "frontend_port": 3000,
    "is_production": True,
}


BELOW_A_PATH = {**PRODUCTION, "frontend_path": "/shop", "backend_path": "shop/"}


def agreed(environ: dict[str, str], reflex: dict[str, Any]) -> tuple[str, str]:
    config = agreed_origins(AuthConfig.from_environ({**FOUR, **environ}), **reflex)
    assert not config.unset_origins
    return config.app_base_url, config.app_api_url


def test_development() -> None:
    """With nothing set, page and backend are where Reflex serves them: two ports."""
    assert agreed({}, DEVELOPMENT) == ("http://localhost:3000", "http://localhost:8000")
    other = {
        "api_url": "http://localhost:8001",
        "deploy_url": "http://localhost:3001",
        "frontend_port": 3001,
    }
    assert agreed({}, {**DEVELOPMENT, **other}) == (
        "http://localhost:3001",
        "http://localhost:8001",
    )


def test_deploy_url_in_development() -> None:
    """In development the page is not yet where it will be deployed."""
    reflex = {**DEVELOPMENT, "deploy_url": "https://shop.example"}
    assert agreed({}, reflex)[0] == "http://localhost:3000"


def test_production() -> None:
    """In production both are one origin, which either configuration may name."""
    assert agreed({}, PRODUCTION) == ("http://localhost:3000",) * 2
    assert agreed({"APP_BASE_URL": "https://shop.example"}, PRODUCTION) == (
        "https://shop.example",
        "https://shop.example",
    )
    deployed = {**PRODUCTION, "deploy_url": "https://shop.example/"}
    assert agreed({}, deployed) == ("https://shop.example",) * 2


def test_backend_on_another_host() -> None:
    """A backend of its own is where `api_url` or `APP_API_URL` says."""
    apart = {**PRODUCTION, "api_url": "https://api.shop.example/"}
    both = ("https://shop.example", "https://api.shop.example")
    page = {"APP_BASE_URL": "https://shop.example"}
    assert agreed(page, apart) == both
    assert agreed({**page, "APP_API_URL": "https://api.shop.example"}, PRODUCTION) == both


def test_below_a_path() -> None:
    """Pages and backend have the paths that `rx.Config` gives them, in both modes."""
    assert agreed({}, BELOW_A_PATH) == ("http://localhost:3000/shop",) * 2
    shop = "https://example.com/shop"
    assert agreed({"APP_BASE_URL": f"{shop}/"}, BELOW_A_PATH) == (shop, shop)
    pages_only = {**BELOW_A_PATH, "backend_path": ""}
    assert agreed({"APP_BASE_URL": shop}, pages_only) == (shop, "https://example.com")
    development = {**DEVELOPMENT, "frontend_path": "/shop", "backend_path": "/api"}
    assert agreed({}, development) == ("http://localhost:3000/shop", "http://localhost:8000/api")


@pytest.mark.parametrize(
    ("environ", "reflex", "named"),
    [
        ({"APP_API_URL": "http://localhost:9000"}, DEVELOPMENT, "http://localhost:8000"),
        ({"APP_BASE_URL": "http://localhost:4000"}, PRODUCTION, "http://localhost:3000"),
        (
            {"APP_BASE_URL": "https://a.example", "APP_API_URL": "https://b.example"},
            {**PRODUCTION, "api_url": "https://c.example"},
            "https://c.example",
        ),
        ({}, {**DEVELOPMENT, "api_url": "http://127.0.0.1:8000"}, "two sites"),
        ({"APP_BASE_URL": "https://a.example/shop"}, PRODUCTION, 'frontend_path=""'),
        ({"APP_BASE_URL": "https://a.example"}, BELOW_A_PATH, 'frontend_path="/shop"'),
        ({"APP_API_URL": "http://localhost:3000"}, BELOW_A_PATH, 'backend_path="/shop"'),
        ({}, {**PRODUCTION, "api_url": "https://a.example/shop"}, 'backend_path="/shop"'),
    ],
)
def test_contradiction(environ: dict[str, str], reflex: dict[str, Any], named: str) -> None:
    """Where the page would connect to another backend than the login's, the start stops and the
    sentence names both."""
    with pytest.raises(ConfigError) as caught:
        agreed(environ, reflex)
    assert len(caught.value.problems) == 1
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("ours", "of_reflex", "both"), [(0, 0, 0), (2, 0, 2), (0, 1, 1), (1, 1, 1)]
)
def test_proxies(ours: int, of_reflex: int, both: int) -> None:
    """The number of trusted proxies is set once, in either configuration."""
    assert agreed_proxies(ours, of_reflex) == both


def test_contradicting_proxies() -> None:
    """Two numbers stop the start, and are both named."""
    with pytest.raises(ConfigError, match=r"APP_TRUSTED_PROXIES=2, but trusted_proxy_hops=1"):
        agreed_proxies(2, 1)
