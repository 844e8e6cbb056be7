"""Which hop of a redirect chain a request is, and which headers may follow a redirect.

A transport sees every hop, but not that it is one. `httpx` copies `extensions` from each
request to the one that follows its redirect, so a note left there is found on the next hop.

Any header can be a credential (`X-Api-Key`, `DPoP`, an app's own). So the headers that are known to
be none are listed (RFC 9110 fields, the `Content-*` family, ids for tracing); the rest is dropped
on the way to a place that is not trusted.
"""

from __future__ import annotations

import weakref
from typing import NamedTuple

import httpx

_NOTE = "app.auth.hop"
_FORWARDABLE = frozenset(
    b"""
    accept accept-charset accept-encoding accept-language accept-ranges cache-control connection
    date expect host if-match if-modified-since if-none-match if-range if-unmodified-since
    max-forwards origin pragma prefer priority range te traceparent tracestate trailer
    transfer-encoding user-agent x-correlation-id x-request-id
    """.split()
)


class Hop(NamedTuple):
    """What a request needs to know of the hop before it.

    `follows`: it follows a redirect. `leaves_origin`: to another origin than the hop before.
    `own_authorization`: the caller brought an `Authorization` of their own, on this hop or earlier.
    `number`: its place in the chain, from 0. `hosts`: the values of its `Host` headers. `netloc`:
    the host of its URL, with the port unless that is the scheme's own. `request`: itself, weakly,
    since this is the note that is left on it.
    """

    follows: bool
    leaves_origin: bool
    own_authorization: bool
    number: int
    hosts: list[bytes]
    scheme: str
    netloc: bytes
    request: weakref.ref[httpx.Request]


def read_hop(request: httpx.Request) -> Hop:
    """Read the note of the hop before, if there is one, and leave one for the next hop.

    A request that is simply sent again (its own note is on it) follows nothing.
    """
    earlier = _note_of_earlier_hop(request)
    own, hosts = _authorization_and_hosts(request.headers.raw)
    # httpx leaves the scheme's own port out of `netloc`.
    scheme, netloc, itself = request.url.scheme, request.url.netloc, weakref.ref(request)
    if earlier is None:
        hop = Hop(False, False, own, 0, hosts, scheme, netloc, itself)
    else:
        leaves_origin = (earlier.scheme, earlier.netloc) != (scheme, netloc)
        own, number = own or earlier.own_authorization, earlier.number + 1
        hop = Hop(True, leaves_origin, own, number, hosts, scheme, netloc, itself)
    request.extensions[_NOTE] = hop
    return hop


def redirect_headers(request: httpx.Request, hop: Hop, *, allowed: bool) -> httpx.Headers:
    """The headers to send on this hop: all, or on a hop that leaves the origin or is not allowed
    a copy without `Authorization`, `Cookie`, `DPoP` and all that may be a credential. A `DPoP` of
    the caller's follows no redirect."""
    headers = request.headers
    if hop.leaves_origin or (hop.follows and not allowed):
        return httpx.Headers([item for item in headers.raw if _is_forwardable(item[0])])
    if hop.follows:  # a proof is for one URL and method (RFC 9449 section 4.2)
        return httpx.Headers([item for item in headers.raw if item[0].lower() != b"dpop"])
    return headers


def _note_of_earlier_hop(request: httpx.Request) -> Hop | None:
    note = request.extensions.get(_NOTE)
    return note if isinstance(note, Hop) and note.request() is not request else None


def _authorization_and_hosts(headers: list[tuple[bytes, bytes]]) -> tuple[bool, list[bytes]]:
    """Whether there is an `Authorization`, and the values of `Host`: the one walk over the headers.

    By the raw names: `in` would have httpx detect the encoding of all values first.
    """
    has_authorization, hosts = False, []
    for name, value in headers:
        lower = name.lower()
        if lower == b"host":
            hosts.append(value)
        elif lower == b"authorization":
            has_authorization = True
    return has_authorization, hosts


def _is_forwardable(name: bytes) -> bool:
    lower = name.lower()
    return lower in _FORWARDABLE or lower.startswith(b"content-")
