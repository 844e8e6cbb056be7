"""The local tenant as the provider of an app that configures none."""

from __future__ import annotations

import pytest

from app.auth import AuthConfig, ConfigError, local_tenant_environ


@pytest.mark.parametrize(("text", "port"), [("4500", 4500), ("", 4400), (" 04500 ", 4500)])
def test_port(text: str, port: int) -> None:
    """The app finds the tenant on `LOCAL_TENANT_PORT`, or on 4400."""
    fallback = local_tenant_environ({"LOCAL_TENANT_PORT": text})
    config = AuthConfig.from_environ({}, fallback=fallback)
    assert config.issuer == f"http://127.0.0.1:{port}/"
    assert config.client_id == "local-app"
    assert config.multi_resource_refresh_tokens


@pytest.mark.parametrize("text", ["abc", "0", "65536", "-1", "4400/path"])
def test_no_port(text: str) -> None:
    """A value that is not a port number is named as it was written."""
    with pytest.raises(ConfigError, match=f"LOCAL_TENANT_PORT={text} is not a port number"):
        local_tenant_environ({"LOCAL_TENANT_PORT": text})
