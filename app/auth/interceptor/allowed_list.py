"""The decision whether a request may carry the user's access token, made on parsed URLs alone."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from ..errors import ConfigError
from .allowed_route import AllowedRoute
from .http_methods import normalised_method
from .list_builder import ListBuilder
from .odd_url import OddURLError
from .target import parse_target


class AllowedList:
    """Immutable; the first entry that covers a request decides.

    Entries and requests are compared by scheme, host (lower-case punycode), effective port and raw
    path, byte for byte and on segment boundaries (see `pattern`). Query and fragment take no part.
    An odd URL (see `target`) matches nothing, nor does http outside loopback, nor a TRACE or
    CONNECT request.

    A `uri_matcher` is asked only about URLs that pass all this. It gets the URL as it will be sent:
    absolute, host in punycode, no userinfo, no fragment. When it raises, that is a warning in the
    log and no match.
    """

    def __init__(
        self, entries: Sequence[str | AllowedRoute], *, base_url: str | None = None
    ) -> None:
        """Raises `ConfigError` with one sentence for each problem of each entry."""
        builder = ListBuilder(base_url)
        if isinstance(entries, str):
            raise ConfigError(f"allowed_list is the string {entries!r}; write a list of entries")
        for entry in entries:
            builder.add(entry)
        self._index = builder.finished()
        self._base_url = builder.base_url

    def match(self, method: str, url: str | httpx.URL) -> AllowedRoute | None:
        """The entry that allows this request, or `None`: then it gets no token. Never raises.

        `url` is absolute, or `/path` to be appended to `base_url` as httpx does it.
        """
        known_method = normalised_method(method)
        if known_method is None:
            return None
        try:
            target = parse_target(url, self._base_url)
        except OddURLError:
            return None
        return self._index.find(known_method, target) if target.is_confidential else None
