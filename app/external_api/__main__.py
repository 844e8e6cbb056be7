"""`python -m app.external_api`: the API as a process of its own."""

from __future__ import annotations

import argparse
import os
import sys

from ..local_tenant.loopback_server import CannotListen, listen, serve
from .asgi import create_api
from .settings import ApiRefused, ApiSettings, refuse_production


def main() -> int:
    """Serve until a signal, or until the owner has ended. Returns the exit status."""
    arguments = _arguments()
    try:
        refuse_production(os.environ)
        settings = ApiSettings(
            host=arguments.host,
            port=arguments.port,
            issuer=arguments.issuer,
            audience=arguments.audience or f"http://127.0.0.1:{arguments.port}/api/",
            dpop_required=arguments.dpop,
            dpop_nonces=arguments.dpop_nonces,
        )
        listener = listen(
            settings.host, settings.port, name="the external API", variable="EXTERNAL_API_URL"
        )
    except ApiRefused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 2
    except CannotListen as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    serve(create_api(settings), listener, owner=arguments.owner)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m app.external_api",
        description="A small API for development that checks access tokens.",
    )
    tenant_port = os.environ.get("LOCAL_TENANT_PORT", "4400")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=4401, help="default: 4401")
    parser.add_argument(
        "--issuer", default=f"http://127.0.0.1:{tenant_port}/", help="whose tokens count"
    )
    parser.add_argument("--audience", help="its identifier; default: http://127.0.0.1:PORT/api/")
    parser.add_argument(
        "--dpop", action="store_true", help="require DPoP proofs, which are accepted without it"
    )
    parser.add_argument("--dpop-nonces", action="store_true", help="require nonces in the proofs")
    parser.add_argument("--owner", type=int, help="end when this process is gone")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
