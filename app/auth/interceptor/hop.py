"""Which hop of a redirect chain a request is.

A transport sees every hop but is not told that it is one. `httpx` copies `extensions` from each
request to the one that follows its redirect, so a note left there is found again on the next hop.
"""

from __future__ import annotations

import weakref
from typing import NamedTuple

import httpx

_NOTE = "app.auth.hop"


class Hop(NamedTuple):
    """What a request needs to know of the hop before it.

    `follows`: it follows a redirect. `leaves_origin`: to another origin than the hop before.
    `own_authorization`: the caller brought an `Authorization` of their own, on this hop or earlier.
    `number`: its place in the chain, from 0.
    """

    follows: bool
    leaves_origin: bool
    own_authorization: bool
    number: int


class _Note(NamedTuple):
    request: weakref.ref[httpx.Request]
    origin: tuple[str, bytes]
    own_authorization: bool
    number: int


def read_hop(request: httpx.Request) -> Hop:
    """Look at the note of the hop before, if there is one, and leave one for the next hop.

    A request that is simply sent again (its own note is on it) follows nothing.
    """
    earlier = _note_of_earlier_hop(request)
    own = _has_authorization(request) or (earlier is not None and earlier.own_authorization)
    origin = _origin(request.url)
    number = 0 if earlier is None else earlier.number + 1
    request.extensions[_NOTE] = _Note(weakref.ref(request), origin, own, number)
    leaves_origin = earlier is not None and earlier.origin != origin
    return Hop(number > 0, leaves_origin, own_authorization=own, number=number)


def _note_of_earlier_hop(request: httpx.Request) -> _Note | None:
    note = request.extensions.get(_NOTE)
    return note if isinstance(note, _Note) and note.request() is not request else None


def _has_authorization(request: httpx.Request) -> bool:
    """By the raw names: `in` would have httpx find out the encoding of all the values first."""
    return b"authorization" in [name.lower() for name, _ in request.headers.raw]


def _origin(url: httpx.URL) -> tuple[str, bytes]:
    """Scheme, and host with any port but the scheme's own, which httpx leaves out."""
    return url.scheme, url.netloc
