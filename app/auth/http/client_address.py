"""The address of a client, which its rate limits count by."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable

from starlette.types import Scope

logger = logging.getLogger(__name__)

UNKNOWN = "unknown"
NETWORK_OF_ONE = 64  # bits: the least that an IPv6 customer gets (RFC 6177)


def client_address(scope: Scope, trusted_proxies: int) -> str:
    """Return the address of the client behind this number of trusted proxies.

    Each proxy appends the address of its peer to `X-Forwarded-For`. Entries further to the left are
    ignored: the client can forge them. An IPv6 address counts as its /64 network.
    """
    peer = (scope.get("client") or (UNKNOWN,))[0]
    hops = [*_forwarded_for(scope["headers"]), peer]
    return _network(hops[max(-len(hops), -1 - trusted_proxies)])


def address_of(scope: Scope, trusted_proxies: int) -> str:
    """The same for people to read: empty if it is unknown."""
    address = client_address(scope, trusted_proxies)
    return "" if address == UNKNOWN else address


class ProxyWarning:
    """Warns once if requests come through a proxy and none is trusted: all clients then have the
    proxy's address, and share one rate limit."""

    def __init__(self, trusted_proxies: int) -> None:
        self._is_due = trusted_proxies == 0

    def look_at(self, scope: Scope) -> None:
        """Look at the headers of a request."""
        if self._is_due and _forwarded_for(scope["headers"]):
            self._is_due = False
            logger.warning(
                "A request has X-Forwarded-For, and APP_TRUSTED_PROXIES is not set. If a proxy of "
                "yours stands in front, set it to the number of proxies: until then all clients "
                "share one rate limit."
            )


def _forwarded_for(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    values = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    return [hop.strip() for hop in ",".join(values).split(",")] if values else []


def _network(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, NETWORK_OF_ONE), strict=False))
