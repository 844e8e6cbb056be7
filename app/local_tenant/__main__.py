"""`python -m reflex_oidc_tenant`: run the tenant as a process of its own."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette

from .asgi import by_port, create_tenant
from .database import Database
from .loopback_server import CannotListen, listen, serve
from .seeding import SeedError
from .settings import TenantRefused, TenantSettings, refuse_production
from .tls import Certificate, ensure_certificate


def main() -> int:
    """Serve until a signal, or until the owner is gone; the result is the exit status."""
    arguments = _arguments()
    try:
        refuse_production(os.environ)
        each = [_settings(arguments, port, seed) for port, seed in _ports(arguments)]
        listeners = [
            listen(one.host, one.port, name="the local tenant", variable="LOCAL_TENANT_PORT")
            for one in each
        ]
        apps = [_tenant(settings, reset=arguments.reset) for settings in each]
    except (TenantRefused, SeedError) as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 2
    except CannotListen as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    certificate = None
    if arguments.tls:
        certificate = ensure_certificate(arguments.data.parent / "local_tenant_tls")
    _announce(each, certificate)
    serve(
        by_port(dict(zip((one.port for one in each), apps, strict=True))),
        *listeners,
        owner=arguments.owner,
        certificate=(certificate.certificate, certificate.key) if certificate else None,
    )
    return 0


def _ports(arguments: argparse.Namespace) -> list[tuple[int, Path | None]]:
    """The port of each tenant, and its seed file."""
    return arguments.tenants or [(arguments.port, arguments.seed)]


def _settings(arguments: argparse.Namespace, port: int, seed: Path | None) -> TenantSettings:
    data: Path = arguments.data
    return TenantSettings(
        host=arguments.host,
        port=port,
        data_file=data.with_stem(f"{data.stem}-{port}") if arguments.tenants else data,
        app_urls=tuple(arguments.app_url or TenantSettings().app_urls),
        access_token_lifetime=arguments.access_token_lifetime,
        external_audience=arguments.external_audience,
        rotation_overlap=arguments.rotation_overlap,
        multi_resource_refresh=not arguments.no_multi_resource_refresh,
        id_token_on_refresh=not arguments.no_id_token_on_refresh,
        mfa_at_refresh=arguments.mfa_at_refresh,
        callback_path=arguments.callback_path,
        dpop_required=arguments.dpop,
        dpop_nonces=arguments.dpop_nonces,
        seed_file=seed or arguments.seed,
        management_rate_limit=arguments.management_rate_limit,
        tls=arguments.tls,
        backchannel_logout=arguments.backchannel_logout,
        require_pkce=not arguments.no_pkce,
        response_issuer=arguments.response_issuer,
    )


def _tenant(settings: TenantSettings, *, reset: bool) -> Starlette:
    if reset:
        Database(settings.data_file).reset()
    return create_tenant(settings)


def _port_and_seed(text: str) -> tuple[int, Path | None]:
    """`4410`, or `4410=acme.json` with a seed file of its own."""
    port, _, seed = text.partition("=")
    return int(port), Path(seed) if seed else None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}",
        description="A local OpenID tenant for development.",
    )
    port = os.environ.get("LOCAL_TENANT_PORT", "4400")
    parser.add_argument(
        "--host", default="127.0.0.1", help="localhost or a loopback address; the issuer's host"
    )
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
        "--tls",
        action="store_true",
        help="speak HTTPS, with a certificate that is kept beside the data file",
    )
    parser.add_argument(
        "--backchannel-logout",
        action="store_true",
        help="tell the app at /auth/backchannel-logout when a login ends",
    )
    parser.add_argument(
        "--no-pkce",
        action="store_true",
        help="a client with a secret may leave PKCE out, as at Auth0",
    )
    parser.add_argument(
        "--response-issuer",
        action="store_true",
        help="authorization responses have iss (RFC 9207), which Auth0's have not",
    )
    parser.add_argument("--seed", type=Path, help="a JSON file with further users and so on")
    parser.add_argument(
        "--management-rate-limit",
        type=int,
        default=TenantSettings().management_rate_limit,
        help="requests a second to the Management API (Auth0's free plan: 2)",
    )
    parser.add_argument("--reset", action="store_true", help="delete what is in its file first")
    parser.add_argument(
        "--tenants",
        type=_port_and_seed,
        nargs="+",
        metavar="PORT[=SEED]",
        help="several tenants in one process, each with its own port, issuer, keys and file",
    )
    parser.add_argument(
        "--dpop", action="store_true", help="require DPoP proofs, which are accepted without it"
    )
    parser.add_argument("--dpop-nonces", action="store_true", help="require nonces in the proofs")
    parser.add_argument("--owner", type=int, help="end when this process is gone")
    return parser.parse_args()


def _announce(each: Sequence[TenantSettings], certificate: Certificate | None) -> None:
    for settings in each:
        sys.stdout.write(
            f"Local tenant on {settings.issuer} (development only). "
            f"Dashboard: {settings.issuer}dashboard\n"
        )
    if certificate is not None:
        sys.stdout.write(f"Its certificate is issued by the authority in {certificate.authority}\n")
    sys.stdout.write(
        'Log in as alice@example.com or bob@example.com, password "password"; as '
        "admin@example.com, who has the role admin;\n"
        "or as carol@example.com, who has a second step, too: the code 123456.\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
