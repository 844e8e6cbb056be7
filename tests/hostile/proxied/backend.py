"""`python -m tests.hostile.proxied.backend SERVER PORT API_URL COOKIE_FILE`: the app as a process,
on Granian or uvicorn. It writes the `Cookie` header of Ann's browser into the file."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.types import ASGIApp, Receive, Scope, Send

from .app import Proxied


async def main(server: str, port: int, api_url: str, cookie_file: Path) -> None:
    """Serve on loopback until the process is ended."""
    url = f"http://127.0.0.1:{port}"
    proxied = Proxied(None, api_url, base_url=url, max_body=2**31, timeout=20.0)
    cookie_file.write_text(await proxied.cookie())
    app = _http(proxied.asgi)
    if server == "granian":
        await Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGI).serve()
    else:
        config = uvicorn.Config(app, "127.0.0.1", port, log_level="warning", lifespan="off")
        await uvicorn.Server(config).serve()


def _http(app: ASGIApp) -> ASGIApp:
    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)

    return served


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])))
