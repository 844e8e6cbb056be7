"""The local tenant as the provider of an app that configures none. For development only."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import ConfigError


def local_tenant_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of the client `local-app`, for the `fallback` of `AuthConfig.from_environ`.

    Raises:
        ConfigError: `LOCAL_TENANT_PORT` is not a port number.
    """
    port = environ.get("LOCAL_TENANT_PORT", "").strip() or "4400"
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ConfigError(f"LOCAL_TENANT_PORT={port} is not a port number (1 to 65535).")
    return {
        "AUTH0_DOMAIN": f"http://127.0.0.1:{int(port)}",
        "AUTH0_CLIENT_ID": "local-app",
        "AUTH0_CLIENT_SECRET": "local-secret",  # published: the tenant is on this machine only
        "AUTH0_MULTI_RESOURCE_REFRESH": "1",
    }
