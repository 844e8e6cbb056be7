"""Serving a development tool as a process: on this machine only, and no longer than its owner."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import os
import select
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

OWNER_POLL = 0.5  # seconds between two checks that the owner still runs


class CannotListen(Exception):
    """The port cannot be opened; the message says why and what to do."""


def is_loopback(host: str) -> bool:
    """Whether a host is `localhost` or a loopback address, which other machines cannot reach."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int, *, name: str, variable: str) -> socket.socket:
    """A bound socket for the program `name`. `variable` is the environment variable for its port.

    Raises:
        CannotListen: the port is in use or cannot be opened.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CannotListen(_why(port, error, name, variable)) from error
    return listener


def _why(port: int, error: OSError, name: str, variable: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is in use, so {name} cannot start. Stop the program that uses it, "
            f"or set {variable} to a free port."
        )
    return (
        f"Port {port} cannot be opened ({error.strerror}), so {name} cannot start. "
        f"Set {variable} to another port."
    )


def serve(
    app: ASGIApp,
    *listeners: socket.socket,
    owner: int | None,
    certificate: tuple[Path, Path] | None = None,
) -> None:
    """Serve until a signal, or until the process `owner` has ended.

    With `certificate`, the PEM files of a certificate and its key, it speaks TLS.
    """
    logging.basicConfig(level=logging.WARNING)
    with suppress(KeyboardInterrupt):  # uvicorn stops cleanly, then raises the Ctrl-C again
        asyncio.run(_serve(app, listeners, owner, certificate))


async def _serve(
    app: ASGIApp,
    listeners: Sequence[socket.socket],
    owner: int | None,
    certificate: tuple[Path, Path] | None,
) -> None:
    chain, key = certificate or (None, None)
    # No access log: queries hold authorization codes and `state`.
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        ssl_certfile=chain,
        ssl_keyfile=key,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=list(listeners)))
    if owner is not None:
        watched = _Owner(owner)
        while watched.is_running() and not serving.done():
            await asyncio.wait({serving}, timeout=OWNER_POLL)
        server.should_exit = True
    await serving


class _Owner:
    """A process that is watched until it ends.

    Linux gives a file descriptor for it (`pidfd_open`), which also tells of an end that its parent
    has not waited for, and cannot mean a later process with the same id.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._poll: select.poll | None = None
        self._has_ended = False
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            self._has_ended = True
        except (AttributeError, OSError):  # another system, or a kernel before 5.3
            return
        else:
            self._poll = select.poll()
            self._poll.register(descriptor, select.POLLIN)

    def is_running(self) -> bool:
        if self._has_ended or (self._poll is not None and self._poll.poll(0)):
            return False
        return self._poll is not None or _has_process(self._pid)


def _has_process(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
