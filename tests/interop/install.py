"""`python -m tests.interop.install` fetches the providers, and says which ones it could not."""

from __future__ import annotations

import sys
from collections.abc import Callable

from . import (
    angular,
    auth0_clients,
    axe,
    glewlwyd,
    oidc_provider,
    oidc_provider_mock,
    python_packages,
)
from .auth0_clients import apache
from .installing import InstallError

_INSTALLERS: dict[str, Callable[[], object]] = {
    "oidc-provider": oidc_provider.install,
    "glewlwyd": glewlwyd.install,
    "oidc-provider-mock": oidc_provider_mock.install,
    "Auth0's npm packages": auth0_clients.install_node_clients,
    "mod_auth_openidc": apache.install,
    "Auth0's PyPI packages": auth0_clients.install_python_clients,
    "axe-core": axe.install,
    "the Angular page": angular.install,
    **python_packages.installers(),
}


def main() -> int:
    """The exit status: how many are missing."""
    missing = 0
    for name, install in _INSTALLERS.items():
        try:
            install()
        except InstallError as error:
            missing += 1
            sys.stderr.write(f"{name}: {error}\n")
    return missing


if __name__ == "__main__":
    sys.exit(main())
