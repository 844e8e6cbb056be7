"""The local tenant behind a proxy: its URLs name the proxy's port, and it listens on another."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from app.local_tenant.asgi import create_tenant
from app.local_tenant.settings import TenantSettings


def main(port: str, public_port: str, data: str, *app_urls: str) -> None:
    """Serve until a signal."""
    settings = TenantSettings(port=int(public_port), data_file=Path(data), app_urls=app_urls)
    uvicorn.run(create_tenant(settings), port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
