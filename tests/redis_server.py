"""A real redis-server on a free loopback port."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .servers import Server, clean_environ, free_port


def redis_server(directory: Path) -> tuple[Server, str]:
    """The process, not started yet, and its URL; it writes nothing but its log."""
    program = shutil.which("redis-server")
    assert program, "no redis-server: run `make test`, which installs one"
    port = free_port()
    options = {"--port": str(port), "--bind": "127.0.0.1", "--save": "", "--appendonly": "no"}
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
