"""A second opinion on where a URL leads and whether an entry covers it, in other words than the
matcher's: the WHATWG URL parser decides the target."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import unquote

import ada_url

DEFAULT_PORTS = {"http:": "80", "https:": "443"}


@dataclass(frozen=True)
class Place:
    """Where a browser would go: scheme with its colon, host, port as text, raw path."""

    scheme: str
    host: str
    port: str
    path: str

    @property
    def origin(self) -> tuple[str, str, str]:
        """What must be equal."""
        return self.scheme, self.host, self.port


def place_of(url: str) -> Place | None:
    """The place that the WHATWG parser sees; None for text that is no http(s) URL to it."""
    try:
        parsed = ada_url.URL(url)
    except ValueError:
        return None
    if parsed.protocol not in DEFAULT_PORTS:
        return None
    port = parsed.port or DEFAULT_PORTS[parsed.protocol]
    return Place(parsed.protocol, parsed.hostname, port, parsed.pathname)


def covers(entry: str, place: Place) -> bool:
    """Whether an absolute entry, `*` at its end or not, covers a place."""
    wildcard = entry.endswith("*")
    pattern = place_of(entry.removesuffix("*"))
    if pattern is None or pattern.origin != place.origin:
        return False
    if not wildcard:
        return place.path == pattern.path
    if pattern.path.endswith("/"):
        return place.path.startswith(pattern.path)
    return place.path == pattern.path or place.path.startswith(f"{pattern.path}/")


def stays_inside(entry: str, path: str) -> bool:
    """Whether a server that decodes a path, once or twice, still finds it under the entry."""
    pattern = place_of(entry.removesuffix("*"))
    if pattern is None:
        return False
    folder = pattern.path.removesuffix("/")
    return all(
        _resolved(_decoded(path, times)).startswith(_decoded(folder, times)) for times in range(3)
    )


def _decoded(path: str, times: int) -> str:
    for _ in range(times):
        path = unquote(path)
    return path


def _resolved(path: str) -> str:
    """A path with its dot segments taken out, backslashes being slashes."""
    kept: list[str] = []
    for segment in path.replace("\\", "/").split("/"):
        if segment.partition(";")[0] == "..":
            kept = kept[:-1]
        elif segment.partition(";")[0] != ".":
            kept.append(segment)
    return "/".join(kept)


def is_confidential(place: Place) -> bool:
    """Whether the network cannot read the request."""
    host = place.host.strip("[]")
    if place.scheme == "https:" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
