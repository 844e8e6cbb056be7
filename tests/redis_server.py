"""A real redis-server on a free loopback port."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .servers import Server, clean_environ, free_port


def redis_server(directory: Path, *, is_durable: bool = False) -> tuple[Server, str]:
    """The process, not started yet, and its URL. A durable one has everything that it answered for
    after a restart; another one has nothing."""
    program = shutil.which("redis-server")
    assert program, "no redis-server: run `make test`, which installs one"
    port = free_port()
    options = {
        "--port": str(port),
        "--bind": "127.0.0.1",
        "--save": "",
        "--appendonly": "yes" if is_durable else "no",
        "--appendfsync": "always",
    }
    server = Server(
        [program, *(word for option in options.items() for word in option)],
        cwd=directory,
        environ=clean_environ(),
        log=directory / "redis.log",
        ready=lambda: _answers(port),
        patience=20.0,
    )
    return server, f"redis://127.0.0.1:{port}/0"


@contextmanager
def running_redis(directory: Path) -> Iterator[str]:
    """Its URL, while it runs."""
    server, url = redis_server(directory)
    server.start()
    try:
        yield url
    finally:
        server.stop()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
