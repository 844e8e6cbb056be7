"""Host names and addresses in the one form they are compared in."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from .odd_url import OddURLError

_LABEL = r"[a-z0-9_][a-z0-9_-]{0,62}"
_NAME = re.compile(rf"(?!.{{254}}){_LABEL}(?:\.{_LABEL})*")
_REMEMBERED = 1024  # hosts: an app calls few, and addresses are slow to parse
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@lru_cache(maxsize=_REMEMBERED)
def is_loopback(host: str) -> bool:
    """`localhost`, `127.0.0.0/8` and `::1`; no other spelling of them."""
    if host in {"localhost", "::1"}:
        return True
    return host.startswith("127.") and _is_ipv4(host)


@lru_cache(maxsize=_REMEMBERED)
def comparable_host(host: str) -> str:
    """`host` as httpx has it (lower-case, punycode, no brackets), an IPv6 address compressed.

    Raises `OddURLError` for what resolvers and parsers read differently: a percent sign, a trailing
    dot, an empty label, an IPv4 address in octal, hexadecimal or with fewer than four parts.
    """
    if ":" in host:
        return _ipv6(host)
    if not _NAME.fullmatch(host):
        raise OddURLError("has a host that is not a plain name or address")
    if _NUMBER.fullmatch(host.rpartition(".")[2]) and not _is_ipv4(host):
        raise OddURLError("has an IPv4 address in an unusual notation")
    return host


def _ipv6(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        raise OddURLError("has a malformed IPv6 address") from None
    if address.scope_id is not None:
        raise OddURLError("has an IPv6 address with a zone")
    return address.compressed


def _is_ipv4(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
