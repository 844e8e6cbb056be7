"""What `AuthConfig` and Reflex's own configuration have in common: origins, CORS, proxies."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from urllib.parse import urlsplit

from reflex.config import get_config

from ..config import PRODUCTION_MODES, AuthConfig
from ..errors import ConfigError
from ..urls import is_loopback, origin_of, path_of_url

logger = logging.getLogger(__name__)

_MODE = "REFLEX_ENV_MODE"  # `reflex run` sets it, for its workers, too
_PAGE_PORT = 3000  # Reflex's default


def agreed_with_reflex(config: AuthConfig) -> AuthConfig:
    """Return `config` with what is not set in it taken from `rx.Config`: the origins, and the
    number of trusted proxies.

    Without `reflex run`, in a test for example, `config` is returned as it is.

    Raises:
        ConfigError: the two configurations contradict each other.
    """
    mode = os.environ.get(_MODE)
    if not mode:
        return config
    reflex = get_config()
    hops = getattr(reflex, "trusted_proxy_hops", 0)  # since Reflex 0.10.1
    config = replace(config, trusted_proxies=agreed_proxies(config.trusted_proxies, hops))
    return agreed_origins(
        config,
        api_url=reflex.api_url,
        backend_path=reflex.backend_path,
        deploy_url=reflex.deploy_url,
        frontend_port=reflex.frontend_port,
        frontend_path=reflex.frontend_path,
        is_production=mode in PRODUCTION_MODES,
    )


def configure_reflex(config: AuthConfig) -> None:
    """Let Reflex share answers with the app's own origins only, trust the same proxies, and
    compress the page's files with Brotli, too, unless the app chooses formats itself.

    Reflex's default shares the answers to credentialed requests with every origin: another port of
    the same host, whose requests have the session cookie, could read them.

    Raises:
        ConfigError: the transport is "polling", which cannot be bound to a login.
    """
    reflex = get_config()
    if reflex.transport == "polling":
        raise ConfigError(
            'The transport "polling" cannot be used with this auth layer: set '
            'transport="websocket" in rxconfig.py (it is the default).'
        )
    if foreign := set(reflex.cors_allowed_origins) - config.origins - {"*"}:
        logger.warning(
            "cors_allowed_origins in rxconfig.py names %s. Only the app's own origins are allowed.",
            ", ".join(sorted(foreign)),
        )
    reflex.cors_allowed_origins = sorted(config.origins)
    reflex.trusted_proxy_hops = config.trusted_proxies
    if reflex.frontend_compression_formats == ["gzip"]:  # Reflex's default
        # Not zstd: at the level that Reflex uses, its files are larger than those of gzip.
        reflex.frontend_compression_formats = ["brotli", "gzip"]


def agreed_proxies(ours: int, of_reflex: int) -> int:
    """Return the number of trusted proxies: `APP_TRUSTED_PROXIES`, or Reflex's
    `trusted_proxy_hops`. 0 means not set.

    Raises:
        ConfigError: both are set, and differ.
    """
    if ours and of_reflex and ours != of_reflex:
        raise ConfigError(
            f"APP_TRUSTED_PROXIES={ours}, but trusted_proxy_hops={of_reflex} in rxconfig.py. Set "
            "one of them, or both to the same number."
        )
    return ours or of_reflex


def agreed_origins(
    config: AuthConfig,
    *,
    api_url: str,
    backend_path: str,
    deploy_url: str | None,
    frontend_port: int | None,
    frontend_path: str,
    is_production: bool,
) -> AuthConfig:
    """Return `config` with both URLs, given those of `rx.Config` (URLs, paths, and a port).

    In development, page and backend have a port each. In production they are one origin, unless
    `api_url` or `APP_API_URL` names another host for the backend.

    Raises:
        ConfigError: browsers would reach the backend at another URL than the page does, or the page
            at another than the one that a login returns to.
    """
    base = config.app_base_url
    if "APP_BASE_URL" in config.unset_origins:
        origin = _page_origin(deploy_url, frontend_port, is_production=is_production)
        base = origin + _normalized(frontend_path)
    elif config.base_path != _normalized(frontend_path):
        raise ConfigError(
            f"APP_BASE_URL={base} has the path {_quoted(config.base_path)}, but the pages have "
            f"frontend_path={_quoted(_normalized(frontend_path))} in rxconfig.py. Set both to the "
            "same path."
        )
    if config.more_base_urls and not is_loopback(urlsplit(api_url).hostname):
        raise ConfigError(
            f'api_url="{api_url}" in rxconfig.py names one host, and there are several base URLs. '
            "Leave it out: each page then connects to its own host."
        )
    if path_of_url(api_url):
        raise ConfigError(
            f'api_url="{api_url}" in rxconfig.py has a path. Write the origin alone, and set '
            f'backend_path="{path_of_url(api_url)}".'
        )
    backend = origin_of(api_url) + _normalized(backend_path)
    # Reflex's page replaces a loopback host in `api_url` by the host that it is loaded from.
    is_known = not is_loopback(urlsplit(backend).hostname) or is_loopback(urlsplit(base).hostname)
    if "APP_API_URL" not in config.unset_origins:
        api = config.app_api_url
    elif is_known and not (is_production and is_loopback(urlsplit(backend).hostname)):
        api = backend
    else:
        api = origin_of(base) + _normalized(backend_path)
    if config.api_path != _normalized(backend_path) and "APP_API_URL" not in config.unset_origins:
        raise ConfigError(
            f"APP_API_URL={api} has the path {_quoted(config.api_path)}, but the backend has "
            f"backend_path={_quoted(_normalized(backend_path))} in rxconfig.py. Set both to the "
            "same path."
        )
    if is_known and backend != api:
        raise ConfigError(
            f"The login's backend is {api} (APP_API_URL, or else APP_BASE_URL), but the page "
            f"connects to {backend} (api_url in rxconfig.py, or its port). Set both to the same "
            "URL, or leave APP_API_URL unset."
        )
    if _are_two_names(base, api):
        raise ConfigError(
            f"The page is on {base} and the backend on {api}: to a browser these are two sites, "
            "so it sends no session cookie. Use the same host name for both."
        )
    return replace(config, app_base_url=base, app_api_url=api, unset_origins=frozenset())


def _page_origin(deploy_url: str | None, frontend_port: int | None, *, is_production: bool) -> str:
    """The page's origin. In development, a `deploy_url` is that of the later deployment."""
    if deploy_url and (is_production or is_loopback(urlsplit(deploy_url).hostname)):
        return origin_of(deploy_url)
    return f"http://localhost:{frontend_port or _PAGE_PORT}"


def _normalized(path: str) -> str:
    """A path of `rx.Config` as `path_of_url` returns it."""
    return f"/{path.strip('/')}" if path.strip("/") else ""


def _quoted(path: str) -> str:
    return f'"{path}"'


def _are_two_names(*urls: str) -> bool:
    """Whether the URLs name this machine in different ways."""
    hosts = {urlsplit(url).hostname for url in urls}
    return len(hosts) > 1 and all(is_loopback(host) for host in hosts)
