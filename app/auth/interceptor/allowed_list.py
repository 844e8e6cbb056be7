"""The decision whether a request may carry the user's access token, made on parsed URLs alone."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from .allowed_route import AllowedRoute
from .matching import normalize_method
from .url import normalize_url
from .url_checks import AmbiguousURLError
from .validation import build_index


class AllowedList:
    """Immutable; the first entry that covers a request decides.

    Entries and requests are compared by scheme, host (lower-case punycode), effective port and raw
    path, byte for byte and on segment boundaries (see `matching`). Query and fragment take no part.
    An ambiguous URL (see `url_checks`) matches nothing, nor does http outside loopback, nor a TRACE
    or CONNECT request. An encoded backslash may stand in the last segment if the entry ends in `*`
    and decides about both readings: with the backslash as data, and as a slash.

    A `uri_matcher` is asked only about URLs that pass all this. It gets the URL as it will be sent:
    absolute, host in punycode, no userinfo, no fragment. When it raises, that is a warning in the
    log and no match.
    """

    def __init__(
        self, entries: Sequence[str | AllowedRoute], *, base_url: str | None = None
    ) -> None:
        """Raises `ConfigError` with one sentence for each problem of each entry."""
        self._index, self._base_url = build_index(entries, base_url)

    def match(self, method: str, url: str | httpx.URL) -> AllowedRoute | None:
        """The entry that allows this request, or `None`: then it gets no token. Never raises.

        `url` is absolute, or `/path` to be appended to `base_url` as httpx does it.
        """
        known_method = normalize_method(method)
        if known_method is None:
            return None
        try:
            normalized = normalize_url(url, self._base_url, with_other_path=True)
        except AmbiguousURLError:
            return None
        return self._index.find(known_method, normalized) if normalized.is_confidential else None
