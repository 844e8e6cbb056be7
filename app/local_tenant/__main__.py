"""`python -m reflex_oidc_tenant`: run the tenant as a process of its own."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .asgi import create_tenant
from .loopback_server import CannotListen, listen, serve
from .settings import TenantRefused, TenantSettings, refuse_production


def main() -> int:
    """Serve until a signal, or until the owner is gone; the result is the exit status."""
    arguments = _arguments()
    try:
        refuse_production(os.environ)
        settings = TenantSettings(
            host=arguments.host,
            port=arguments.port,
            data_file=arguments.data,
            app_urls=tuple(arguments.app_url or TenantSettings().app_urls),
            access_token_lifetime=arguments.access_token_lifetime,
            external_audience=arguments.external_audience,
            rotation_overlap=arguments.rotation_overlap,
            multi_resource_refresh=not arguments.no_multi_resource_refresh,
            id_token_on_refresh=not arguments.no_id_token_on_refresh,
            mfa_at_refresh=arguments.mfa_at_refresh,
            dpop_required=arguments.dpop,
            dpop_nonces=arguments.dpop_nonces,
            callback_path=arguments.callback_path,
        )
        listener = listen(
            settings.host, settings.port, name="the local tenant", variable="LOCAL_TENANT_PORT"
        )
    except TenantRefused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 2
    except CannotListen as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    _announce(settings)
    serve(create_tenant(settings), listener, owner=arguments.owner)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}",
        description="A local OpenID tenant for development.",
    )
    port = os.environ.get("LOCAL_TENANT_PORT", "4400")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=port, help="default: LOCAL_TENANT_PORT or 4400")
    parser.add_argument("--data", type=Path, default=TenantSettings().data_file, help="its file")
    parser.add_argument("--app-url", action="append", help="a URL of the app; may be repeated")
    parser.add_argument(
        "--callback-path",
        default=TenantSettings().callback_path,
        help="where logins return to below the URLs of the app",
    )
    parser.add_argument("--access-token-lifetime", type=int, default=86_400, help="seconds")
    parser.add_argument(
        "--rotation-overlap",
        type=int,
        default=0,
        help="seconds for which a used refresh token is accepted again",
    )
    parser.add_argument(
        "--external-audience",
        default=TenantSettings().external_audience,
        help="the identifier of the second API",
    )
    parser.add_argument(
        "--no-multi-resource-refresh",
        action="store_true",
        help="a refresh token obtains access tokens for the audience of its login only",
    )
    parser.add_argument(
        "--no-id-token-on-refresh",
        action="store_true",
        help="a refresh brings no ID token, only a login does",
    )
    parser.add_argument(
        "--mfa-at-refresh",
        action="store_true",
        help="a user who has not done the second step gets mfa_required for a refresh token",
    )
    parser.add_argument(
        "--dpop", action="store_true", help="require DPoP proofs, which are accepted without it"
    )
    parser.add_argument("--dpop-nonces", action="store_true", help="require nonces in the proofs")
    parser.add_argument("--owner", type=int, help="end when this process is gone")
    return parser.parse_args()


def _announce(settings: TenantSettings) -> None:
    sys.stdout.write(
        f"Local tenant on {settings.issuer} (development only). "
        f"Dashboard: {settings.issuer}dashboard\n"
        'Log in as alice@example.com or bob@example.com, password "password"; '
        "or as carol@example.com, who has a second step, too: the code 123456.\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
