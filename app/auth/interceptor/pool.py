"""The transport of all users that really sends."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable

import httpx

from .connection_pool import ConnectionPool


def build_pool(
    verify: ssl.SSLContext | bool = True,
    *,
    max_connections: int = 100,
    monotonic: Callable[[], float] = time.monotonic,
) -> httpx.AsyncHTTPTransport:
    """A bounded pool that takes no proxy and no certificates from the environment, nor retries.

    A request that finds all connections in use waits for one, as long as its timeout `pool` says.
    `monotonic` gives seconds. Whoever builds it closes it (`await pool.aclose()`).
    """
    context = httpx.create_ssl_context(verify=verify, trust_env=False)
    transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False)
    # httpx offers no other way to bring one along.
    transport._pool = ConnectionPool(context, max_connections=max_connections, monotonic=monotonic)
    return transport
