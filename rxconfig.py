"""Reflex's settings. Every `reflex` command reads this file before the rest of the app."""

import sys
from urllib.parse import urlsplit

from app.auth import use_packaged_toolchain

use_packaged_toolchain()  # before Reflex reads the environment

import reflex as rx
from dotenv import load_dotenv
from reflex_base.constants import PackageJson

load_dotenv()

from app.auth import AllowedList, ConfigError, Plugin

try:
    from app.config import IS_PRODUCTION, config, http_interceptor

    AllowedList(http_interceptor.allowed_list, base_url=http_interceptor.base_url)
except ConfigError as error:
    sys.exit("\n  - ".join(("The configuration needs a correction:", *error.problems)))

# Reflex lets the development page server listen on every interface. Here: on localhost only.
PackageJson.Commands.DEV = "react-router dev --host localhost"


def _local_port(url: str, default: int) -> int:
    """The port to listen on: that of the URL, unless the URL is that of a proxy in front. One with
    https is: Reflex's own server has no TLS."""
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    return parts.port if is_local and parts.port else default


# A backend alone listens on the port of its command (`--backend-only --backend-port 8000`).
IS_BACKEND_ALONE = "--backend-only" in sys.argv

_frontend_port = _local_port(config.app_base_url, 3000)


def _ports() -> dict[str, int]:
    backend = _frontend_port if IS_PRODUCTION else _local_port(config.app_api_url, 8000)
    return {"frontend_port": _frontend_port, "backend_port": backend}


config = rx.Config(
    app_name="app",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    backend_host="127.0.0.1",
    **({} if IS_BACKEND_ALONE else _ports()),
    deploy_url=config.app_base_url.removesuffix(config.base_path),
    api_url=config.api_origin,
    # Both empty, unless the URLs have a path: https://example.com/shop.
    frontend_path=config.base_path,
    backend_path=config.api_path,
    redis_url=config.redis_url,
    # Only the app's own pages may use its routes and its websocket.
    cors_allowed_origins=sorted(config.origins),
    plugins=[Plugin()],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
