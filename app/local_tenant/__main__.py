"""`python -m app.local_tenant`: the tenant as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

import uvicorn

from .asgi import create_tenant
from .settings import TenantRefused, TenantSettings, refuse_production

OWNER_POLL = 0.5  # seconds between two looks at whether the owner is still there


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
            multi_resource_refresh=not arguments.no_multi_resource_refresh,
        )
    except TenantRefused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 2
    listener = _listen(settings)
    if listener is None:
        return 1
    _announce(settings)
    with suppress(KeyboardInterrupt):  # uvicorn has ended in peace and passes the Ctrl-C on
        asyncio.run(_serve(settings, listener, arguments.owner))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m app.local_tenant",
        description="A local OpenID tenant for development.",
    )
    port = os.environ.get("LOCAL_TENANT_PORT", "4400")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=port, help="default: LOCAL_TENANT_PORT or 4400")
    parser.add_argument("--data", type=Path, default=TenantSettings().data_file, help="its file")
    parser.add_argument("--app-url", action="append", help="an origin of the app; may be repeated")
    parser.add_argument("--access-token-lifetime", type=int, default=86_400, help="seconds")
    parser.add_argument(
        "--external-audience",
        default=TenantSettings().external_audience,
        help="the identifier of the second API",
    )
    parser.add_argument(
        "--no-multi-resource-refresh",
        action="store_true",
        help="refresh tokens serve for the audience of their login alone",
    )
    parser.add_argument("--owner", type=int, help="end when this process is gone")
    return parser.parse_args()


def _listen(settings: TenantSettings) -> socket.socket | None:
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        in_use = error.errno == errno.EADDRINUSE
        reason = "is in use" if in_use else f"cannot be opened ({error.strerror})"
        sys.stderr.write(
            f"Port {settings.port} {reason}, so the local tenant cannot start. "
            f"{'End what uses it, or set' if in_use else 'Set'} LOCAL_TENANT_PORT to a free port.\n"
        )
        return None
    return listener


def _announce(settings: TenantSettings) -> None:
    sys.stdout.write(
        f"Local tenant on {settings.issuer} (development only). "
        f"Dashboard: {settings.issuer}dashboard\n"
        'Log in as alice@example.com or bob@example.com, password "password".\n'
    )
    sys.stdout.flush()


async def _serve(settings: TenantSettings, listener: socket.socket, owner: int | None) -> None:
    logging.basicConfig(level=logging.WARNING)
    # No access log: queries hold codes and states.
    config = uvicorn.Config(
        create_tenant(settings),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while owner is not None and _is_running(owner) and not serving.done():
        await asyncio.wait({serving}, timeout=OWNER_POLL)
    if owner is not None:
        server.should_exit = True
    await serving


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    sys.exit(main())
