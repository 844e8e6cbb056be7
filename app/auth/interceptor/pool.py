"""The connection pool of all users."""

from __future__ import annotations

import ssl

import httpcore
import httpx

from .network import Network

_MAX_CONNECTIONS = 100
# Shorter than the five seconds after which common servers (Node's, uvicorn, Apache's) close an idle
# connection: what is sent on one that is just being closed fails, and a PATCH is not sent again.
_KEEPALIVE_EXPIRY = 4.0


class _Pool(httpcore.AsyncConnectionPool):
    async def _close_connections(self, closing: list[httpcore.AsyncConnectionInterface]) -> None:
        """Without the shield against cancellation that httpcore puts around it, twice a request,
        when there is nothing to close, either."""
        if closing:
            await super()._close_connections(closing)


def build_pool(verify: ssl.SSLContext | bool = True) -> httpx.AsyncHTTPTransport:
    """A bounded pool that takes no proxy and no certificates from the environment, nor retries.

    Whoever builds it closes it (`await pool.aclose()`).
    """
    context = httpx.create_ssl_context(verify=verify, trust_env=False)
    transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False)
    # httpx takes no network of one's own, its pool does.
    transport._pool = _Pool(
        ssl_context=context,
        max_connections=_MAX_CONNECTIONS,
        # As many may be idle: beyond httpx's own 20, each request would open a new connection.
        max_keepalive_connections=_MAX_CONNECTIONS,
        keepalive_expiry=_KEEPALIVE_EXPIRY,
        retries=0,
        network_backend=Network(),
    )
    return transport
